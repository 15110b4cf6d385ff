from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.ops.enums import JobState
from apps.ops.models.scoped import (
    ActorColumns,
    ScopedColumns,
    ScopedQuerySet,
    SubjectColumns,
)
from dotmac.core.models import Record


class Job(ScopedColumns, ActorColumns, SubjectColumns, Record):
    """One piece of long work as people see it."""

    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True, default="")
    error = models.TextField(blank=True, default="")
    result = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    objects = ScopedQuerySet["Job"].as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="ops_job_progress_within_total",
                condition=Q(done__gte=0) & Q(total__gte=0) & Q(done__lte=F("total")),
            ),
            models.CheckConstraint(
                name="ops_job_ended_has_time",
                condition=Q(state__in=("queued", "running"))
                | Q(finished_at__isnull=False),
            ),
        )
        indexes = (models.Index(fields=("state", "-id"), name="ops_job_state"),)

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state not in {JobState.QUEUED, JobState.RUNNING}

    @property
    def percent(self) -> int:
        """Whole percent; 100 only when it succeeded."""
        if self.state == JobState.SUCCEEDED:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0
