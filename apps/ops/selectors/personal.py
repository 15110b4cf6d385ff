"""What ops holds about a customer."""

from __future__ import annotations

from collections.abc import Iterable

from apps.ops.models import AuditEntry, Job, Message
from dotmac.core.personal import Held, rows_of


def held_of(customer_id: int) -> Iterable[Held]:
    """Texts that were sent, work that was done, and what the audit says was done.

    Who of the staff did it stays out of it: that is somebody else's data.
    """
    mine = {"customer_id": customer_id}
    yield Held("ops.messages", rows_of(
        Message.objects.filter(**mine), "channel", "recipient", "subject_line", "body",
        "state", "created_at", "sent_at",
    ))  # fmt: skip
    yield Held("ops.jobs", rows_of(
        Job.objects.filter(**mine), "kind", "state", "created_at", "finished_at",
    ))  # fmt: skip
    yield Held("ops.audit", rows_of(
        AuditEntry.objects.filter(**mine), "occurred_at", "action", "actor_kind",
        "subject_kind", "subject_label",
    ))  # fmt: skip
