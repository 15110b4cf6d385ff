"""Changing a NAS's secret: proposed, switched at a chosen minute, proved or taken back.

RADIUS knows of each step within the lifetime of its client entry (15 seconds).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from apps.network.enums import NasSecretState
from apps.network.errors import NoSecretChange, SecretChangeOpen, SecretConfirmed
from apps.network.events import (
    NasSecretConfirmed,
    NasSecretProposed,
    NasSecretRolledBack,
    NasSecretScheduled,
)
from apps.network.models import Nas, NasSecret
from apps.ops import operations as ops
from dotmac.core.actors import Actor, system_actor
from dotmac.core.db import next_ids
from dotmac.core.errors import InvalidInput
from dotmac.core.models import open_sealed, seal_into

SECRET_OCTETS = 24
# A switch that is meant for now may have been a moment in coming.
_LATE = timedelta(minutes=1)
_AHEAD_MAX = timedelta(days=90)
ROLL_BACK_MIN, ROLL_BACK_MAX = 1, 7 * 24 * 60
SETTLE_MAX = 100


def new_secret() -> str:
    """32 characters that every device can be given."""
    return secrets.token_urlsafe(SECRET_OCTETS)


def next_version(nas: Nas) -> int:
    """A version that no secret of the (locked) NAS has had."""
    highest = NasSecret.objects.filter(nas=nas).aggregate(highest=Max("version"))
    return max(nas.secret_version, highest["highest"] or 0) + 1


@transaction.atomic
def propose_nas_secret(
    *, nas_id: int, actor: Actor, now: datetime
) -> tuple[NasSecret, str]:
    """Make another secret, and tell it: this is the only time that it is told.

    Nothing changes for the NAS yet. Raises SecretChangeOpen while another one waits.
    """
    nas = Nas.objects.locked().get(pk=nas_id)
    refuse_while_changing(nas)
    clear = new_secret()
    row = NasSecret(id=next_ids(NasSecret)[0], nas=nas, version=next_version(nas))
    seal_into(row, "secret", clear)
    row.save(force_insert=True)
    ops.emit(
        NasSecretProposed(occurred_at=now, record_id=nas.pk, label=nas.name),
        actor=actor,
        changes={"secret": ["***", "***"]},
    )
    return row, clear


def refuse_while_changing(nas: Nas) -> None:
    """Raises SecretChangeOpen while a secret of the (locked) NAS waits."""
    if NasSecret.objects.filter(nas=nas).open().exists():
        raise SecretChangeOpen


@transaction.atomic
def schedule_nas_secret(
    *,
    nas_id: int,
    switch_at: datetime,
    roll_back_after_min: int | None = None,
    actor: Actor,
    now: datetime,
) -> NasSecret:
    """Say when the proposed secret begins to count; may be said anew until then.

    `roll_back_after_min`: so many minutes later the old one counts again, unless a
    packet of the NAS proved the new one. None: only a person takes it back.
    Raises NoSecretChange, SecretChangeOpen after the switch, InvalidInput.
    """
    if not now - _LATE <= switch_at <= now + _AHEAD_MAX:
        raise InvalidInput(
            "Choose a time from now on, within 90 days.", field="switch_at"
        )
    after = roll_back_after_min
    if after is not None and not ROLL_BACK_MIN <= after <= ROLL_BACK_MAX:
        raise InvalidInput(
            f"From {ROLL_BACK_MIN} to {ROLL_BACK_MAX} minutes.",
            field="roll_back_after_min",
        )
    nas, row = _locked(nas_id)
    if row.state != NasSecretState.PROPOSED and not (
        row.state == NasSecretState.SCHEDULED and row.switch_at > now  # type: ignore[operator]
    ):
        raise SecretChangeOpen("The NAS was switched to it already.")
    row.state = NasSecretState.SCHEDULED
    row.switch_at = max(switch_at, now)
    row.roll_back_at = (
        None if after is None else row.switch_at + timedelta(minutes=after)
    )
    row.store("state", "switch_at", "roll_back_at", now=now)
    nas.secret_awaits = row.version
    nas.store("secret_awaits", now=now)
    ops.emit(
        NasSecretScheduled(occurred_at=now, record_id=nas.pk, label=nas.name),
        actor=actor,
        changes={"switch_at": row.switch_at.isoformat(), "roll_back_after_min": after},
    )
    return row


@transaction.atomic
def roll_back_nas_secret(*, nas_id: int, actor: Actor, now: datetime) -> NasSecret:
    """Take it back, whether it was switched to or not: the old secret counts.

    Raises NoSecretChange, and SecretConfirmed when the NAS has shown that it has it.
    """
    nas, row = _locked(nas_id)
    if row.state == NasSecretState.CONFIRMED:
        raise SecretConfirmed
    _roll_back(nas, row, actor=actor, now=now, why="by hand")
    return row


@transaction.atomic
def settle_nas_secrets(*, now: datetime) -> int:
    """Write down what has come to pass; returns of how many NASes.

    What a packet proved becomes the NAS's own secret. What nothing proved in time is
    taken back: by its time it does not count already. Repeating it is safe.
    """
    waiting = NasSecret.objects.filter(state=NasSecretState.CONFIRMED)
    late = NasSecret.objects.filter(
        state=NasSecretState.SCHEDULED, roll_back_at__lte=now
    )
    found = (waiting | late).order_by("nas_id")
    actor, settled = system_actor("network"), 0
    for nas_id in list(found.values_list("nas_id", flat=True)[:SETTLE_MAX]):
        try:
            nas, row = _locked(nas_id)
        except NoSecretChange:  # somebody else was faster
            continue
        if row.state == NasSecretState.CONFIRMED:
            _take_over(nas, row, actor=actor, now=now)
        elif row.roll_back_at is not None and row.roll_back_at <= now:
            _roll_back(nas, row, actor=actor, now=now, why="silence")
        else:  # another time was chosen meanwhile
            continue
        settled += 1
    return settled


def _locked(nas_id: int) -> tuple[Nas, NasSecret]:
    """The NAS before its secret, always: a RADIUS packet locks only the latter."""
    nas = Nas.objects.locked().get(pk=nas_id)
    open_ones = NasSecret.objects.filter(nas=nas).open()
    row = open_ones.select_for_update(no_key=True).first()
    if row is None:
        raise NoSecretChange
    return nas, row


def _take_over(nas: Nas, row: NasSecret, *, actor: Actor, now: datetime) -> None:
    seal_into(nas, "secret", open_sealed(row, "secret"))
    nas.secret_version, nas.secret_awaits = row.version, None
    nas.store("secret", "secret_index", "secret_version", "secret_awaits", now=now)
    _end(row, NasSecretState.IN_USE, now)
    ops.emit(
        NasSecretConfirmed(occurred_at=now, record_id=nas.pk, label=nas.name),
        actor=actor,
        changes={"secret": ["***", "***"]},
    )


def _roll_back(
    nas: Nas, row: NasSecret, *, actor: Actor, now: datetime, why: str
) -> None:
    _end(row, NasSecretState.ROLLED_BACK, now)
    nas.secret_awaits = None
    nas.store("secret_awaits", now=now)
    ops.emit(
        NasSecretRolledBack(occurred_at=now, record_id=nas.pk, label=nas.name),
        actor=actor,
        changes={"why": why},
    )


def _end(row: NasSecret, state: NasSecretState, now: datetime) -> None:
    """Nothing is kept of a secret here once it is over."""
    row.state, row.ended_at = state, now
    row.secret = None  # type: ignore[assignment]
    row.store("state", "secret", "ended_at", now=now)
