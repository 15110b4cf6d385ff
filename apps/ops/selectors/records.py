"""Rows of ops that people may see, and a few facts about them."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from apps.ops.enums import EventState
from apps.ops.models import (
    AuditEntry,
    Installation,
    IntegrityResult,
    Job,
    Message,
    OutboxEvent,
)
from apps.ops.models.scoped import ScopedQuerySet
from dotmac.core.actors import Actor
from dotmac.core.periods import local_date
from dotmac.core.timeline import TimelineEntry, TimelineSource, Window


def business_date(*, now: datetime) -> date:
    """The civil today in the operator's zone, or later where a demo moved it."""
    today = local_date(now, settings.OPERATOR_ZONE)
    if not settings.DEMO:
        return today
    moved = Installation.objects.values_list("business_date", flat=True).first()
    return max(today, moved) if moved else today


def jobs(actor: Actor, permission: str = "ops.view_job") -> ScopedQuerySet[Job]:
    return Job.objects.visible_to(actor, permission)


def job_of(job_id: int) -> Job:
    """The job; raises Job.DoesNotExist."""
    return Job.objects.get(pk=job_id)


def audit_entries(
    actor: Actor, permission: str = "ops.view_audit"
) -> ScopedQuerySet[AuditEntry]:
    return AuditEntry.objects.visible_to(actor, permission)


def messages(
    actor: Actor, permission: str = "ops.view_message"
) -> ScopedQuerySet[Message]:
    return Message.objects.visible_to(actor, permission)


def outbox_events(
    actor: Actor, permission: str = "ops.view_event"
) -> ScopedQuerySet[OutboxEvent]:
    return OutboxEvent.objects.visible_to(actor, permission)


def parked_event_count() -> int:
    return OutboxEvent.objects.filter(state=EventState.PARKED).count()


def unpublished_events(*, limit: int) -> list[OutboxEvent]:
    """Acknowledged events that the stream has not got yet, oldest first."""
    return list(
        OutboxEvent.objects.filter(
            state=EventState.DONE, published_at__isnull=True
        ).order_by("pk")[:limit]
    )


def latest_integrity_results() -> list[IntegrityResult]:
    """The results of the newest run, the broken ones first."""
    newest = IntegrityResult.objects.order_by("-run_at").first()
    if newest is None:
        return []
    rows = IntegrityResult.objects.filter(run_at=newest.run_at)
    return list(rows.order_by("-offending", "name"))


def _messages_to(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = Message.objects.filter(customer_id=customer_id)
    return [
        TimelineEntry(
            at=message.created_at,
            id=message.pk,
            title=_("Message: %s") % message.subject_line,
            detail=f"{message.recipient} · {message.get_state_display()}",
            icon="mail",
            url=f"/console/messages/{message.pk}",
        )
        for message in window.rows(rows, at="created_at")
    ]


# What ops tells of a customer's history.
TIMELINE = (
    TimelineSource(
        name="ops.message", permission="ops.view_message", entries=_messages_to
    ),
)
