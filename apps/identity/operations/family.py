"""Head offices and branches, resellers and their customers: who belongs to whom."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity import events
from apps.identity.enums import CustomerState
from apps.identity.errors import CustomerClosed, ParentIsBelow
from apps.identity.models import Customer
from apps.identity.operations.customers import note_changes
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound

CHILDREN_MAX = 1_000


@transaction.atomic
def set_parent(
    *, customer_id: int, parent_id: int | None, actor: Actor, now: datetime
) -> Customer:
    """Hang the customer below another, or below nobody. The same changes nothing.

    Refused: a closed parent, one below the customer itself, a ninth level. Who
    pays is not said by this.
    """
    wanted = [customer_id] if parent_id is None else sorted({customer_id, parent_id})
    held = {row.pk: row for row in Customer.objects.locked().filter(pk__in=wanted)}
    customer = held.get(customer_id)
    if customer is None:
        raise NotFound
    if customer.parent_id == parent_id:
        return customer
    above = _parent(held, customer, parent_id)

    before, customer.parent = customer.parent, above
    with refusing(identity_customer_family=lambda: ParentIsBelow(field="parent")):
        customer.store("parent", now=now)
    pair = [row.reference if row else None for row in (before, above)]
    note_changes(customer, {"parent": pair}, actor=actor, now=now)
    event = events.CustomerChanged(
        occurred_at=now, of_customer_id=customer_id, reference=customer.reference
    )
    ops.emit(event, actor=actor, changes={"parent": pair})
    return customer


def _parent(
    held: dict[int, Customer], customer: Customer, parent_id: int | None
) -> Customer | None:
    if parent_id is None:
        return None
    above = held.get(parent_id)
    if above is None:
        raise InvalidInput("There is no such customer.", field="parent")
    if CustomerState.CLOSED in {above.state, customer.state}:
        raise CustomerClosed(field="parent")
    if Customer.objects.filter(parent_id=parent_id).count() >= CHILDREN_MAX:
        raise InvalidInput(f"At most {CHILDREN_MAX} below one.", field="parent")
    return above
