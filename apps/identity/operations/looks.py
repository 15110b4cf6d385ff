"""Seeing what a customer sees: begun with a reason, short, told to the customer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity.models import Customer, PortalLook
from apps.identity.models.look import LOOK_LASTS
from apps.identity.models.signed import signed_by
from apps.identity.operations.customers import subject_of
from apps.ops import operations as ops
from dotmac.core.actors import Actor, ActorKind, system_actor
from dotmac.core.errors import InvalidInput, NotFound

ENDED_AT_ONCE_MAX = 500
REASON_CHARACTERS_MAX = 200


@transaction.atomic
def begin_look(
    *, customer_id: int, reason: str, actor: Actor, now: datetime
) -> PortalLook:
    """Let the staff member's own session read the customer's portal for a while.

    The customer sees in his portal who looked, when and why. A look that the
    session has open already ends first.
    """
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    said = " ".join(reason.split())
    if not said or len(said) > REASON_CHARACTERS_MAX:
        raise InvalidInput("Say why; the customer will read it.", field="reason")
    if actor.kind != ActorKind.STAFF or actor.session_id is None:
        raise InvalidInput("Only a signed-in member of staff can look.")

    _end(PortalLook.objects.filter(session_id=actor.session_id), actor, now)
    look = PortalLook.objects.create(
        customer=customer,
        session_id=actor.session_id,
        reason=said,
        started_at=now,
        ends_at=now + LOOK_LASTS,
        **signed_by(actor),
    )
    _record("begin_look", look, actor, now)
    return look


@transaction.atomic
def end_look(*, actor: Actor, now: datetime) -> int:
    """End what this session has open; how many that were (0 or 1). Repeatable."""
    if actor.session_id is None:
        return 0
    return _end(PortalLook.objects.filter(session_id=actor.session_id), actor, now)


@transaction.atomic
def end_looks(*, now: datetime) -> int:
    """End the looks whose time is over; the last page of each was before."""
    over = PortalLook.objects.filter(ends_at__lte=now)
    return _end(over, system_actor("looks"), now)


def _end(rows: object, actor: Actor, now: datetime) -> int:
    open_looks = list(
        PortalLook.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=rows.values("pk"), ended_at=None)  # type: ignore[attr-defined]
        .select_related("customer")
        .order_by("pk")[:ENDED_AT_ONCE_MAX]
    )
    for look in open_looks:
        look.ended_at = min(now, look.ends_at)
        look.save(update_fields=["ended_at"])
        _record("end_look", look, actor, now)
    return len(open_looks)


def _record(verb: str, look: PortalLook, actor: Actor, now: datetime) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=subject_of(look.customer),
        actor=actor,
        now=now,
        changes={"look": look.pk, "by": look.actor_label},
        customer_id=look.customer_id,
    )
