"""Two numbers for one customer: merged, and taken apart again.

The survivor takes over what identity and the apps above say moves; the duplicate
is closed and points to it. Money stays where it was booked (decision 0056).
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from apps.identity import events
from apps.identity.enums import CustomerState
from apps.identity.errors import (
    CannotBeMerged,
    CannotBeUnmerged,
    CustomerClosed,
    CustomerErased,
    CustomerMerged,
    PossibleDuplicate,
)
from apps.identity.models import Customer, CustomerMerge, CustomerTurn
from apps.identity.models.signed import signed_by
from apps.identity.operations.files import forget_copies_of
from apps.identity.operations.lifecycle import reason_of
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.merging import Pair
from dotmac.core.participants import movers_of

_KIND = "identity.customer"


@transaction.atomic
def merge_customers(
    *,
    duplicate_id: int,
    survivor_id: int,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> CustomerMerge:
    """The survivor takes over what belongs to the duplicate, which is closed.

    Refused for one and the same, for a closed or erased survivor, across a family's
    levels, and with `cannot_be_merged` while an app speaks against it (money is
    open). Repeating it changes nothing.
    """
    if duplicate_id == survivor_id:
        raise InvalidInput("A customer is no duplicate of itself.", field="duplicate")
    duplicate, survivor = _both(duplicate_id, survivor_id)
    if duplicate.merged_into_id == survivor_id:
        return CustomerMerge.objects.get(duplicate=duplicate, undone_at=None)
    _refuse(duplicate, survivor)
    pair = Pair(
        duplicate_id=duplicate_id, survivor_id=survivor_id, actor=actor, now=now
    )
    _refuse_objections(pair)

    merge = CustomerMerge.objects.create(
        duplicate=duplicate,
        survivor=survivor,
        at=now,
        reason=reason_of(reason),
        duplicate_state=duplicate.state,
        survivor_state=survivor.state,
        moving_xid=_this_transaction(),
        **signed_by(actor),
    )
    merge.moved = {app: dict(mover.move(pair)) for app, mover in movers_of(_KIND)}
    merge.save(update_fields=["moved"])
    duplicate.refresh_from_db()
    duplicate.merged_into = survivor
    duplicate.closed_at = duplicate.closed_at or now
    words = f"Merged into {survivor.reference}"
    _turn(duplicate, CustomerState.CLOSED, words, actor=actor, now=now)
    duplicate.store("merged_into", "state", "closed_at", now=now)
    _tell(events.CustomersMerged, duplicate, survivor, actor=actor, now=now)
    return merge


@transaction.atomic
def undo_merge(*, merge_id: int, actor: Actor, now: datetime) -> CustomerMerge:
    """Both are what they were; what came since stays where it is.

    Refused when one of them was erased or merged on, and when another customer has
    the duplicate's address or number by now, or its family has grown too deep.
    Copies of the data of either go. Repeating it changes nothing.
    """
    found = CustomerMerge.objects.filter(pk=merge_id).first()
    if found is None:
        raise NotFound
    duplicate, survivor = _both(found.duplicate_id, found.survivor_id)
    merge = CustomerMerge.objects.get(pk=merge_id)
    if merge.undone_at is not None:
        return merge
    _refuse_back(duplicate, survivor)

    merge.undone_at, merge.undone_by = now, actor.label[:200]
    merge.moving_xid = _this_transaction()
    merge.save(update_fields=["undone_at", "undone_by", "moving_xid"])
    _turn_back(merge, duplicate, survivor, actor=actor, now=now)
    pair = Pair(
        duplicate_id=duplicate.pk, survivor_id=survivor.pk, actor=actor, now=now
    )
    for app, mover in movers_of(_KIND):
        mover.give_back(pair, merge.moved.get(app, {}))
    # A copy tells of both, and either's people could still open it.
    for customer in (duplicate, survivor):
        forget_copies_of(customer.pk, actor, now)
    _tell(events.CustomersUnmerged, duplicate, survivor, actor=actor, now=now)
    return merge


def _both(duplicate_id: int, survivor_id: int) -> tuple[Customer, Customer]:
    """Both customers, held in the order of their keys."""
    rows = Customer.objects.locked().filter(pk__in=(duplicate_id, survivor_id))
    found = {row.pk: row for row in rows}
    if survivor_id not in found:
        raise NotFound
    if duplicate_id not in found:
        raise InvalidInput("There is no such customer.", field="duplicate")
    return found[duplicate_id], found[survivor_id]


def _refuse(duplicate: Customer, survivor: Customer) -> None:
    for customer in (duplicate, survivor):
        if customer.erased_at is not None:
            raise CustomerErased
    if duplicate.merged_into_id is not None:
        raise CustomerMerged
    if survivor.state == CustomerState.CLOSED:
        raise CustomerClosed
    if duplicate.pk in _above(survivor) or survivor.pk in _above(duplicate):
        raise CannotBeMerged(
            "One of them belongs below the other. Take it out of there first.",
            objections=[],
        )


def _above(customer: Customer) -> set[int]:
    """The keys of all parents; a trigger keeps the tree eight deep at most."""
    keys: set[int] = set()
    parent = customer.parent
    while parent is not None:
        keys.add(parent.pk)
        parent = parent.parent
    return keys


def _refuse_objections(pair: Pair) -> None:
    objections = [
        sentence
        for _app, mover in movers_of(_KIND)
        if mover.objections is not None
        for sentence in mover.objections(pair)
    ]
    if objections:
        raise CannotBeMerged(" ".join(objections), objections=objections)


def _refuse_back(duplicate: Customer, survivor: Customer) -> None:
    objections = []
    if duplicate.erased_at is not None or survivor.erased_at is not None:
        objections.append("The person was erased since; nothing can be given back.")
    if survivor.merged_into_id is not None:
        objections.append(
            f"{survivor.reference} was merged on since. Undo that merge first."
        )
    if objections:
        raise CannotBeUnmerged(" ".join(objections), objections=objections)


def _turn_back(
    merge: CustomerMerge,
    duplicate: Customer,
    survivor: Customer,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """States as before; what services say since, the apps above put right after."""
    words = "The merge was undone"
    duplicate.merged_into = None
    if merge.duplicate_state != CustomerState.CLOSED:
        duplicate.closed_at = None
    _turn(duplicate, merge.duplicate_state, words, actor=actor, now=now)
    taken = PossibleDuplicate("Another customer has its address or number by now.")
    with refusing(
        identity_customer_email_once=lambda: taken,
        identity_customer_phone_once=lambda: taken,
    ):
        duplicate.store("merged_into", "state", "closed_at", now=now)
    # Services that came made it active, or dormant when they ended meanwhile.
    if survivor.state in {CustomerState.ACTIVE, CustomerState.DORMANT}:
        _turn(survivor, merge.survivor_state, words, actor=actor, now=now)
        if survivor.activated_at == merge.at:
            survivor.activated_at = None
        survivor.store("state", "activated_at", now=now)


def _turn(
    customer: Customer, state: str, reason: str, *, actor: Actor, now: datetime
) -> None:
    """Write the line of history and set the state; the caller stores it."""
    if customer.state == state:
        return
    CustomerTurn.objects.create(
        customer=customer,
        at=now,
        from_state=customer.state,
        to_state=state,
        reason=reason,
        **signed_by(actor),
    )
    customer.state = state


def _this_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _tell(
    kind: type[events.MergeEvent],
    duplicate: Customer,
    survivor: Customer,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """A fact of each of the two: whoever follows one of them hears of it."""
    for mine, other in ((survivor, duplicate), (duplicate, survivor)):
        fact = kind(
            occurred_at=now,
            of_customer_id=mine.pk,
            reference=mine.reference,
            survivor_id=survivor.pk,
            other_reference=other.reference,
        )
        ops.emit(fact, actor=actor)
