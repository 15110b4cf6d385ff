"""What was held and not yet billed: the reading side of bill runs and previews."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from django.db import connection

from apps.billing.models import BilledPeriod
from apps.billing.rules.rating import Item
from apps.catalog import selectors as catalog
from dotmac.core.periods import Period, month_of

MONTHS_BACK_MAX = 60


def unbilled_items(*, day: date, after_id: int, until_id: int) -> dict[int, list[Item]]:
    """Months begun on or before the day and not billed, by customer.

    Two statements, one more for each month that somebody is missing (one in the
    ordinary course), and one where a month between billed ones was left aside.
    Services that wait longer than MONTHS_BACK_MAX are caught up by as many months
    in one go, the rest by the next run.
    """
    spans = catalog.held_spans(day=day, after_id=after_id, until_id=until_id)
    wanted = _months_wanted(spans, day)
    items: dict[int, list[Item]] = defaultdict(list)
    for month in sorted(wanted):
        for row in catalog.billable_services(
            period=month, after_id=after_id, until_id=until_id
        ):
            if row.service_id in wanted[month]:
                items[row.customer_id].append(_item(row, month))
    return items


def _months_wanted(spans: list[catalog.HeldSpan], day: date) -> dict[Period, set[int]]:
    """Which services miss which months."""
    known = _billed([span.service_id for span in spans])
    gaps = [span for span in spans if _has_gap(span, *known.get(span.service_id, ()))]
    claimed = _claimed_months([span.service_id for span in gaps])

    wanted: dict[Period, set[int]] = defaultdict(set)
    for span in spans:
        first = month_of(span.start_date)
        if span.service_id in known and span.service_id not in claimed:
            first = month_of(month_of(known[span.service_id][0]).end)
        taken = claimed.get(span.service_id, set())
        for month in _months(span, first, day, taken):
            wanted[month].add(span.service_id)
    return wanted


def _billed(service_ids: list[int]) -> dict[int, tuple[date, int]]:
    """The last month billed of each service, and how many were."""
    with connection.cursor() as cursor:
        # One array, where the ORM would send a parameter for each key.
        cursor.execute(
            "SELECT service_id, max(period_start), count(*) FROM billing_billedperiod"
            " WHERE service_id = ANY(%s) GROUP BY service_id",
            [service_ids],
        )
        return {key: (last, count) for key, last, count in cursor.fetchall()}


def _has_gap(span: catalog.HeldSpan, last: date | None = None, count: int = 0) -> bool:
    """Fewer months were billed than lie between the first and the last."""
    if last is None:
        return False
    first = month_of(span.start_date).start
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    return count < months


def _claimed_months(service_ids: list[int]) -> dict[int, set[date]]:
    if not service_ids:
        return {}
    claimed: dict[int, set[date]] = defaultdict(set)
    rows = BilledPeriod.objects.filter(service_id__in=service_ids)
    for service_id, month in rows.values_list("service_id", "period_start"):
        claimed[service_id].add(month)
    return claimed


def _months(
    span: catalog.HeldSpan, first: Period, day: date, taken: set[date]
) -> list[Period]:
    """The months from the first on that the service saw begin and nobody billed."""
    months: list[Period] = []
    month = first
    while month.start <= day and len(months) < MONTHS_BACK_MAX:
        if span.end_date is not None and span.end_date <= month.start:
            break
        if month.start not in taken:
            months.append(month)
        month = month_of(month.end)
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
