"""How each NAS does: gathered now and then from what its packets left behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

# Three interim intervals of the usual five minutes.
SILENT_AFTER = timedelta(minutes=15)
# Who has said nothing for longer is no longer there, and nobody's alarm.
HEARD_WITHIN = timedelta(days=3)


class NasHealthQuerySet(models.QuerySet["NasHealth"]):
    def silent(self) -> Self:
        """Of NASes that have been heard of lately, and are no longer: three interim
        intervals are over. Who is silent for days was taken away."""
        return self.filter(
            heard_at__lt=Now() - SILENT_AFTER, heard_at__gte=Now() - HEARD_WITHIN
        )


class NasHealth(models.Model):
    """Written by `operations.measure_nas_health` alone, never while a packet waits."""

    nas = models.OneToOneField(
        "network.Nas", models.CASCADE, related_name="health", primary_key=True
    )
    # Its last packet that led to anything: accounting, or a decision on a login.
    heard_at = models.DateTimeField(null=True)
    # Decisions of the hour before `measured_at`.
    accepts = models.PositiveIntegerField(default=0)
    rejects = models.PositiveIntegerField(default=0)
    # From packet to decision, of half of them and of 99 in a hundred at most.
    p50_us = models.PositiveIntegerField(null=True)
    p99_us = models.PositiveIntegerField(null=True)
    measured_at = models.DateTimeField()

    objects = NasHealthQuerySet.as_manager()

    class Meta:
        verbose_name = "NAS health"
        verbose_name_plural = "NAS health"
        constraints = (
            models.CheckConstraint(
                name="network_nashealth_not_of_the_future",
                condition=models.Q(heard_at=None)
                | models.Q(heard_at__lte=F("measured_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.nas_id}"
