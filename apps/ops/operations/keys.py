"""Changing the key of everything that is sealed, while everybody works.

The steps and why their order is safe: docs/security.md, "Changing the key". Each
may be killed anywhere and called again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from apps.ops.enums import JobState
from apps.ops.errors import KeyInUse, KeyReadersBehind, KeyStepOutOfOrder
from apps.ops.models import Job
from apps.ops.operations.audit import record
from apps.ops.operations.jobs import advance_job, finish_job, start_job
from apps.ops.selectors import sealed_rows
from dotmac.core import keyfile, keyreaders
from dotmac.core.actors import Actor
from dotmac.core.crypto import Keyring, SealBroken
from dotmac.core.models import keyring
from dotmac.core.refs import SubjectRef
from dotmac.core.sealed import SealedColumn

log = structlog.get_logger(__name__)

RESEAL_CHUNK_MAX = 500
# Whoever sealed a value before the key was changed has committed by then: no
# request and no task that seals may run this long.
RETIRE_AFTER = timedelta(minutes=10)
JOB_KIND = "rotate_keys"
_KEYS = SubjectRef("ops", "installation", 1, "keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """One chunk: rows written, rows whose seal is broken, and where to go on."""

    rows: int
    broken: int
    last_id: int
    is_last: bool


def add_key(*, actor: Actor, now: datetime) -> int:
    """A new key that everybody can open with and nobody seals with yet."""
    with transaction.atomic(), _in_order():
        key_id = keyfile.add_key(_path())
        _hand_over()
        # Sessions that began before this moment may not know it. A session's
        # beginning is told by the database's clock, so the file gets its time.
        told_at = _database_clock().timestamp()
        os.utime(_path(), (told_at, told_at))
        _tell("ops.key.added", actor, now, key=key_id)
    return key_id


def promote_key(
    *, key_id: int, actor: Actor, now: datetime, readers_know: bool = False
) -> bool:
    """From now on everybody seals with this key. False when it was so already.

    Refused while a RADIUS session began before the key was added: it could not
    open what is sealed from now on. `readers_know`: a person vouches for them.
    """
    if keyring().current.id == key_id:
        return False
    if not readers_know:
        _refuse_behind()
    with transaction.atomic(), _in_order():
        promoted = keyfile.promote_key(_path(), key_id)
        _tell("ops.key.promoted", actor, now, key=key_id)
    return promoted


def retire_key(*, key_id: int, actor: Actor, now: datetime) -> bool:
    """Forget a key that no row needs. False when it is not in the file.

    Refused while a row is sealed with it, and until RETIRE_AFTER has passed since
    the file was changed: a request of before might still write such a row.
    """
    if key_id not in keyring().keys:
        return False
    if now - _changed_at() < RETIRE_AFTER:
        raise KeyInUse(
            f"The keys were changed at {_changed_at():%H:%M:%S} UTC: wait until "
            f"{_changed_at() + RETIRE_AFTER:%H:%M:%S}, so that all who used this one "
            "are done."
        )
    left = sum(found.rows.get(key_id, 0) for found in sealed_rows())
    if left:
        raise KeyInUse(f"{left} rows are still sealed with key {key_id}.", rows=left)
    with transaction.atomic(), _in_order():
        retired = keyfile.retire_key(_path(), key_id)
        _hand_over()
        _tell("ops.key.retired", actor, now, key=key_id)
    return retired


@transaction.atomic
def start_reseal(*, actor: Actor, now: datetime) -> Job:
    """The job of the rotation that is under way, or a new one."""
    running = (JobState.QUEUED, JobState.RUNNING)
    job = Job.objects.filter(kind=JOB_KIND, state__in=running).order_by("pk").last()
    current = keyring().current.id
    left = sum(
        found.other_than(current) + found.index_behind for found in sealed_rows()
    )
    if job is None:
        job = start_job(kind=JOB_KIND, subject=_KEYS, actor=actor, now=now, total=left)
    total = max(job.total, left)
    return advance_job(
        job_id=job.pk,
        now=now,
        done=total - left,
        total=total,
        message=f"Sealing with key {current}.",
    )


@transaction.atomic
def reseal_chunk(
    *, column: SealedColumn, after: int, limit: int = RESEAL_CHUNK_MAX
) -> Resealed:
    """Seal the next rows of a column with the current key.

    Rows that somebody is changing are left to the next pass. A row is written
    only as it was read, so no change of anybody is lost.
    """
    ring = keyring()
    found = _old_rows(column, ring.current.id, after, min(limit, RESEAL_CHUNK_MAX))
    fresh, broken = [], 0
    for row_id, sealed in found:
        try:
            fresh.append((row_id, sealed, *_renewed(ring, column, row_id, sealed)))
        except SealBroken:
            broken += 1
            log.critical("seal_broken", column=str(column), row=row_id)
    written = _write(column, fresh) if fresh else 0
    return Resealed(
        rows=written,
        broken=broken,
        last_id=found[-1][0] if found else after,
        is_last=len(found) < limit,
    )


@transaction.atomic
def finish_reseal(*, job_id: int, actor: Actor, now: datetime) -> Job:
    """End the job: succeeded when every row is on the current key."""
    current = keyring().current.id
    left = sum(f.other_than(current) + f.index_behind for f in sealed_rows())
    state = JobState.FAILED if left else JobState.SUCCEEDED
    error = f"{left} rows could not be sealed with key {current}." if left else ""
    _tell("ops.key.resealed", actor, now, key=current, left=left)
    return finish_job(
        job_id=job_id, state=state, now=now, error=error, result={"key": current}
    )


def _old_rows(
    column: SealedColumn, key_id: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    query = _OLD_OR_UNINDEXED if column.index else _OLD
    with connection.cursor() as cursor:
        cursor.execute(
            query.format(**_names(column)),
            {"key": key_id, "after": after, "limit": limit},
        )
        return [(row[0], bytes(row[1])) for row in cursor.fetchall()]


def _renewed(
    ring: Keyring, column: SealedColumn, row_id: int, sealed: bytes
) -> tuple[bytes, bytes | None]:
    place: Any = {"table": column.table, "column": column.field, "row_id": row_id}
    clear = ring.unseal(sealed, **place)
    index = None
    if column.index:
        index = ring.index(clear, table=column.table, column=column.index)
    return ring.seal(clear, **place), index


def _write(
    column: SealedColumn, rows: list[tuple[int, bytes, bytes, bytes | None]]
) -> int:
    query = _SEAL_AND_INDEX if column.index else _SEAL
    ids, before, sealed, indexes = (list(v) for v in zip(*rows, strict=True))
    facts = {"ids": ids, "before": before, "sealed": sealed, "indexes": indexes}
    with connection.cursor() as cursor:
        cursor.execute(query.format(**_names(column)), facts)
        return int(cursor.rowcount)


_OLD = sql.SQL("""
    SELECT id, {sealed} FROM {table}
     WHERE id > %(after)s AND get_byte({sealed}, 1) <> %(key)s
     ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
""")
_OLD_OR_UNINDEXED = sql.SQL("""
    SELECT id, {sealed} FROM {table}
     WHERE id > %(after)s AND {sealed} IS NOT NULL
       AND (get_byte({sealed}, 1) <> %(key)s OR {index} IS NULL
            OR get_byte({index}, 0) <> %(key)s)
     ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
""")
_SEAL = sql.SQL("""
    UPDATE {table} SET {sealed} = fresh.sealed
      FROM unnest(%(ids)s::bigint[], %(before)s::bytea[], %(sealed)s::bytea[])
        AS fresh(id, before, sealed)
     WHERE {table}.id = fresh.id AND {table}.{sealed} = fresh.before
""")
_SEAL_AND_INDEX = sql.SQL("""
    UPDATE {table} SET {sealed} = fresh.sealed, {index} = fresh.index
      FROM unnest(%(ids)s::bigint[], %(before)s::bytea[], %(sealed)s::bytea[],
                  %(indexes)s::bytea[]) AS fresh(id, before, sealed, index)
     WHERE {table}.id = fresh.id AND {table}.{sealed} = fresh.before
""")


def _names(column: SealedColumn) -> dict[str, sql.Identifier]:
    names = {"table": column.table, "sealed": column.field, "index": column.index}
    return {name: sql.Identifier(value) for name, value in names.items() if value}


def _refuse_behind() -> None:
    _hand_over()
    for reader in keyreaders.all_readers():
        behind = reader.behind(_changed_at())
        if behind is None:
            raise KeyReadersBehind(
                f"Whether {reader.name} knows the key cannot be seen: restart it, "
                "then say so with --readers-know."
            )
        if behind:
            raise KeyReadersBehind(
                f"{behind} sessions of {reader.name} began before the key was added.",
                sessions=behind,
            )


def _hand_over() -> None:
    for reader in keyreaders.all_readers():
        reader.hand_over(keyring())


def _path() -> Path:
    return Path(settings.ENCRYPTION_KEY_PATH)


def _changed_at() -> datetime:
    return datetime.fromtimestamp(_path().stat().st_mtime, UTC)


@contextmanager
def _in_order() -> Iterator[None]:
    """The file's own refusals, as the platform says them."""
    try:
        yield
    except keyfile.KeyStepRefused as error:
        raise KeyStepOutOfOrder(str(error)) from error


def _database_clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


def _tell(action: str, actor: Actor, now: datetime, **facts: Any) -> None:
    """Ids only: `record` would mask a fact named key, and it is none to hide."""
    shown = {"key_id" if name == "key" else name: v for name, v in facts.items()}
    record(action=action, subject=_KEYS, actor=actor, now=now, changes=shown)
