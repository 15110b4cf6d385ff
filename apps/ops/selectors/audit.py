"""The audit chain as people see it: where an entry stands, and whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from apps.ops.enums import AuditCheckKind
from apps.ops.models import AuditCheck, AuditPending

PENDING_COUNT_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """pending | chained | verified | broken, with its place and when it was read."""

    word: str
    stream: str = ""
    sequence: int = 0
    hash: str = ""
    chained_at: datetime | None = None
    verified_at: datetime | None = None


PENDING = ChainState(word="pending")


def latest_verification() -> AuditCheck | None:
    return _newest(AuditCheckKind.VERIFIED)


def latest_anchor() -> AuditCheck | None:
    return _newest(AuditCheckKind.ANCHORED)


def _newest(kind: AuditCheckKind) -> AuditCheck | None:
    return AuditCheck.objects.filter(kind=kind).order_by("-pk").first()


def pending_count() -> int:
    """Entries that wait for their place, at most PENDING_COUNT_MAX of them."""
    return AuditPending.objects.all()[:PENDING_COUNT_MAX].count()


def chained_count() -> int:
    """All links: the sum of the streams' lengths."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(top), 0) FROM (SELECT max(sequence) AS top"
            " FROM ops_auditlink GROUP BY stream) streams"
        )
        return int(cursor.fetchone()[0])


def chain_states(entry_ids: Sequence[int]) -> dict[int, ChainState]:
    """The state of each entry, its hash computed again now. Two statements."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [list(entry_ids)])
        rows = cursor.fetchall()
    check = latest_verification()
    return {row[0]: _state(row, check) for row in rows}


def with_chain(entries: list[Any]) -> list[Any]:
    """The entries with their state in the chain, two statements for all."""
    states = chain_states([entry.pk for entry in entries])
    for entry in entries:
        entry.chain = states.get(entry.pk, PENDING)
    return entries


_STATES = """
    SELECT l.entry_id, l.stream, l.sequence, l.hash, l.chained_at,
           ops_audit_hash(coalesce(b.hash, ops_audit_genesis(l.stream, coalesce(
               (SELECT hash FROM ops_auditlink o WHERE o.stream < l.stream
                 ORDER BY o.stream DESC, o.sequence DESC LIMIT 1), ''::bytea))),
               l.stream, l.sequence, a) = l.hash
           AND (l.sequence = 1 OR b.hash IS NOT NULL)
      FROM ops_auditlink l JOIN ops_auditentry a ON a.id = l.entry_id
      LEFT JOIN ops_auditlink b
        ON b.stream = l.stream AND b.sequence = l.sequence - 1
     WHERE l.entry_id = ANY (%s)
"""


def _state(row: Sequence[Any], check: AuditCheck | None) -> ChainState:
    stream, sequence, digest, chained_at, fits = row[1:]
    place = (stream, sequence)
    word, verified_at = "chained", None
    if not fits or _was_found(check, place):
        word = "broken"
    elif check is not None and check.good and place <= (check.stream, check.sequence):
        word, verified_at = "verified", check.checked_at
    return ChainState(
        word=word,
        stream=place[0],
        sequence=place[1],
        hash=bytes(digest).hex(),
        chained_at=chained_at,
        verified_at=verified_at,
    )


def _was_found(check: AuditCheck | None, place: tuple[str, int]) -> bool:
    """The latest verification named exactly this link."""
    if check is None or check.good:
        return False
    return any((f["stream"], f["sequence"]) == place for f in check.findings)
