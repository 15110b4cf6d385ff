from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from apps.billing.models import TaxRate
from apps.billing.rules.rating import Rate


def rates_on(day: date) -> dict[str, Rate]:
    """The rate of each tax class on the day; classes without one are missing."""
    rows = TaxRate.objects.on(day).values_list("tax_class__slug", "label", "percent")
    return {slug: Rate(label=label, percent=percent) for slug, label, percent in rows}


def tax_rates() -> QuerySet[TaxRate]:
    """All rates of all classes; they are settings, not anybody's rows."""
    return TaxRate.objects.select_related("tax_class")
