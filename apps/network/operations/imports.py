"""Imports of users from other RADIUS servers: begun, undone, thrown away, forgotten.

A worker opens the accounts in chunks: each is one transaction, with what it did in
the rows of the import, so that a killed one loses nothing and doubles nothing.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.network.enums import HoldEffect, HoldReason, ImportRowState, ImportState
from apps.network.errors import ImportNotReady
from apps.network.events import AccountImportChanged
from apps.network.models import (
    AccessAccount,
    AccountImport,
    AccountImportRow,
    SessionHistory,
    SessionLive,
    UsageHour,
)
from apps.network.operations.access import close_access, open_access
from apps.network.operations.holds import place_hold
from apps.network.operations.import_ground import (
    Ground,
    ground_of,
    profile_for,
    take_address,
)
from apps.network.operations.import_reading import CHUNK
from apps.network.rules.imports import ImportedUser
from apps.network.rules.imports.people import user_of
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from apps.ops.enums import JobState
from dotmac.core.actors import Actor, system_actor
from dotmac.core.errors import DomainError
from dotmac.core.models import open_sealed
from dotmac.core.refs import SubjectRef

# A preview that nobody decides on does not keep passwords for ever.
PREVIEW_DAYS = 7
_HELD_NOTE = "It was switched off in the server that it was imported from."


@transaction.atomic
def start_import(*, import_id: int, actor: Actor, now: datetime) -> AccountImport:
    """Open the accounts of a preview: a job, carried by `carry_import`.

    Refused when it has begun before, or was thrown away, or has nothing to import.
    """
    batch = _in_state(import_id, ImportState.PREVIEW)
    ready = batch.rows.filter(state=ImportRowState.READY).count()
    if ready == 0:
        raise ImportNotReady("None of its users can be imported.")
    return _begin(batch, ImportState.RUNNING, ready, actor=actor, now=now)


@transaction.atomic
def undo_import(*, import_id: int, actor: Actor, now: datetime) -> AccountImport:
    """Close the accounts that the import opened and nobody ever used: a job.

    One that had a session or usage stays, and its row says so. Refused until the
    import is done.
    """
    batch = _in_state(import_id, ImportState.DONE)
    opened = batch.rows.filter(state=ImportRowState.OPENED).count()
    if opened == 0:
        raise ImportNotReady("It opened no account.")
    return _begin(batch, ImportState.UNDOING, opened, actor=actor, now=now)


@transaction.atomic
def discard_import(*, import_id: int, actor: Actor, now: datetime) -> AccountImport:
    """Throw a preview away, with everything that was read. Repeating changes nothing.

    Refused once its accounts are being opened.
    """
    batch = AccountImport.objects.locked().get(pk=import_id)
    if batch.state == ImportState.DISCARDED:
        return batch
    if batch.state != ImportState.PREVIEW:
        raise ImportNotReady
    batch.rows.all().delete()
    batch.state, batch.finished_at = ImportState.DISCARDED, now
    batch.store("state", "finished_at", now=now)
    _tell(batch, {"state": batch.state}, actor=actor, now=now)
    return batch


def _in_state(import_id: int, state: ImportState) -> AccountImport:
    batch = AccountImport.objects.locked().get(pk=import_id)
    if batch.state != state:
        raise ImportNotReady
    return batch


def _begin(
    batch: AccountImport, state: ImportState, total: int, *, actor: Actor, now: datetime
) -> AccountImport:
    batch.job = ops.start_job(
        kind=f"network.{'import' if state == ImportState.RUNNING else 'undo_import'}",
        subject=SubjectRef("network", "account_import", batch.pk, batch.name),
        actor=actor, now=now, total=total,
    )  # fmt: skip
    batch.state, batch.carried, batch.began_at = state, 0, now
    batch.store("state", "job", "carried", "began_at", now=now)
    _tell(batch, {"state": state, "rows": total}, actor=actor, now=now)
    return batch


def _tell(
    batch: AccountImport, changes: dict[str, Any], *, actor: Actor, now: datetime
) -> None:
    ops.emit(
        AccountImportChanged(occurred_at=now, record_id=batch.pk, label=batch.name),
        actor=actor,
        changes=changes,
    )


@transaction.atomic
def carry_import(*, now: datetime, import_id: int | None = None) -> int:
    """One chunk of the oldest import that waits for it (or of this one).

    Returns how many users the chunk had; 0 when there is nothing to do, and while
    another worker carries a chunk: two at once would wait for each other's pools, and
    make the same speed twice. What cannot be opened after all, its row says.
    """
    waiting = AccountImport.objects.locked().filter(
        state__in=(ImportState.RUNNING, ImportState.UNDOING)
    )
    if import_id is not None:
        waiting = waiting.filter(pk=import_id)
    batch = waiting.first() if _alone() else None
    if batch is None:
        return 0
    assert batch.job_id is not None
    job = ops_selectors.job_of(batch.job_id)
    if job.is_over or job.cancel_requested_at is not None:
        _finish(batch, JobState.CANCELLED, now)
        return 0
    opening = batch.state == ImportState.RUNNING
    state = ImportRowState.READY if opening else ImportRowState.OPENED
    rows = list(
        batch.rows.filter(state=state, number__gt=batch.carried).order_by("number")[
            :CHUNK
        ]
    )
    actor = system_actor(f"import {batch.pk}")
    (_open_rows if opening else _close_rows)(batch, rows, actor, now)
    if rows:
        batch.carried = rows[-1].number
        batch.store("carried", now=now)
        ops.advance_job(job_id=job.pk, now=now, done=job.done + len(rows))
    if len(rows) < CHUNK:
        _finish(batch, JobState.SUCCEEDED, now)
    return len(rows)


def _alone() -> bool:
    """Whether no other worker carries a chunk; held until commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('network_carry_import'))"
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _open_rows(
    batch: AccountImport, rows: list[AccountImportRow], actor: Actor, now: datetime
) -> None:
    ground = ground_of(profile=batch.profile, nas=batch.nas)
    for row in rows:
        user = user_of(json.loads(open_sealed(row, "facts")))
        try:
            with transaction.atomic():
                row.account = _open(user, ground, actor, now)
            row.state = ImportRowState.OPENED
        except DomainError as refusal:
            row.account, row.state = None, ImportRowState.REFUSED
            row.reason = " ".join([refusal.detail, *user.notes])
        row.facts = None  # type: ignore[assignment]
        row.store("account", "state", "reason", "facts", now=now)


def _open(
    user: ImportedUser, ground: Ground, actor: Actor, now: datetime
) -> AccessAccount:
    """The account with all that it had; raises DomainError, and then there is none."""
    homes = ground.homes(user)
    ground.require_cover(user)
    profile = profile_for(user, ground, actor=actor, now=now)
    limit = user.sessions_max
    account = open_access(
        login=user.login,
        password=user.password,
        profile_id=profile.pk,
        pool_id=ground.pool_id(user, homes),
        expires_at=user.expires_at,
        mac_lock=user.mac,
        sessions_max=None if limit == profile.sessions_max else limit,
        actor=actor,
        now=now,
    )
    for home in homes:
        take_address(home, account, actor=actor, now=now)
    if user.switched_off:
        place_hold(
            account_id=account.pk, reason=HoldReason.ADMIN, effect=HoldEffect.REJECT,
            note=_HELD_NOTE, actor=actor, now=now,
        )  # fmt: skip
    return account


def _close_rows(
    batch: AccountImport, rows: list[AccountImportRow], actor: Actor, now: datetime
) -> None:
    accounts = [row.account_id for row in rows]
    used = {
        key
        for model in (SessionLive, SessionHistory, UsageHour)
        for key in model.objects.filter(account_id__in=accounts)
        .values_list("account_id", flat=True)
        .distinct()
    }
    for row in rows:
        assert row.account_id is not None
        if row.account_id in used:
            row.reason = "It was used, and stays."
        else:
            close_access(account_id=row.account_id, actor=actor, now=now)
            row.state, row.reason = ImportRowState.CLOSED, ""
        row.store("state", "reason", now=now)


def _finish(batch: AccountImport, state: JobState, now: datetime) -> None:
    """No row waits any more: what was sealed goes, also where it was cancelled."""
    left = batch.rows.filter(state=ImportRowState.READY)
    left.update(
        state=ImportRowState.REFUSED, facts=None, updated_at=now,
        reason="The import was cancelled before its turn.",
    )  # fmt: skip
    opening = batch.state == ImportState.RUNNING
    opened = batch.rows.filter(state=ImportRowState.OPENED).count()
    undone = not opening and state == JobState.SUCCEEDED
    batch.state = ImportState.UNDONE if undone else ImportState.DONE
    batch.finished_at = now
    batch.store("state", "finished_at", now=now)
    assert batch.job_id is not None
    if not ops_selectors.job_of(batch.job_id).is_over:
        ops.finish_job(
            job_id=batch.job_id, state=state, now=now, result={"open": opened}
        )
    _tell(
        batch, {"state": batch.state, "open": opened},
        actor=system_actor(f"import {batch.pk}"), now=now,
    )  # fmt: skip


@transaction.atomic
def forget_imports(*, before: datetime, now: datetime) -> int:
    """Throw away previews that nobody decided on in PREVIEW_DAYS days, and the rows of
    imports that ended before `before`. Returns how many imports it was.

    Accounts stay as they are. Repeating it changes nothing.
    """
    stale = AccountImport.objects.filter(
        state=ImportState.PREVIEW, created_at__lt=now - timedelta(days=PREVIEW_DAYS)
    )
    keys = list(stale.order_by("pk").values_list("pk", flat=True))
    for key in keys:
        discard_import(import_id=key, actor=system_actor("network"), now=now)
    over = AccountImport.objects.locked().filter(
        finished_at__lt=before, rows__isnull=False
    )
    ended = set(over.values_list("pk", flat=True))
    AccountImportRow.objects.filter(batch_id__in=ended).delete()
    return len(keys) + len(ended)
