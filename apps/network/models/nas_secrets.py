"""Secrets that NASes are changed to, from the proposal to the proof."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.network.enums import NasSecretState
from dotmac.core.models import Record, SealedField

# At most one of these for a NAS.
OPEN = (NasSecretState.PROPOSED, NasSecretState.SCHEDULED, NasSecretState.CONFIRMED)


class NasSecretQuerySet(models.QuerySet["NasSecret"]):
    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def in_effect(self) -> Self:
        """Those that count instead of the NAS's own, by the database's clock.

        The same condition as in radius_clients(): a test compares them.
        """
        return self.filter(
            Q(state=NasSecretState.CONFIRMED)
            | Q(state=NasSecretState.SCHEDULED, switch_at__lte=Now())
            & (Q(roll_back_at=None) | Q(roll_back_at__gt=Now()))
        )


class NasSecret(Record):
    """Another secret for a NAS; it counts from `switch_at` on.

    `network_nas.secret` stays what it was until a packet has proved that the NAS has
    the new one. Afterwards, or when it is taken back, nothing is kept of it here.
    """

    nas = models.ForeignKey("network.Nas", models.CASCADE, related_name="+")
    # Names it to the RADIUS servers; each of a NAS's secrets has one of its own.
    version = models.PositiveIntegerField()
    secret = SealedField(null=True)  # type: ignore[misc]
    state = models.CharField(
        max_length=16,
        choices=NasSecretState.choices,
        default=NasSecretState.PROPOSED,
    )
    switch_at = models.DateTimeField(null=True)
    # When it stops counting by itself if nothing has proved it; empty for never.
    roll_back_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = NasSecretQuerySet.as_manager()

    class Meta:
        verbose_name = "NAS secret"
        constraints = (
            models.UniqueConstraint(
                name="network_nassecret_one_open",
                fields=("nas",),
                condition=Q(state__in=OPEN),
            ),
            models.UniqueConstraint(
                name="network_nassecret_one_per_version", fields=("nas", "version")
            ),
            models.CheckConstraint(
                name="network_nassecret_state_known",
                condition=Q(state__in=NasSecretState.values),
            ),
            models.CheckConstraint(
                name="network_nassecret_switched_at_a_time",
                condition=Q(state__in=("proposed", "rolled_back"))
                | Q(switch_at__isnull=False),
            ),
            # What is over is forgotten, and nothing counts that cannot be opened.
            models.CheckConstraint(
                name="network_nassecret_kept_while_open",
                condition=Q(state__in=OPEN, secret__isnull=False, ended_at=None)
                | Q(~Q(state__in=OPEN), secret__isnull=True, ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="network_nassecret_rolls_back_later",
                condition=Q(roll_back_at=None)
                | Q(roll_back_at__gt=models.F("switch_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.nas_id}-{self.version}"
