"""What the bill run reads."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from apps.catalog.enums import PlanBilling
from dotmac.core.periods import Period

CUSTOMERS_MAX = 20_000
ID_MAX = 2**63 - 1

# The price of the first day that the service is held in the period counts for
# the whole period. An ends_date is the first day that is not held any more.
_SQL = """
WITH chunk AS (
    SELECT DISTINCT s.customer_id
      FROM catalog_service s JOIN catalog_plan p ON p.id = s.plan_id
     WHERE s.customer_id > %(after)s AND s.customer_id <= %(until)s
       AND p.billing = %(billing)s
       AND s.active_from_date < %(end)s
       AND (s.ends_date IS NULL
            OR s.ends_date > greatest(s.active_from_date, %(start)s))
     ORDER BY s.customer_id LIMIT %(limit)s)
SELECT s.id, s.customer_id, c.currency, price.amount, p.tax_class,
       p.name, s.reference, s.active_from_date, s.ends_date
  FROM chunk
  JOIN catalog_service s ON s.customer_id = chunk.customer_id
  JOIN catalog_plan p ON p.id = s.plan_id AND p.billing = %(billing)s
  JOIN identity_customer c ON c.id = s.customer_id
  LEFT JOIN catalog_planprice price
    ON price.plan_id = p.id AND price.currency = c.currency
   AND price.valid_from <= greatest(s.active_from_date, %(start)s)
   AND (price.valid_to IS NULL
        OR price.valid_to > greatest(s.active_from_date, %(start)s))
 WHERE s.active_from_date < %(end)s
   AND (s.ends_date IS NULL
        OR s.ends_date > greatest(s.active_from_date, %(start)s))
 ORDER BY s.customer_id, s.id
"""

_EVER_HELD = """
    catalog_service s JOIN catalog_plan p ON p.id = s.plan_id
    WHERE p.billing = %(billing)s AND s.active_from_date <= %(day)s
      AND (s.ends_date IS NULL OR s.ends_date > s.active_from_date)
"""


class BillableService(NamedTuple):
    """One service that is held in a period, and what a whole month of it costs."""

    service_id: int
    customer_id: int
    currency: str
    unit_price: Decimal | None
    tax_class: str
    description: str
    service_reference: str
    start_date: date
    end_date: date | None


def billable_services(
    *,
    period: Period,
    after_id: int,
    limit: int = CUSTOMERS_MAX,
    until_id: int = ID_MAX,
) -> list[BillableService]:
    """Postpaid services held in the period, for the next customers by id.

    A chunk is whole customers, so that one customer's services meet on one
    bill: those of at most `limit` customers whose id is above `after_id`,
    and at most `until_id`, ordered by customer and service. Pass the last row's
    `customer_id` on; an empty list is the end. `unit_price` is None where the plan
    has no price in the customer's currency: billing says so, it must not vanish.
    One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL,
            {
                "start": period.start,
                "end": period.end,
                "after": after_id,
                "until": until_id,
                "limit": min(limit, CUSTOMERS_MAX),
                "billing": PlanBilling.POSTPAID.value,
            },
        )
        return list(map(BillableService._make, cursor.fetchall()))


class HeldSpan(NamedTuple):
    """From when until when (excluded) a service is or was held."""

    service_id: int
    customer_id: int
    start_date: date
    end_date: date | None


def held_spans(*, day: date, after_id: int, until_id: int) -> list[HeldSpan]:
    """Postpaid services that began on or before the day, of a range of customers."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.id, s.customer_id, s.active_from_date, s.ends_date
              FROM {_EVER_HELD}
               AND s.customer_id > %(after)s AND s.customer_id <= %(until)s
             ORDER BY s.customer_id, s.id
            """,  # noqa: S608  # nosec B608
            {
                "day": day,
                "after": after_id,
                "until": until_id,
                "billing": PlanBilling.POSTPAID.value,
            },
        )
        return list(map(HeldSpan._make, cursor.fetchall()))


def customer_bounds(*, day: date, size: int) -> list[tuple[int, int]]:
    """Cut the customers with postpaid services into ranges of `size`.

    Each pair is the highest customer id of a range and how many customers are in
    it. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT max(customer_id), count(*) FROM (
                SELECT customer_id,
                       (row_number() OVER (ORDER BY customer_id) - 1) / %(size)s AS n
                  FROM (SELECT DISTINCT s.customer_id FROM {_EVER_HELD}) c) numbered
             GROUP BY n ORDER BY n
            """,  # noqa: S608  # nosec B608
            {"day": day, "size": size, "billing": PlanBilling.POSTPAID.value},
        )
        return [(int(until), int(count)) for until, count in cursor.fetchall()]
