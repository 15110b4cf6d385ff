"""The reference for the bill run: the same bills written by Django's bulk_create.

Set up fairly: the same rating, the same order, the same guards and numbering,
batches of 1,000, no query per row. scripts/benchmark.py and the test beside this
file compare it with `operations.write_invoices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import starmap

from apps.billing.enums import SeriesKind
from apps.billing.models import (
    BilledPeriod,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerEntry,
    LedgerTransaction,
)
from apps.billing.operations.writing import (
    INVOICE_SOURCE,
    Issue,
    number_drafts,
)
from apps.billing.rules.ledger import invoice_postings
from apps.billing.rules.rating import Bill
from apps.identity.selectors import CustomerSnapshot
from dotmac.core.db import set_constraints_immediate

BATCH = 1_000
# Not asdict: it copies each value deeply.
_BUYER_FIELDS = tuple(field.name for field in fields(CustomerSnapshot))
Bills = Sequence[tuple[CustomerSnapshot, Bill]]


def write_by_bulk_create(*, issue: Issue, bills: Bills) -> list[int]:
    """What `write_invoices` does, by model objects instead of COPY."""
    invoices = Invoice.objects.bulk_create(
        [_header(issue, buyer, bill) for buyer, bill in bills], batch_size=BATCH
    )
    pairs = list(zip(invoices, (bill for _, bill in bills), strict=True))
    lines = [line for pair in pairs for line in _lines(*pair)]
    InvoiceLine.objects.bulk_create(lines, batch_size=BATCH)
    taxes = [tax for pair in pairs for tax in _taxes(*pair)]
    InvoiceTax.objects.bulk_create(taxes, batch_size=BATCH)
    claims = [claim for pair in pairs for claim in _claims(*pair)]
    BilledPeriod.objects.bulk_create(claims, batch_size=BATCH)
    posted = LedgerTransaction.objects.bulk_create(
        [_transaction(issue, invoice) for invoice in invoices], batch_size=BATCH
    )
    entries = list(starmap(_entries, zip(posted, invoices, strict=True)))
    # Whole transactions in each statement: the ledger judges by statement.
    for start in range(0, len(entries), BATCH):
        part = [entry for some in entries[start : start + BATCH] for entry in some]
        LedgerEntry.objects.bulk_create(part)
    set_constraints_immediate()
    ids = sorted(invoice.pk for invoice in invoices)
    number_drafts(
        ids=ids, kind=SeriesKind.INVOICE, year=issue.issue_date.year, now=issue.now
    )
    return ids


def _header(issue: Issue, buyer: CustomerSnapshot, bill: Bill) -> Invoice:
    return Invoice(
        kind="invoice",
        state="draft",
        number_year=issue.issue_date.year,
        customer_id=buyer.id,
        run_id=issue.run_id,
        seller_id=issue.seller_id,
        issue_date=issue.issue_date,
        due_date=issue.due_date,
        period_start=min(line.start for line in bill.lines),
        period_end=max(line.end for line in bill.lines),
        currency=bill.currency,
        subtotal_minor=bill.subtotal_minor,
        tax_minor=bill.tax_minor,
        total_minor=bill.total_minor,
        buyer={name: getattr(buyer, name) for name in _BUYER_FIELDS},
        issued_at=issue.now,
        created_at=issue.now,
        updated_at=issue.now,
    )


def _lines(invoice: Invoice, bill: Bill) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            invoice=invoice,
            number=number,
            service_id=line.service_id,
            service_reference=line.service_reference,
            description=line.description,
            period_start=line.start,
            period_end=line.end,
            days=line.days,
            days_whole=line.days_whole,
            unit_price=line.unit_price,
            amount_minor=line.amount_minor,
            tax_class=line.tax_class,
            tax_percent=line.tax_percent,
        )
        for number, line in enumerate(bill.lines, 1)
    ]


def _taxes(invoice: Invoice, bill: Bill) -> list[InvoiceTax]:
    return [
        InvoiceTax(
            invoice=invoice,
            tax_class=tax.tax_class,
            label=tax.label,
            percent=tax.percent,
            base_minor=tax.base_minor,
            amount_minor=tax.amount_minor,
        )
        for tax in bill.taxes
    ]


def _claims(invoice: Invoice, bill: Bill) -> list[BilledPeriod]:
    claimed = {(line.service_id, line.month) for line in bill.lines}
    return [
        BilledPeriod(service_id=service_id, period_start=month, invoice=invoice)
        for service_id, month in sorted(claimed)
    ]


def _transaction(issue: Issue, invoice: Invoice) -> LedgerTransaction:
    return LedgerTransaction(
        source_kind=INVOICE_SOURCE,
        source_id=invoice.pk,
        occurred_date=issue.issue_date,
        created_at=issue.now,
        updated_at=issue.now,
    )


def _entries(posted: LedgerTransaction, invoice: Invoice) -> list[LedgerEntry]:
    return [
        LedgerEntry(
            transaction=posted,
            account_id=posting.account,
            customer_id=posting.customer_id,
            amount_minor=posting.amount_minor,
            currency=posting.currency,
        )
        for posting in invoice_postings(
            customer_id=invoice.customer_id,
            subtotal_minor=invoice.subtotal_minor,
            tax_minor=invoice.tax_minor,
            currency=invoice.currency,
        )
    ]
