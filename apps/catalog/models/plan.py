"""What is sold, and for how much from which day."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Func, Q

from apps.catalog.enums import PlanBilling, PlanKind, PlanState
from dotmac.core.models import Record


class PlanQuerySet(models.QuerySet["Plan"]):
    def locked(self) -> Self:
        """Rows held until commit; keys that point here can still be added."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def on_sale(self) -> Self:
        return self.filter(state=PlanState.ACTIVE)


class Plan(Record):
    """One thing that customers can subscribe to."""

    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=PlanKind, default=PlanKind.INTERNET)
    profile = models.ForeignKey("network.RateProfile", models.PROTECT, related_name="+")
    pool = models.ForeignKey(
        "network.AddressPool",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Addresses come from here; empty when the NAS gives them.",
    )
    billing = models.CharField(
        max_length=16, choices=PlanBilling, default=PlanBilling.POSTPAID
    )
    tax_class = models.SlugField(max_length=60, default="standard")
    state = models.CharField(max_length=16, choices=PlanState, default=PlanState.ACTIVE)
    description = models.TextField(blank=True, default="", max_length=2000)

    objects = PlanQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint("slug", name="catalog_plan_slug_unique"),
            models.CheckConstraint(
                name="catalog_plan_kind_known", condition=Q(kind__in=PlanKind.values)
            ),
            models.CheckConstraint(
                name="catalog_plan_billing_known",
                condition=Q(billing__in=PlanBilling.values),
            ),
            models.CheckConstraint(
                name="catalog_plan_state_known",
                condition=Q(state__in=PlanState.values),
            ),
        )

    def __str__(self) -> str:
        return self.name


class PlanPriceQuerySet(models.QuerySet["PlanPrice"]):
    def valid_on(self, day: date) -> Self:
        """Prices that stand on the day: one per plan and currency at most."""
        return self.filter(valid_from__lte=day).filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=day)
        )


class PlanPrice(Record):
    """What a month of a plan costs in one currency from valid_from until valid_to.

    The end is excluded. A price is superseded by a later one, never edited: a
    trigger lets nothing change but an open end.
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    objects = PlanPriceQuerySet.as_manager()

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="catalog_planprice_no_overlap",
                expressions=[
                    ("plan", RangeOperators.EQUAL),
                    ("currency", RangeOperators.EQUAL),
                    (
                        Func("valid_from", "valid_to", function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            models.CheckConstraint(
                name="catalog_planprice_amount_not_negative",
                condition=Q(amount__gte=0),
            ),
            models.CheckConstraint(
                name="catalog_planprice_currency_code",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
            ),
            models.CheckConstraint(
                name="catalog_planprice_ends_after_start",
                condition=Q(valid_to__isnull=True)
                | Q(valid_to__gt=models.F("valid_from")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.plan_id} {self.amount} {self.currency} from {self.valid_from}"
