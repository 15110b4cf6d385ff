"""Ending all sessions of a place, in chunks that a worker can leave and take up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from dotmac.core.models import Record


class DisconnectRun(Record):
    """All sessions of one NAS or of one site that were open when somebody asked.

    Those up to `last_session` have their request; `until_session` was the newest
    then, so that who dials in again stays.
    """

    job = models.OneToOneField("ops.Job", models.PROTECT, related_name="+")
    nas = models.ForeignKey("network.Nas", models.PROTECT, related_name="+", null=True)
    site = models.ForeignKey(
        "network.Site", models.PROTECT, related_name="+", null=True
    )
    batch = models.UUIDField(unique=True)
    actor_label = models.CharField(max_length=200)
    last_session = models.BigIntegerField(default=0, db_default=0)
    until_session = models.BigIntegerField()
    asked = models.PositiveIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="network_disconnectrun_one_place",
                condition=Q(nas__isnull=False) ^ Q(site__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                name="network_disconnectrun_open",
                fields=("id",),
                condition=Q(done_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.nas_id or self.site_id} {self.batch}"
