from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from apps.ops.models.scoped import (
    ActorColumns,
    ScopedColumns,
    ScopedQuerySet,
    SubjectColumns,
)


class AuditEntry(ScopedColumns, ActorColumns, SubjectColumns):
    """Who did what to which record, never changed afterwards."""

    id = models.BigAutoField(primary_key=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=120)
    changes = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    objects = ScopedQuerySet["AuditEntry"].as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=("subject_app", "subject_kind", "subject_id", "-id"),
                name="ops_auditentry_subject",
            ),
            models.Index(fields=("customer_id", "-id"), name="ops_auditentry_customer"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject_key} by {self.actor_label}"
