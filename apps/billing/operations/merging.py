"""Billing's part when two customers become one: money stays where it was booked.

Documents name their buyer and the ledger is never rewritten, so nothing moves. A
merge waits until the duplicate owes and holds nothing; what its services cost
from then on is the survivor's (docs/decisions/0056).
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.billing.models import BillingRun
from apps.billing.operations.dunning import review_customer
from apps.billing.selectors.personal import open_money
from dotmac.core.merging import Moved, Pair


def objections_to_merge(pair: Pair) -> list[str]:
    """What has to be settled under the duplicate's number first."""
    sentences = open_money(pair.duplicate_id)
    if sentences:
        sentences.append(_("Settle it, or merge the other way round."))
    if BillingRun.objects.filter(finished_at=None).exists():
        sentences.append(_("A bill run is going on. Wait for its end."))
    return sentences


def move_money(pair: Pair) -> Moved:
    """Nothing moves. The survivor's debts now stand behind more services."""
    review_customer(customer_id=pair.survivor_id, now=pair.now)
    return {}


def judge_again(pair: Pair, moved: Moved) -> None:
    """After services went back, each customer answers for its own debts alone."""
    for customer_id in sorted((pair.duplicate_id, pair.survivor_id)):
        review_customer(customer_id=customer_id, now=pair.now)
