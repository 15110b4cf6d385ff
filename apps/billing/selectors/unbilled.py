"""What was held and not yet billed: the reading side of bill runs and previews."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from django.db.models import Max

from apps.billing.models import BilledPeriod
from apps.billing.rules.rating import Item
from apps.catalog import selectors as catalog
from dotmac.core.periods import Period, add_months, month_of

MONTHS_BACK_MAX = 60


def unbilled_items(*, day: date, after_id: int, until_id: int) -> dict[int, list[Item]]:
    """Months begun on or before the day and not billed, by customer.

    Two statements, and one more for each month that somebody is missing: one in
    the ordinary course. Services that wait longer than MONTHS_BACK_MAX are
    caught up by as many months in one go, the rest by the next run.
    """
    spans = catalog.held_spans(day=day, after_id=after_id, until_id=until_id)
    billed = _last_billed([span.service_id for span in spans])
    wanted: dict[Period, set[int]] = defaultdict(set)
    for span in spans:
        for month in _months_missing(span, billed.get(span.service_id), day):
            wanted[month].add(span.service_id)

    items: dict[int, list[Item]] = defaultdict(list)
    for month in sorted(wanted):
        for row in catalog.billable_services(
            period=month, after_id=after_id, until_id=until_id
        ):
            if row.service_id in wanted[month]:
                items[row.customer_id].append(_item(row, month))
    return items


def _last_billed(service_ids: list[int]) -> dict[int, date]:
    rows = BilledPeriod.objects.filter(service_id__in=service_ids)
    latest = rows.values("service_id").annotate(last=Max("period_start"))
    return dict(latest.values_list("service_id", "last"))


def _months_missing(
    span: catalog.HeldSpan, last: date | None, day: date
) -> list[Period]:
    """The months after the last billed one that the service saw begin."""
    first = add_months(last, 1) if last else month_of(span.start_date).start
    months: list[Period] = []
    while first <= day and len(months) < MONTHS_BACK_MAX:
        if span.end_date is not None and span.end_date <= first:
            break
        months.append(month_of(first))
        first = add_months(first, 1)
    return months


def _item(row: catalog.BillableService, month: Period) -> Item:
    return Item(
        service_id=row.service_id,
        service_reference=row.service_reference,
        description=row.description,
        currency=row.currency,
        unit_price=row.unit_price,
        tax_class=row.tax_class,
        period=month,
        held_from=row.start_date,
        held_until=row.end_date,
    )
