from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, F, Q

from apps.billing.enums import ParkReason
from dotmac.core.models import Record


class BillingRun(Record):
    """One pass over the customers that bills what began on or before `day`."""

    job = models.OneToOneField("ops.Job", models.PROTECT, related_name="+")
    day = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            # All open rows share the one value true: at most one run is open.
            models.UniqueConstraint(
                ExpressionWrapper(
                    Q(finished_at__isnull=True), output_field=BooleanField()
                ),
                name="billing_billingrun_one_open",
                condition=Q(finished_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"run {self.pk} for {self.day}"


class BillingChunkQuerySet(models.QuerySet["BillingChunk"]):
    def waiting(self) -> Self:
        return self.filter(done_at__isnull=True)

    def claimable(self) -> Self:
        """Rows that no other worker holds; the lock lasts until commit."""
        return self.waiting().select_for_update(skip_locked=True, no_key=True)


class BillingChunk(models.Model):
    """A range of customers billed in one transaction: done whole or not at all."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        BillingRun, models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField()
    customer_after = models.BigIntegerField()
    customer_until = models.BigIntegerField()
    done_at = models.DateTimeField(null=True, blank=True)
    customers_count = models.PositiveIntegerField(default=0)
    invoices_count = models.PositiveIntegerField(default=0)
    lines_count = models.PositiveIntegerField(default=0)
    totals_minor = models.JSONField(default=dict)
    objects = BillingChunkQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("run", "number"), name="billing_billingchunk_number"
            ),
            models.CheckConstraint(
                name="billing_billingchunk_range",
                condition=Q(customer_until__gt=F("customer_after")),
            ),
        )

    def __str__(self) -> str:
        return f"chunk {self.number} of run {self.run_id}"


class ParkedService(models.Model):
    """A service that a run could not bill, and why. It is tried again next time."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(BillingRun, models.PROTECT, related_name="+")
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    service_id = models.BigIntegerField()
    service_reference = models.CharField(max_length=24)
    period_start = models.DateField()
    reason = models.CharField(max_length=16, choices=ParkReason)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("run", "service_id", "period_start"),
                name="billing_parkedservice_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.service_reference}: {self.reason}"
