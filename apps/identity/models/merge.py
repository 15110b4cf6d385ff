"""Two numbers for one customer, made into one, and taken apart again."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.identity.enums import CustomerState
from apps.identity.models.customer import Customer
from apps.identity.models.signed import Signed


class CustomerMerge(Signed):
    """Who found that two customers are one; what moved, so that it can go back.

    `moved` has a part for each app that moved something: keys, no personal data.
    """

    id = models.BigAutoField(primary_key=True)
    duplicate = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    duplicate_state = models.CharField(max_length=16, choices=CustomerState)
    survivor_state = models.CharField(max_length=16, choices=CustomerState)
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=200, blank=True)
    # The database transaction that moves things; only in it may rows change owner.
    moving_xid = models.BigIntegerField()

    class Meta:
        indexes = (
            models.Index(fields=("moving_xid",), name="identity_customermerge_moving"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("duplicate",),
                condition=Q(undone_at__isnull=True),
                name="identity_customermerge_once",
            ),
            models.CheckConstraint(
                name="identity_customermerge_two",
                condition=~Q(duplicate=F("survivor")),
            ),
        )

    def __str__(self) -> str:
        return f"merge {self.pk}"
