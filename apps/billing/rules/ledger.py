"""What each business event writes into the books. Debits are positive.

Account numbers stand here as plain integers (see enums.Account), so that the
rules stay free of the framework.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

RECEIVABLE = 1100
TAX_PAYABLE = 2200
INTERNET_INCOME = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One leg. customer_id stands on accounts that are kept per customer."""

    account: int
    amount_minor: int
    currency: str
    customer_id: int | None = None


def invoice_postings(
    *, customer_id: int, subtotal_minor: int, tax_minor: int, currency: str
) -> list[Posting]:
    """Dr receivable total; Cr income subtotal; Cr tax payable tax."""
    return _without_zero(
        Posting(
            account=RECEIVABLE,
            amount_minor=subtotal_minor + tax_minor,
            currency=currency,
            customer_id=customer_id,
        ),
        Posting(
            account=INTERNET_INCOME, amount_minor=-subtotal_minor, currency=currency
        ),
        Posting(account=TAX_PAYABLE, amount_minor=-tax_minor, currency=currency),
    )


def credit_note_postings(
    *, customer_id: int, subtotal_minor: int, tax_minor: int, currency: str
) -> list[Posting]:
    """The invoice's postings with the signs turned, for the part credited."""
    return mirrored(
        invoice_postings(
            customer_id=customer_id,
            subtotal_minor=subtotal_minor,
            tax_minor=tax_minor,
            currency=currency,
        )
    )


def payment_postings(
    *, customer_id: int, account: int, amount_minor: int, currency: str
) -> list[Posting]:
    """Dr where the money arrived (cash, bank, gateway); Cr receivable."""
    return _without_zero(
        Posting(account=account, amount_minor=amount_minor, currency=currency),
        Posting(
            account=RECEIVABLE,
            amount_minor=-amount_minor,
            currency=currency,
            customer_id=customer_id,
        ),
    )


def mirrored(postings: Iterable[Posting]) -> list[Posting]:
    """The same legs with the signs turned: a reversal."""
    return [
        Posting(
            account=posting.account,
            amount_minor=-posting.amount_minor,
            currency=posting.currency,
            customer_id=posting.customer_id,
        )
        for posting in postings
    ]


def _without_zero(*postings: Posting) -> list[Posting]:
    return [posting for posting in postings if posting.amount_minor]
