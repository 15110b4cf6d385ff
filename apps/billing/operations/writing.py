"""Bills into tables by COPY: a fixed number of statements, whatever their number.

Order matters (docs/locking.md): drafts, lines, taxes, claims, ledger; then the
deferred key checks; then the number series, one UPDATE, and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from apps.billing.enums import InvoiceKind, InvoiceState, SeriesKind
from apps.billing.models import (
    BilledPeriod,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerEntry,
    LedgerTransaction,
)
from apps.billing.operations.numbers import take_numbers
from apps.billing.rules.ledger import invoice_postings
from apps.billing.rules.rating import Bill
from apps.identity.selectors import CustomerSnapshot
from dotmac.core.db import copy_rows, next_ids, set_constraints_immediate

INVOICE_SOURCE = "invoice"

INVOICE_COLUMNS = (
    "id", "kind", "state", "number_year", "customer", "run", "seller",
    "issue_date", "due_date", "period_start", "period_end", "currency",
    "subtotal_minor", "tax_minor", "total_minor", "allocated_minor",
    "credited_minor", "buyer", "note", "issued_at", "created_at", "updated_at",
)  # fmt: skip
LINE_COLUMNS = (
    "invoice", "number", "service_id", "service_reference", "description",
    "period_start", "period_end", "days", "days_whole", "unit_price",
    "amount_minor", "tax_class", "tax_percent",
)  # fmt: skip
TAX_COLUMNS = (
    "invoice", "tax_class", "label", "percent", "base_minor", "amount_minor",
)  # fmt: skip
CLAIM_COLUMNS = ("service", "period_start", "invoice")
TRANSACTION_COLUMNS = (
    "id", "source_kind", "source_id", "occurred_date", "description",
    "created_at", "updated_at",
)  # fmt: skip
ENTRY_COLUMNS = ("transaction", "account", "customer", "amount_minor", "currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What all invoices of one batch share."""

    run_id: int | None
    seller_id: int
    issue_date: date
    due_date: date
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A bill, its buyer, and the key reserved for its invoice."""

    invoice_id: int
    buyer: CustomerSnapshot
    bill: Bill


def write_invoices(
    *, issue: Issue, bills: Sequence[tuple[CustomerSnapshot, Bill]]
) -> list[int]:
    """Write, post and number the invoices in the current transaction.

    Returns their ids, in the order of the bills and of their numbers. A month
    that another transaction billed meanwhile breaks `billing_billedperiod_once`.
    """
    if not bills:
        return []
    ids = sorted(next_ids(Invoice, len(bills)))
    drafts = [
        Draft(invoice_id=invoice_id, buyer=buyer, bill=bill)
        for invoice_id, (buyer, bill) in zip(ids, bills, strict=True)
    ]
    copy_rows(Invoice, INVOICE_COLUMNS, _headers(drafts, issue))
    copy_rows(InvoiceLine, LINE_COLUMNS, _lines(drafts))
    copy_rows(InvoiceTax, TAX_COLUMNS, _taxes(drafts))
    copy_rows(BilledPeriod, CLAIM_COLUMNS, _claims(drafts))
    _post(drafts, issue)
    set_constraints_immediate()
    number_drafts(
        ids=ids, kind=SeriesKind.INVOICE, year=issue.issue_date.year, now=issue.now
    )
    return ids


def number_drafts(
    *, ids: Sequence[int], kind: SeriesKind, year: int, now: datetime
) -> None:
    """Give drafts their legal numbers and final states: the last statement.

    The series stays locked until commit. Guards in the database judge here that
    lines and taxes add up.
    """
    first = take_numbers(kind=kind, year=year, count=len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE "{Invoice._meta.db_table}" i
               SET number = %(first)s + o.rank,
                   reference = %(prefix)s || lpad(
                       (%(first)s + o.rank)::text,
                       greatest(6, length((%(first)s + o.rank)::text)), '0'),
                   state = CASE WHEN i.kind = 'credit_note' OR i.total_minor = 0
                                THEN 'paid' ELSE 'open' END,
                   updated_at = %(now)s
              FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS rank
                      FROM unnest(%(ids)s::bigint[]) AS id) o
             WHERE i.id = o.id
            """,  # noqa: S608  # nosec B608
            {
                "first": first,
                "prefix": f"{kind.label}-{year}-",
                "ids": list(ids),
                "now": now,
            },
        )
        assert cursor.rowcount == len(ids)


def _headers(drafts: Iterable[Draft], issue: Issue) -> Iterator[tuple[Any, ...]]:
    # What all rows share becomes text once, not once a row.
    issued, due, now = str(issue.issue_date), str(issue.due_date), str(issue.now)
    for draft in drafts:
        bill = draft.bill
        yield (
            draft.invoice_id,
            InvoiceKind.INVOICE.value,
            InvoiceState.DRAFT.value,
            issue.issue_date.year,
            draft.buyer.id,
            issue.run_id,
            issue.seller_id,
            issued,
            due,
            min(line.start for line in bill.lines),
            max(line.end for line in bill.lines),
            bill.currency,
            bill.subtotal_minor,
            bill.tax_minor,
            bill.total_minor,
            0,
            0,
            orjson.dumps(draft.buyer).decode(),
            "",
            now,
            now,
            now,
        )


def _lines(drafts: Iterable[Draft]) -> Iterator[tuple[Any, ...]]:
    for draft in drafts:
        for number, line in enumerate(draft.bill.lines, 1):
            yield (
                draft.invoice_id,
                number,
                line.service_id,
                line.service_reference,
                line.description,
                line.start,
                line.end,
                line.days,
                line.days_whole,
                line.unit_price,
                line.amount_minor,
                line.tax_class,
                line.tax_percent,
            )


def _taxes(drafts: Iterable[Draft]) -> Iterator[tuple[Any, ...]]:
    for draft in drafts:
        for tax in draft.bill.taxes:
            yield (
                draft.invoice_id,
                tax.tax_class,
                tax.label,
                tax.percent,
                tax.base_minor,
                tax.amount_minor,
            )


def _claims(drafts: Iterable[Draft]) -> Iterator[tuple[Any, ...]]:
    for draft in drafts:
        claimed = {(line.service_id, line.month) for line in draft.bill.lines}
        for service_id, month in sorted(claimed):
            yield (service_id, month, draft.invoice_id)


def _post(drafts: Sequence[Draft], issue: Issue) -> None:
    """The ledger's side; an invoice of zero posts nothing."""
    owed = [draft for draft in drafts if draft.bill.total_minor]
    if not owed:
        return
    keys = next_ids(LedgerTransaction, len(owed))
    pairs = list(zip(keys, owed, strict=True))
    copy_rows(LedgerTransaction, TRANSACTION_COLUMNS, _transactions(pairs, issue))
    copy_rows(LedgerEntry, ENTRY_COLUMNS, _entries(pairs))


def _transactions(
    pairs: Iterable[tuple[int, Draft]], issue: Issue
) -> Iterator[tuple[Any, ...]]:
    day, now = str(issue.issue_date), str(issue.now)
    for key, draft in pairs:
        yield (key, INVOICE_SOURCE, draft.invoice_id, day, "", now, now)


def _entries(pairs: Iterable[tuple[int, Draft]]) -> Iterator[tuple[Any, ...]]:
    for key, draft in pairs:
        bill = draft.bill
        for posting in invoice_postings(
            customer_id=draft.buyer.id,
            subtotal_minor=bill.subtotal_minor,
            tax_minor=bill.tax_minor,
            currency=bill.currency,
        ):
            yield (
                key,
                posting.account,
                posting.customer_id,
                posting.amount_minor,
                posting.currency,
            )
