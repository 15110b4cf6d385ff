"""The rating once more, as set-based SQL written apart from the Python rules.

It reads services, prices and tax rates, and says what each customer must be
billed on a day when nothing was billed before. A bill run must agree with it
for every customer; docs/money.md is what both were written from.
"""

from __future__ import annotations

from datetime import date

from django.db import connection

_ORACLE = """
WITH month AS (
    SELECT start::date AS first, (start + interval '1 month')::date AS next
    FROM generate_series('2020-01-01'::timestamp, %(day)s::timestamp, '1 month') AS start),
held AS (
    SELECT s.id, s.customer_id, s.plan_id, c.currency, p.tax_class, m.first, m.next,
           greatest(s.active_from_date, m.first) AS since,
           least(coalesce(s.ends_date, m.next), m.next) AS until
    FROM catalog_service s
    JOIN catalog_plan p ON p.id = s.plan_id AND p.billing = 'postpaid'
    JOIN identity_customer c ON c.id = s.customer_id
    JOIN month m ON s.active_from_date < m.next AND m.first <= %(day)s
    WHERE s.active_from_date <= %(day)s),
line AS (
    SELECT h.customer_id, h.tax_class, r.percent,
           round(pr.amount * 100 * (h.until - h.since) / (h.next - h.first)) AS minor
    FROM held h
    JOIN catalog_planprice pr ON pr.plan_id = h.plan_id AND pr.currency = h.currency
        AND h.since >= pr.valid_from AND (pr.valid_to IS NULL OR h.since < pr.valid_to)
    JOIN billing_taxclass t ON t.slug = h.tax_class
    JOIN billing_taxrate r ON r.tax_class_id = t.id AND r.valid_from <= %(day)s
        AND (r.valid_to IS NULL OR r.valid_to > %(day)s)
    WHERE h.until > h.since),
grouped AS (
    SELECT customer_id, tax_class, percent, sum(minor) AS net, count(*) AS lines,
           round(sum(minor) * percent / 100) AS tax
    FROM line GROUP BY 1, 2, 3)
SELECT customer_id, sum(net)::bigint, sum(tax)::bigint, sum(lines)::bigint
FROM grouped GROUP BY 1 ORDER BY 1
"""

_BILLED = """
SELECT i.customer_id, sum(i.subtotal_minor)::bigint, sum(i.tax_minor)::bigint,
       sum((SELECT count(*) FROM billing_invoiceline l WHERE l.invoice_id = i.id))::bigint
FROM billing_invoice i WHERE i.kind = 'invoice' GROUP BY 1 ORDER BY 1
"""


def expected_bills(day: date) -> list[tuple[int, int, int, int]]:
    """(customer, net, tax, lines) by the oracle; NGN only."""
    with connection.cursor() as cursor:
        cursor.execute(_ORACLE, {"day": day})
        return list(cursor.fetchall())


def issued_bills() -> list[tuple[int, int, int, int]]:
    """(customer, net, tax, lines) of all invoices."""
    with connection.cursor() as cursor:
        cursor.execute(_BILLED)
        return list(cursor.fetchall())
