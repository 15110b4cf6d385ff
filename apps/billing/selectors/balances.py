"""What customers owe, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from apps.billing.models import CustomerBalance, LedgerEntry
from apps.identity import selectors as identity
from dotmac.core.actors import Actor
from dotmac.core.db import fetch_dicts
from dotmac.core.money import Money


def balance_of(customer_id: int) -> Money:
    """Positive: the customer owes. Negative: the customer has credit."""
    return balances_of([customer_id])[customer_id]


def balances_of(customer_ids: Iterable[int]) -> dict[int, Money]:
    """The balance of each customer in the customer's own currency."""
    currencies = {
        key: snapshot.currency
        for key, snapshot in identity.snapshots_of(customer_ids).items()
    }
    rows = CustomerBalance.objects.filter(customer_id__in=currencies)
    found = {(row.customer_id, row.currency): row.balance_minor for row in rows}
    return {
        key: Money(found.get((key, currency), 0), currency)
        for key, currency in currencies.items()
    }


def ledger_entries_visible_to(
    actor: Actor, permission: str = "billing.view_ledger"
) -> QuerySet[LedgerEntry]:
    """Entries of the customers that the permission reaches; all of them for all."""
    rows = LedgerEntry.objects.select_related("transaction", "account")
    return identity.of_visible_customers(rows, actor, permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedReceivables:
    """Open invoices of one currency by days past due, and the credit against them.

    `credit_minor` is money received that no invoice took: what is owed in all is
    the sum of the buckets less the credit, and that is the ledger's balance.
    """

    currency: str
    not_due_minor: int
    days_1_30_minor: int
    days_31_60_minor: int
    days_61_90_minor: int
    days_over_90_minor: int
    credit_minor: int
    invoices: int

    @property
    def total_minor(self) -> int:
        return self.overdue_minor + self.not_due_minor

    @property
    def overdue_minor(self) -> int:
        return (
            self.days_1_30_minor
            + self.days_31_60_minor
            + self.days_61_90_minor
            + self.days_over_90_minor
        )


_AGES = """
    WITH open AS (
        SELECT currency, total_minor - allocated_minor - credited_minor AS minor,
               %(today)s::date - due_date AS late
          FROM billing_invoice WHERE state = 'open' AND kind = 'invoice'),
    aged AS (
        SELECT currency, count(*) AS invoices, sum(minor) AS minor,
               coalesce(sum(minor) FILTER (WHERE late <= 0), 0) AS not_due_minor,
               coalesce(sum(minor) FILTER (WHERE late BETWEEN 1 AND 30), 0)
                   AS days_1_30_minor,
               coalesce(sum(minor) FILTER (WHERE late BETWEEN 31 AND 60), 0)
                   AS days_31_60_minor,
               coalesce(sum(minor) FILTER (WHERE late BETWEEN 61 AND 90), 0)
                   AS days_61_90_minor,
               coalesce(sum(minor) FILTER (WHERE late > 90), 0) AS days_over_90_minor
          FROM open GROUP BY currency),
    uncollectible AS (
        SELECT currency, sum(total_minor - allocated_minor - credited_minor) AS minor
          FROM billing_invoice WHERE state = 'uncollectible' GROUP BY currency),
    owed AS (
        SELECT currency, sum(balance_minor) AS minor
          FROM billing_customerbalance GROUP BY currency)
    SELECT owed.currency, coalesce(invoices, 0) AS invoices,
           coalesce(not_due_minor, 0)::bigint AS not_due_minor,
           coalesce(days_1_30_minor, 0)::bigint AS days_1_30_minor,
           coalesce(days_31_60_minor, 0)::bigint AS days_31_60_minor,
           coalesce(days_61_90_minor, 0)::bigint AS days_61_90_minor,
           coalesce(days_over_90_minor, 0)::bigint AS days_over_90_minor,
           (coalesce(aged.minor, 0) + coalesce(uncollectible.minor, 0)
               - owed.minor)::bigint AS credit_minor
      FROM owed LEFT JOIN aged USING (currency) LEFT JOIN uncollectible USING (currency)
     ORDER BY owed.currency
"""


def receivables_by_age(*, today: date) -> list[AgedReceivables]:
    """What is owed by days past due, one row per currency, in one statement."""
    rows = fetch_dicts(_AGES, {"today": today})
    return [AgedReceivables(**row) for row in rows]
