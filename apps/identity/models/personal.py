"""Copies of all that is held about a customer."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from apps.identity.models.customer import Customer
from apps.identity.models.files import StoredFile
from apps.identity.models.signed import Signed

EXPORT_LASTS = timedelta(days=7)


class PersonalExport(Signed):
    """One copy: asked for, made by a worker, there for a week; by whom it was asked.

    Its job says how far it is. Without a file and with `done_at` it failed, or its
    week is over.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    job = models.ForeignKey("ops.Job", models.PROTECT, related_name="+")
    file = models.OneToOneField(
        StoredFile, models.SET_NULL, related_name="+", null=True
    )
    requested_at = models.DateTimeField()
    # When a worker took it; one that died leaves it to another after a while.
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("customer", "-id"), name="identity_personalexport_of"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("customer",),
                condition=Q(done_at__isnull=True),
                name="identity_personalexport_one_open",
            ),
            models.CheckConstraint(
                name="identity_personalexport_file_is_done",
                condition=Q(file__isnull=True)
                | Q(done_at__isnull=False, expires_at__gt=F("done_at")),
            ),
        )

    def __str__(self) -> str:
        return f"copy {self.pk}"
