from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.ops.enums import AuditCheckKind
from apps.ops.models.scoped import (
    ActorColumns,
    ScopedColumns,
    ScopedQuerySet,
    SubjectColumns,
)
from dotmac.core.models import Record


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
            models.Index(
                fields=("actor_kind", "actor_id", "-id"), name="ops_auditentry_actor"
            ),
            models.Index(
                OpClass("action", name="varchar_pattern_ops"),
                F("id").desc(),
                name="ops_auditentry_action",
            ),
            models.Index(
                fields=("request_id",),
                condition=~Q(request_id=""),
                name="ops_auditentry_request",
            ),
            models.Index(
                fields=("address", "-id"),
                condition=~Q(address=""),
                name="ops_auditentry_address",
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject_key} by {self.actor_label}"


class AuditPending(models.Model):
    """An entry that waits for its place in the chain.

    A trigger writes it with the entry, so that it is seen when the entry is: a
    transaction that commits late is chained late, once, and never missed.
    """

    entry_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"entry {self.entry_id} waits"


class AuditLink(models.Model):
    """An entry's place in the chain of its month; written by PostgreSQL only."""

    entry = models.OneToOneField(
        "ops.AuditEntry", models.PROTECT, primary_key=True, related_name="+"
    )
    stream = models.CharField(max_length=7)
    sequence = models.BigIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    hash = models.BinaryField(max_length=32)
    chained_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("stream", "sequence"), name="ops_auditlink_place"
            ),
        )

    def __str__(self) -> str:
        return f"{self.stream} #{self.sequence}"


class AuditCheck(Record):
    """One verification of the chain, or one anchor of its head."""

    kind = models.CharField(max_length=8, choices=AuditCheckKind)
    checked_at = models.DateTimeField()
    stream = models.CharField(max_length=7, blank=True, default="")
    sequence = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    good = models.BooleanField()
    findings = models.JSONField(default=list)

    class Meta:
        indexes = (models.Index(fields=("kind", "-id"), name="ops_auditcheck_newest"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.stream} #{self.sequence}"


class AccessDenial(models.Model):
    """Refusals of one actor and permission in one minute, counted.

    The first of them is an audit entry at once; what follows in the minute is
    one more entry with the count, when the minute is over.
    """

    id = models.BigAutoField(primary_key=True)
    actor_key = models.CharField(max_length=64)
    permission = models.CharField(max_length=100)
    minute_at = models.DateTimeField()
    repeats = models.PositiveIntegerField(default=0)
    latest = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("actor_key", "permission", "minute_at"),
                name="ops_accessdenial_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor_key} {self.permission} {self.minute_at:%H:%M}"
