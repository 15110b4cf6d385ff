"""Run every registered invariant and keep what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.ops.models import IntegrityResult
from apps.ops.operations.audit import record
from dotmac.core.actors import Actor
from dotmac.core.invariants import Invariant, all_invariants
from dotmac.core.refs import SubjectRef

SAMPLE_MAX = 20
# The installation's data as a whole: there is no row to name.
_DATA = SubjectRef("ops", "integrity", 0, "All invariants")


@dataclass(frozen=True, slots=True)
class IntegrityFinding:
    """One invariant and the rows that break it (a sample of SAMPLE_MAX)."""

    invariant: Invariant
    offending: int
    sample: list[dict[str, Any]]


@transaction.atomic
def check_integrity(*, actor: Actor, now: datetime) -> list[IntegrityFinding]:
    """Evaluate all invariants on one snapshot and store a result for each."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    findings = [_evaluate(invariant) for invariant in all_invariants()]
    IntegrityResult.objects.bulk_create(
        IntegrityResult(
            run_at=now,
            name=finding.invariant.name,
            says=finding.invariant.says,
            offending=finding.offending,
            sample=finding.sample,
        )
        for finding in findings
    )
    broken = [finding.invariant.name for finding in findings if finding.offending]
    record(
        action="ops.integrity.checked",
        subject=_DATA,
        actor=actor,
        now=now,
        changes={"statements": len(findings), "broken": broken},
    )
    return findings


def _evaluate(invariant: Invariant) -> IntegrityFinding:
    with connection.cursor() as cursor:
        # The query is a constant of our own code, not input.
        cursor.execute(
            f"SELECT count(*) OVER (), to_jsonb(found) FROM ({invariant.sql}) found"  # noqa: S608
            " LIMIT %s",  # nosec B608
            [SAMPLE_MAX],
        )
        rows = cursor.fetchall()
    sample = [json.loads(row[1]) if isinstance(row[1], str) else row[1] for row in rows]
    return IntegrityFinding(invariant, rows[0][0] if rows else 0, sample)
