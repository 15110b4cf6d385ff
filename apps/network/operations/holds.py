"""Holds: why an account may not connect freely. Nobody stores "suspended"."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.network.enums import HoldEffect, HoldReason
from apps.network.errors import AccountClosed
from apps.network.events import HoldLifted, HoldPlaced
from apps.network.models import AccessAccount, AccessHold
from apps.network.operations.checks import one_of
from apps.network.operations.disconnects import tell_edge
from apps.network.rules.effects import edge_act
from apps.network.selectors.state import access_state
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput

NOTE_MAX = 500


@transaction.atomic
def place_hold(
    *, account_id: int, reason: str, effect: str, note: str = "", actor: Actor,
    now: datetime,
) -> AccessHold:  # fmt: skip
    """Hold the account for one reason; other reasons keep their own holds.

    The same hold twice changes nothing; another effect for the same reason
    replaces it. Where the strictest effect changes, running sessions are ended
    (or slowed) by rows that go out a few seconds later.
    """
    one_of("reason", reason, HoldReason.values)
    one_of("effect", effect, HoldEffect.values)
    if len(note) > NOTE_MAX:
        raise InvalidInput(f"At most {NOTE_MAX} characters.", field="note")
    account = AccessAccount.objects.locked().get(pk=account_id)
    open_hold = _open_hold(account, reason)
    if open_hold is not None and open_hold.effect == effect:
        return open_hold
    if account.closed_at is not None:
        raise AccountClosed(login=account.login)

    before = access_state(account.pk, at=now)
    if open_hold is not None:
        open_hold.lifted_at = max(now, open_hold.placed_at)
        open_hold.store("lifted_at", now=now)
    hold = AccessHold.objects.create(
        account=account, reason=reason, effect=effect, note=note, placed_at=now
    )
    _tell(account, before.effect, actor=actor, now=now, why=f"hold placed: {reason}")
    ops.emit(
        HoldPlaced(
            occurred_at=now, account_id=account.pk, login=account.login,
            reason=reason, effect=effect,
        ),
        actor=actor,
        changes={"reason": reason, "effect": effect, "noted": bool(note)},
    )  # fmt: skip
    return hold


@transaction.atomic
def lift_hold(
    *, account_id: int, reason: str, actor: Actor, now: datetime
) -> AccessHold | None:
    """Lift the hold of one reason, and never that of another.

    Returns the lifted hold, or None when there was none: repeating is harmless.
    """
    one_of("reason", reason, HoldReason.values)
    account = AccessAccount.objects.locked().get(pk=account_id)
    hold = _open_hold(account, reason)
    if hold is None:
        return None

    before = access_state(account.pk, at=now)
    hold.lifted_at = max(now, hold.placed_at)
    hold.store("lifted_at", now=now)
    _tell(account, before.effect, actor=actor, now=now, why=f"hold lifted: {reason}")
    ops.emit(
        HoldLifted(
            occurred_at=now, account_id=account.pk, login=account.login, reason=reason
        ),
        actor=actor,
    )
    return hold


def _open_hold(account: AccessAccount, reason: str) -> AccessHold | None:
    return AccessHold.objects.filter(
        account=account, reason=reason, lifted_at=None
    ).first()


def _tell(
    account: AccessAccount, before: str, *, actor: Actor, now: datetime, why: str
) -> None:
    after = access_state(account.pk, at=now).effect
    tell_edge(
        edge_act(before=before, after=after),
        account_id=account.pk, actor=actor, now=now, reason=why,
    )  # fmt: skip
