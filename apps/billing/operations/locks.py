"""The customer's row is the first lock of everything that moves its money.

Payments, credit notes, allocations and dunning of one customer thus happen one
after another; the further locks follow docs/locking.md and cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.billing.errors.payments import UnknownCustomer
from apps.identity import selectors as identity
from dotmac.core.actors import system_actor

if TYPE_CHECKING:
    from apps.identity.models import Customer

_SYSTEM = system_actor("billing")


def lock_customer(customer_id: int) -> Customer:
    """The customer, held until commit; raises UnknownCustomer."""
    customer = identity.locked_customer(customer_id)
    if customer is None:
        raise UnknownCustomer(field="customer")
    return customer


def lock_customers(customer_ids: Sequence[int]) -> list[int]:
    """The keys that exist, held until commit, in their order."""
    rows = identity.customers_visible_to(_SYSTEM, "billing.view_payment")
    held = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    return [row.pk for row in held.filter(pk__in=customer_ids).only("pk")]
