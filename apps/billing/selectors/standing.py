"""How a customer stands: what is owed, what of it is overdue, what is in credit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dotmac.core.db import fetch_dicts
from dotmac.core.money import Money

CUSTOMERS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One customer's account in one currency, on one day."""

    customer_id: int
    owed: Money
    overdue: Money
    credit: Money
    open_count: int
    next_due_date: date | None
    earliest_due_date: date | None

    @property
    def balance(self) -> Money:
        """What the customer owes in all; negative: the account is in credit."""
        return self.owed - self.credit


def standing_of(customer_id: int, *, day: date) -> Standing:
    """The account of one customer."""
    return standings_of([customer_id], day=day)[customer_id]


def standings_of(customer_ids: Sequence[int], *, day: date) -> dict[int, Standing]:
    """The accounts of some customers, in one statement."""
    assert len(customer_ids) <= CUSTOMERS_MAX
    rows = fetch_dicts(_STANDINGS, {"ids": list(customer_ids), "day": day})
    return {
        row["customer_id"]: Standing(
            customer_id=row["customer_id"],
            owed=Money(row["owed"], row["currency"]),
            overdue=Money(row["overdue"], row["currency"]),
            credit=Money(row["credit"], row["currency"]),
            open_count=row["open_count"],
            next_due_date=row["next_due_date"],
            earliest_due_date=row["earliest_due_date"],
        )
        for row in rows
    }


_STANDINGS = """
    SELECT c.id AS customer_id, c.currency,
           coalesce(debt.owed, 0)::bigint AS owed,
           coalesce(debt.overdue, 0)::bigint AS overdue,
           coalesce(money.credit, 0)::bigint AS credit,
           coalesce(debt.open_count, 0) AS open_count,
           debt.next_due_date, debt.earliest_due_date
      FROM identity_customer c
      LEFT JOIN LATERAL (
            SELECT count(*) AS open_count, min(i.due_date) AS earliest_due_date,
                   min(i.due_date) FILTER (WHERE i.due_date >= %(day)s)
                       AS next_due_date,
                   sum(i.total_minor - i.allocated_minor - i.credited_minor) AS owed,
                   sum(i.total_minor - i.allocated_minor - i.credited_minor)
                       FILTER (WHERE i.due_date < %(day)s) AS overdue
              FROM billing_invoice i
             WHERE i.customer_id = c.id AND i.currency = c.currency
               AND i.kind = 'invoice' AND i.state = 'open') debt ON true
      LEFT JOIN LATERAL (
            SELECT sum(p.amount_minor - p.allocated_minor) AS credit
              FROM billing_payment p
             WHERE p.customer_id = c.id AND p.currency = c.currency
               AND p.state = 'succeeded' AND p.amount_minor > p.allocated_minor
           ) money ON true
     WHERE c.id = ANY(%(ids)s)
"""
