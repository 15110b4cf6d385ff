from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.ops.enums import Channel, MessageState
from apps.ops.models.scoped import ScopedColumns, ScopedQuerySet
from dotmac.core.models import Record


class Message(ScopedColumns, Record):
    """One text to one person, and what became of it."""

    channel = models.CharField(max_length=8, choices=Channel)
    recipient = models.CharField(max_length=254)
    subject_line = models.CharField(max_length=200)
    body = models.TextField()
    # What is put for dotmac.core.letters.MARK when it is sent, never before.
    filled_by = models.CharField(max_length=80, blank=True, default="")
    purpose = models.CharField(max_length=64)
    unique_key = models.CharField(max_length=200, unique=True)
    state = models.CharField(
        max_length=8, choices=MessageState, default=MessageState.QUEUED
    )
    attempts = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")
    objects = ScopedQuerySet["Message"].as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="ops_message_sent_has_time",
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                fields=("available_at",),
                condition=Q(state__in=("queued", "sending")),
                name="ops_message_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject_line} to {self.recipient}"
