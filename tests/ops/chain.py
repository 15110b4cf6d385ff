"""What tests of the audit chain share: writing, finding, and forging."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.ops import operations
from apps.ops.models import AuditLink
from dotmac.core.actors import system_actor
from dotmac.core.refs import SubjectRef

ACTOR = system_actor("tests")
ENTRIES = 12


def write(count=1, **facts):
    with transaction.atomic():
        for number in range(count):
            operations.record(
                action=f"tests.number_{number}",
                subject=SubjectRef("tests", "lamp", number, "Lämp, 3:x"),
                actor=ACTOR,
                now=timezone.now(),
                changes={"lit": [False, True], "note": f"n {number}"},
                **facts,
            )


def findings():
    result = operations.verify_audit(now=timezone.now())
    return [(finding.kind, finding.sequence) for finding in result.findings]


def entry_at(sequence):
    return AuditLink.objects.get(sequence=sequence).pk


INSERT = """
    INSERT INTO ops_auditentry (recorded_at, occurred_at, action, changes, request_id,
        address, actor_kind, actor_label, subject_app, subject_kind, subject_id,
        subject_label)
    VALUES (now(), now(), 'tests.late', '{}', '', '', 'system', 't', 't', 't', 1, '')
    RETURNING id
"""


def rehash(owner, start):
    """What somebody does who knows the format and owns the tables."""
    rows = owner.execute(
        "SELECT stream, sequence, entry_id FROM ops_auditlink WHERE sequence >= %s"
        " ORDER BY sequence",
        [start],
    ).fetchall()
    for name, sequence, entry_id in rows:
        owner.execute(
            "UPDATE ops_auditlink SET hash = ops_audit_hash(coalesce("
            " (SELECT hash FROM ops_auditlink WHERE stream = %(s)s AND sequence ="
            "  %(n)s - 1), ops_audit_genesis(%(s)s, '')), %(s)s, %(n)s, a)"
            " FROM ops_auditentry a WHERE a.id = entry_id AND entry_id = %(id)s",
            {"s": name, "n": sequence, "id": entry_id},
        )
