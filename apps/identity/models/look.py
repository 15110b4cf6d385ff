"""Staff who look at the portal as a customer sees it."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from apps.identity.models.customer import Customer
from apps.identity.models.signed import Signed

LOOK_LASTS = timedelta(minutes=15)


class PortalLook(Signed):
    """One look: whose account, by whom, why, until when.

    It hangs on the staff member's own session: there is no session of the
    customer, and when the staff member's ends, so does the look.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    session = models.ForeignKey(
        "identity.Session", models.SET_NULL, related_name="+", null=True, db_index=False
    )
    reason = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("customer", "-id"), name="identity_portallook_of"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("session",),
                condition=Q(ended_at__isnull=True),
                name="identity_portallook_one_open",
            ),
            models.CheckConstraint(
                name="identity_portallook_is_short",
                condition=Q(ends_at__gt=F("started_at"))
                & Q(ends_at__lte=F("started_at") + LOOK_LASTS),
            ),
            models.CheckConstraint(
                name="identity_portallook_has_reason", condition=~Q(reason="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.reason}"
