"""Reading the whole audit chain again, and comparing it with the anchors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from apps.ops.enums import AuditCheckKind
from apps.ops.gateways.anchors import AnchorFile, read_anchors, read_keys
from apps.ops.models import AuditCheck, AuditLink

PAGE_MAX = 20_000
FINDINGS_MAX = 50
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """What is wrong, and the first row where it shows."""

    kind: str
    says: str
    stream: str = ""
    sequence: int = 0
    entry_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerification:
    """How much was read, and what was found: nothing when all is well."""

    rows: int
    stream: str
    sequence: int
    findings: list[AuditFinding]
    anchors: int

    @property
    def good(self) -> bool:
        return not self.findings


def verify_audit(
    *, now: datetime, progress: Progress | None = None
) -> AuditVerification:
    """Compute every hash again on one snapshot and keep the result.

    Finds what was edited, deleted, inserted or swapped by somebody whom the
    database could not stop (its owner), and, by the anchors, a tail that was
    cut or written anew. Must not run inside a transaction.
    """
    files = read_anchors(settings.AUDIT_ANCHOR_DIR, read_keys(settings.AUDIT_KEY_PATH))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        result = _verify(files, progress or _silent)
    AuditCheck.objects.create(
        kind=AuditCheckKind.VERIFIED,
        checked_at=now,
        stream=result.stream,
        sequence=result.sequence,
        rows=result.rows,
        good=result.good,
        findings=[asdict(finding) for finding in result.findings],
    )
    return result


def _silent(_: int) -> None:
    return None


def _verify(files: list[AnchorFile], progress: Progress) -> AuditVerification:
    rows, findings, head, last = 0, list[AuditFinding](), b"", ("", 0)
    for stream, sequence in _streams():
        before = _value("SELECT ops_audit_genesis(%s, %s)", [stream, head])
        for start in range(1, sequence + 1, PAGE_MAX):
            end = min(start + PAGE_MAX - 1, sequence)
            found, before, count = _page(stream, start, end, bytes(before))
            findings += found
            rows += count
            progress(rows)
        head, last = bytes(before), (stream, sequence)
    findings += _unchained()
    findings += _against_anchors(files)
    return AuditVerification(
        rows=rows,
        stream=last[0],
        sequence=last[1],
        findings=findings[:FINDINGS_MAX],
        anchors=len(files),
    )


def _streams() -> list[tuple[str, int]]:
    """Each stream and its greatest sequence, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stream, max(sequence) FROM ops_auditlink GROUP BY 1 ORDER BY 1"
        )
        found: list[tuple[str, int]] = cursor.fetchall()
    return found


def _value(query: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        row = cursor.fetchone()
    return row[0] if row else None


_ROWS = """
    WITH links AS (
        SELECT sequence, entry_id, hash,
               coalesce(lag(hash) OVER w, %(before)s) AS before,
               coalesce(lag(sequence) OVER w, %(start)s - 1) AS earlier
          FROM ops_auditlink
         WHERE stream = %(stream)s AND sequence BETWEEN %(start)s AND %(end)s
        WINDOW w AS (ORDER BY sequence)
    ), judged AS (
        SELECT l.*, a.id IS NULL AS gone,
               CASE WHEN a.id IS NOT NULL THEN
                   ops_audit_hash(l.before, %(stream)s, l.sequence, a) = l.hash
               END AS fits
          FROM links l LEFT JOIN ops_auditentry a ON a.id = l.entry_id
    )
"""
_COUNT = """
    SELECT count(*), count(*) FILTER (WHERE fits AND earlier = sequence - 1),
           coalesce(max(sequence), %(start)s - 1)
      FROM judged
"""
_WRONG = """
    SELECT sequence, earlier, entry_id, gone, coalesce(fits, false), hash, before
      FROM judged WHERE gone OR NOT fits OR earlier <> sequence - 1
     ORDER BY sequence LIMIT 3
"""


def _page(
    stream: str, start: int, end: int, before: bytes
) -> tuple[list[AuditFinding], bytes, int]:
    """Judge one page; its first findings, the hash of its last link, its rows."""
    facts: dict[str, Any] = {
        "stream": stream,
        "start": start,
        "end": end,
        "before": before,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROWS + _COUNT, facts)
        count, good, reached = cursor.fetchone()
        last = _hash_at(stream, reached) or before
        if good == end - start + 1:
            return [], last, count
        cursor.execute(_ROWS + _WRONG, facts)
        wrong = cursor.fetchall()
    if wrong:
        findings = [_judge(stream, wrong[0], wrong[1:])]
    else:
        says = f"Links {reached + 1} to {end} of {stream} are gone."
        findings = [_finding("gap", says, stream, reached + 1, None)]
    return findings, last, count


def _hash_at(stream: str, sequence: int) -> bytes | None:
    found = _value(
        "SELECT hash FROM ops_auditlink WHERE stream = %s AND sequence = %s",
        [stream, sequence],
    )
    return bytes(found) if found is not None else None


def _judge(stream: str, row: Any, others: list[Any]) -> AuditFinding:
    sequence, earlier, entry_id, gone, fits, *_ = row
    if earlier != sequence - 1:
        missing = earlier + 1
        says = f"Link {missing} of {stream} is gone."
        return _finding("gap", says, stream, missing, None)
    if gone:
        says = f"Entry {entry_id} of link {sequence} of {stream} was deleted."
        return _finding("deleted", says, stream, sequence, entry_id)
    for other in others:
        if not fits and _swapped(stream, row, other):
            says = f"Entries {entry_id} and {other[2]} of {stream} changed places."
            return _finding("swapped", says, stream, sequence, entry_id)
    says = f"Entry {entry_id} at {sequence} of {stream} is not what was recorded."
    return _finding("changed", says, stream, sequence, entry_id)


def _swapped(stream: str, row: Any, other: Any) -> bool:
    """True when the first hash fits once the other link's entry is put there."""
    found = _value(
        "SELECT ops_audit_hash(%s, %s, %s, a) = %s FROM ops_auditentry a WHERE id = %s",
        [row[6], stream, row[0], row[5], other[2]],
    )
    return bool(found)


def _unchained() -> Iterator[AuditFinding]:
    entry_id = _value(
        """SELECT min(a.id) FROM ops_auditentry a
             LEFT JOIN ops_auditlink l ON l.entry_id = a.id
             LEFT JOIN ops_auditpending p ON p.entry_id = a.id
            WHERE l.entry_id IS NULL AND p.entry_id IS NULL""",
        [],
    )
    if entry_id is not None:
        says = f"Entry {entry_id} is not in the chain and does not wait for it."
        yield _finding("inserted", says, "", 0, entry_id)


def _against_anchors(files: list[AnchorFile]) -> Iterator[AuditFinding]:
    """The chain must still hold what was signed, and no anchor may be missing."""
    digest, fitting = "", 0
    for file in files:
        if file.anchor is None:
            yield AuditFinding(kind="anchor", says=f"{file.path.name}: {file.refusal}")
            continue
        anchor = file.anchor
        if anchor.previous != digest:
            says = f"{file.path.name}: the anchor before it is gone."
            yield AuditFinding(kind="anchor", says=says)
        digest = anchor.digest
        link = AuditLink.objects.filter(
            stream=anchor.stream, sequence=anchor.sequence
        ).first()
        if link is None:
            length = _length(anchor.stream)
            says = (
                f"The chain of {anchor.stream} ends at {length}; on "
                f"{anchor.anchored_at:%Y-%m-%d} it reached {anchor.sequence}."
            )
            yield _finding("cut", says, anchor.stream, length + 1, anchor.entry_id)
            return
        if bytes(link.hash).hex() != anchor.hash:
            says = (
                f"Link {anchor.sequence} of {anchor.stream} is not the one that was "
                f"anchored: the chain was written anew after link {fitting}."
            )
            yield _finding("rewritten", says, anchor.stream, fitting + 1, link.pk)
            return
        fitting = anchor.sequence


def _length(stream: str) -> int:
    return int(
        _value(
            "SELECT coalesce(max(sequence), 0) FROM ops_auditlink WHERE stream = %s",
            [stream],
        )
    )


def _finding(
    kind: str, says: str, stream: str, sequence: int, entry_id: int | None
) -> AuditFinding:
    return AuditFinding(
        kind=kind, says=says, stream=stream, sequence=sequence, entry_id=entry_id
    )
