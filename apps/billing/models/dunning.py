"""What overdue debt leads to, and what it has led to so far.

Nobody stores "suspended": a cut-off is an open action here and a hold in the
network, and both are what the recomputation from the ledger says they must be.
"""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.billing.enums.payments import CutOffEnd, DunningOutcome, DunningStepKind
from dotmac.core.models import Record


def every_weekday() -> list[int]:
    """ISO numbers of the days on which a policy cuts off by default: all."""
    return list(range(1, 8))


class DunningPolicy(Record):
    """When customers are reminded and cut off, and when nobody is."""

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    is_default = models.BooleanField(default=False)
    ignore_below_minor = models.BigIntegerField(
        default=0, help_text="Overdue debt up to this much leads to nothing."
    )
    cut_off_weekdays = ArrayField(
        models.PositiveSmallIntegerField(),
        default=every_weekday,
        blank=True,
        help_text="Days of cut-off: 1 is Monday, 7 is Sunday.",
    )
    cut_off_from_hour = models.PositiveSmallIntegerField(default=0)
    cut_off_to_hour = models.PositiveSmallIntegerField(default=24)

    class Meta:
        verbose_name_plural = "dunning policies"
        constraints = (
            models.UniqueConstraint(
                fields=("slug",), name="billing_dunningpolicy_slug"
            ),
            models.UniqueConstraint(
                fields=("is_default",),
                name="billing_dunningpolicy_one_default",
                condition=Q(is_default=True),
            ),
            models.CheckConstraint(
                name="billing_dunningpolicy_hours",
                condition=Q(cut_off_from_hour__lt=F("cut_off_to_hour"))
                & Q(cut_off_to_hour__lte=24),
            ),
            models.CheckConstraint(
                name="billing_dunningpolicy_weekdays",
                condition=Q(cut_off_weekdays__contained_by=every_weekday()),
            ),
            models.CheckConstraint(
                name="billing_dunningpolicy_ignores_positive",
                condition=Q(ignore_below_minor__gte=0),
            ),
        )

    def __str__(self) -> str:
        return self.slug


class NoCutOffDay(Record):
    """A holiday on which a policy cuts nobody off."""

    policy = models.ForeignKey(
        DunningPolicy, models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    name = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("policy", "day"), name="billing_nocutoffday_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class DunningStep(Record):
    """One step of a policy, so many days after the earliest unpaid due date."""

    policy = models.ForeignKey(
        DunningPolicy, models.CASCADE, related_name="+", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=DunningStepKind)
    days_overdue = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("policy", "number"), name="billing_dunningstep_number"
            ),
            models.CheckConstraint(
                name="billing_dunningstep_after_due",
                condition=Q(days_overdue__gte=1) & Q(days_overdue__lte=365),
            ),
            models.CheckConstraint(
                name="billing_dunningstep_from_one", condition=Q(number__gte=1)
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy_id}.{self.number} {self.kind}"


class DunningActionQuerySet(models.QuerySet["DunningAction"]):
    def cut_offs(self) -> Self:
        """Cut-offs that are in force."""
        return self.filter(cuts_off=True, ended_at__isnull=True)


class DunningAction(models.Model):
    """A step taken once for one customer's earliest unpaid invoice.

    `round` counts the times the customer was connected again while this invoice
    stayed unpaid (a promise that was not kept): each round may take each step.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    invoice = models.ForeignKey("billing.Invoice", models.PROTECT, related_name="+")
    step = models.ForeignKey(
        DunningStep, models.PROTECT, related_name="+", db_index=False
    )
    round = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=16, choices=DunningOutcome)
    cuts_off = models.BooleanField()
    day = models.DateField()
    due_date = models.DateField()
    overdue_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    taken_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(
        max_length=16, choices=CutOffEnd, blank=True, default=""
    )
    objects = DunningActionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "invoice", "step", "round"),
                name="billing_dunningaction_once",
            ),
            models.UniqueConstraint(
                fields=("customer",),
                name="billing_dunningaction_one_cut_off",
                condition=Q(cuts_off=True, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="billing_dunningaction_end",
                condition=Q(ended_at__isnull=True, ended_by="")
                | Q(cuts_off=True, ended_at__isnull=False) & ~Q(ended_by=""),
            ),
        )
        indexes = (
            models.Index(fields=("customer", "-id"), name="billing_dunningaction_of"),
        )

    def __str__(self) -> str:
        return f"{self.customer_id}/{self.invoice_id}: step {self.step_id}"


class PromiseToPay(Record):
    """A customer said until when it will pay; dunning waits that long."""

    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    promised_date = models.DateField()
    note = models.CharField(max_length=200, blank=True, default="")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("customer",),
                name="billing_promisetopay_one",
                condition=Q(withdrawn_at__isnull=True),
            ),
        )
        indexes = (
            models.Index(fields=("customer", "-id"), name="billing_promisetopay_of"),
        )

    def __str__(self) -> str:
        return f"{self.customer_id} by {self.promised_date}"
