"""The turns in the life of a customer: lead, prospect, active, dormant, closed.

Each turn is written down in the transaction that makes it; a trigger refuses a
turn without its line.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity import events
from apps.identity.enums import CustomerState
from apps.identity.errors import (
    CustomerClosed,
    CustomerErased,
    CustomerMerged,
    CustomerStillServed,
)
from apps.identity.models import Customer, CustomerTurn
from apps.identity.models.signed import signed_by
from apps.identity.operations.customers import (
    locked_or_missing,
    refuse_duplicate,
    subject_of,
)
from apps.identity.rules.lifecycle import may_become
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput
from dotmac.core.participants import objections_to_close

REASON_CHARACTERS_MAX = 300


@transaction.atomic
def qualify_customer(
    *, customer_id: int, actor: Actor, now: datetime, reason: str = ""
) -> Customer:
    """A lead becomes a prospect. Repeating it, or later states, change nothing."""
    customer = locked_or_missing(customer_id)
    if customer.state != CustomerState.LEAD:
        return customer

    return _turn(
        customer,
        CustomerState.PROSPECT,
        events.CustomerChanged,
        reason=reason,
        actor=actor,
        now=now,
    )


@transaction.atomic
def activate_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """A service works: the customer is one, again or for the first time. Repeatable."""
    customer = locked_or_missing(customer_id)
    if customer.state == CustomerState.ACTIVE:
        return customer
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed

    customer.activated_at = customer.activated_at or now
    return _turn(
        customer,
        CustomerState.ACTIVE,
        events.CustomerActivated,
        reason="",
        actor=actor,
        now=now,
    )


@transaction.atomic
def rest_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """The last service ended: an active customer is dormant now. Repeatable.

    catalog calls it in the transaction that ends the service; prospects and
    closed customers stay what they are.
    """
    customer = locked_or_missing(customer_id)
    if customer.state != CustomerState.ACTIVE:
        return customer

    return _turn(
        customer,
        CustomerState.DORMANT,
        events.CustomerRested,
        reason="",
        actor=actor,
        now=now,
    )


@transaction.atomic
def close_customer(
    *, customer_id: int, actor: Actor, now: datetime, reason: str = ""
) -> Customer:
    """End the relation and keep its history. Repeatable.

    Refused while an app above speaks against it (a running service, say).
    """
    customer = locked_or_missing(customer_id)
    if customer.state == CustomerState.CLOSED:
        return customer
    if objections := objections_to_close(subject_of(customer)):
        raise CustomerStillServed(" ".join(objections), objections=objections)

    customer.closed_at = now
    return _turn(
        customer,
        CustomerState.CLOSED,
        events.CustomerClosed,
        reason=reason,
        actor=actor,
        now=now,
    )


@transaction.atomic
def reopen_customer(
    *,
    customer_id: int,
    confirm_duplicate: bool = False,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> Customer:
    """A closed customer comes back as a prospect. An open one changes nothing.

    Refused with `possible_duplicate` when another open customer has its address
    or number by now, unless that is confirmed.
    """
    customer = locked_or_missing(customer_id)
    if customer.state != CustomerState.CLOSED:
        return customer
    if customer.erased_at is not None:
        raise CustomerErased
    if customer.merged_into_id is not None:
        raise CustomerMerged
    refuse_duplicate(customer, confirmed=confirm_duplicate, now=now)

    customer.closed_at = None
    return _turn(
        customer,
        CustomerState.PROSPECT,
        events.CustomerReopened,
        reason=reason,
        actor=actor,
        now=now,
    )


def reason_of(text: str) -> str:
    """What was said of a turn, as it is kept; raises what names the field."""
    said = " ".join(text.split())
    if len(said) > REASON_CHARACTERS_MAX:
        raise InvalidInput(
            f"At most {REASON_CHARACTERS_MAX} characters.", field="reason"
        )
    return said


def _turn(
    customer: Customer,
    state: CustomerState,
    event: type[events.CustomerEvent],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Customer:
    assert may_become(customer.state, state)
    said = reason_of(reason)
    changes = {"state": [customer.state, state]}
    CustomerTurn.objects.create(
        customer=customer,
        at=now,
        from_state=customer.state,
        to_state=state,
        reason=said,
        **signed_by(actor),
    )
    customer.state = state
    customer.store("state", "activated_at", "closed_at", now=now)
    fact = event(
        occurred_at=now, of_customer_id=customer.pk, reference=customer.reference
    )
    ops.emit(fact, actor=actor, changes=changes)
    return customer
