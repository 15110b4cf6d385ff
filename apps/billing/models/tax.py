from __future__ import annotations

from datetime import date
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from dotmac.core.models import Record


class TaxClass(Record):
    """A kind of supply for tax ("standard", "exempt"); catalog names it by slug."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.slug


class TaxRateQuerySet(models.QuerySet["TaxRate"]):
    def on(self, day: date) -> Self:
        return self.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day
        )


class TaxRate(Record):
    """The exclusive rate of a class from valid_from up to, not including, valid_to."""

    tax_class = models.ForeignKey(TaxClass, models.PROTECT, related_name="+")
    label = models.CharField(max_length=40)
    percent = models.DecimalField(max_digits=9, decimal_places=6)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    objects = TaxRateQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="billing_taxrate_percent",
                condition=Q(percent__gte=0) & Q(percent__lte=100),
            ),
            models.CheckConstraint(
                name="billing_taxrate_ends_later",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
            ),
            ExclusionConstraint(
                name="billing_taxrate_one_at_a_time",
                expressions=(
                    ("tax_class", RangeOperators.EQUAL),
                    (
                        Func(
                            F("valid_from"),
                            F("valid_to"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} from {self.valid_from}"
