from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.ops.enums import EventState
from apps.ops.models.scoped import ActorColumns, ScopedColumns, ScopedQuerySet
from dotmac.core.models import Record


class OutboxSubject(models.Model):
    """One record's stream of events: its next number, and who delivers it now."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=120, unique=True)
    next_number = models.BigIntegerField(default=1)
    leased_until = models.DateTimeField(null=True, blank=True)
    leased_by = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.key


class OutboxEvent(ScopedColumns, ActorColumns, Record):
    """One fact, written in the transaction that made it true."""

    subject_key = models.CharField(max_length=120)
    number = models.BigIntegerField()
    name = models.CharField(max_length=120)
    data = models.JSONField()
    occurred_at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(
        max_length=8, choices=EventState, default=EventState.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    objects = ScopedQuerySet["OutboxEvent"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("subject_key", "number"), name="ops_outboxevent_number"
            ),
            models.CheckConstraint(
                name="ops_outboxevent_done_has_time",
                condition=~Q(state="done") | Q(acknowledged_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                fields=("subject_key", "number"),
                condition=~Q(state="done"),
                name="ops_outboxevent_waiting",
            ),
            models.Index(
                fields=("id",),
                condition=Q(state="done", published_at__isnull=True),
                name="ops_outboxevent_unpublished",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject_key} #{self.number} {self.name}"
