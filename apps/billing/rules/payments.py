"""What a gateway's fee writes into the books."""

from __future__ import annotations

from apps.billing.rules.ledger import Posting

GATEWAY_CLEARING = 1030
GATEWAY_FEES = 5010


def fee_postings(*, amount_minor: int, currency: str) -> list[Posting]:
    """Dr fees; Cr gateway clearing: the gateway pays out so much less."""
    return [
        Posting(account=GATEWAY_FEES, amount_minor=amount_minor, currency=currency),
        Posting(
            account=GATEWAY_CLEARING, amount_minor=-amount_minor, currency=currency
        ),
    ]
