from apps.ops.models.audit import (
    AccessDenial,
    AuditCheck,
    AuditEntry,
    AuditLink,
    AuditPending,
)
from apps.ops.models.idempotency import IdempotencyKey
from apps.ops.models.installation import Installation, IntegrityResult
from apps.ops.models.job import Job
from apps.ops.models.message import Message
from apps.ops.models.outbox import OutboxEvent, OutboxSubject

__all__ = [
    "AccessDenial",
    "AuditCheck",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "IdempotencyKey",
    "Installation",
    "IntegrityResult",
    "Job",
    "Message",
    "OutboxEvent",
    "OutboxSubject",
]
