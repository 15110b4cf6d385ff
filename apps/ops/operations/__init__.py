"""What ops does for the apps above, in the order in which a request meets it."""

from apps.ops.operations.audit import record
from apps.ops.operations.business_date import set_business_date
from apps.ops.operations.chain import anchor_audit, chain_audit
from apps.ops.operations.denials import (
    record_denial,
    record_noted,
    settle_denials,
)
from apps.ops.operations.idempotency import (
    Replay,
    claim_idempotency_key,
    forget_idempotency_keys,
    store_answer,
)
from apps.ops.operations.integrity import IntegrityFinding, check_integrity
from apps.ops.operations.jobs import (
    advance_job,
    cancel_job,
    finish_job,
    start_job,
)
from apps.ops.operations.keys import (
    Resealed,
    add_key,
    finish_reseal,
    promote_key,
    reseal_chunk,
    retire_key,
    start_reseal,
)
from apps.ops.operations.messages import (
    claim_messages,
    forget_messages,
    resend_message,
    send_message,
    settle_message,
)
from apps.ops.operations.outbox import (
    acknowledge_failure,
    acknowledge_unheard,
    claim_subjects,
    deliver_next,
    emit,
    emit_many,
    mark_published,
    release_subject,
    retry_event,
)
from apps.ops.operations.verification import (
    AuditFinding,
    AuditVerification,
    verify_audit,
)

__all__ = [
    "AuditFinding",
    "AuditVerification",
    "IntegrityFinding",
    "Replay",
    "Resealed",
    "acknowledge_failure",
    "acknowledge_unheard",
    "add_key",
    "advance_job",
    "anchor_audit",
    "cancel_job",
    "chain_audit",
    "check_integrity",
    "claim_idempotency_key",
    "claim_messages",
    "claim_subjects",
    "deliver_next",
    "emit",
    "emit_many",
    "finish_job",
    "finish_reseal",
    "forget_idempotency_keys",
    "forget_messages",
    "mark_published",
    "promote_key",
    "record",
    "record_denial",
    "record_noted",
    "release_subject",
    "reseal_chunk",
    "resend_message",
    "retire_key",
    "retry_event",
    "send_message",
    "set_business_date",
    "settle_denials",
    "settle_message",
    "start_job",
    "start_reseal",
    "store_answer",
    "verify_audit",
]
