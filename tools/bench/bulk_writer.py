"""The reference for bill runs: the same chunks, rating and rows, by bulk_create.

Chunks, parked services, events, job and the number series are DotMac's; only the
writer differs: instances of models and `bulk_create` instead of COPY. It is as
good as the ORM allows: ids reserved, one INSERT a table and chunk, numbers by the
same single UPDATE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from django.db import models

from apps.billing import operations as billing
from apps.billing.enums import InvoiceKind, InvoiceState, SeriesKind
from apps.billing.models import (
    BilledPeriod,
    BillingRun,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerEntry,
    LedgerTransaction,
)
from apps.billing.operations import runs
from apps.billing.operations.writing import (
    INVOICE_SOURCE,
    Draft,
    Issue,
    buyer_json,
    number_drafts,
)
from apps.billing.rules.ledger import invoice_postings
from apps.billing.rules.rating import Bill
from apps.identity.selectors import CustomerSnapshot
from dotmac.core.db import next_ids, set_constraints_immediate


def run_billing(**facts: Any) -> BillingRun:
    """DotMac's run with the other writer in its place."""
    with patch.object(runs, "write_invoices", write_invoices):
        return billing.run_billing(**facts)


def write_invoices(
    *, issue: Issue, bills: Sequence[tuple[CustomerSnapshot, Bill]]
) -> list[int]:
    """The same rows as `billing.write_invoices`."""
    if not bills:
        return []
    ids = sorted(next_ids(Invoice, len(bills)))
    drafts = [
        Draft(invoice_id=invoice_id, buyer=buyer, bill=bill)
        for invoice_id, (buyer, bill) in zip(ids, bills, strict=True)
    ]
    _create(Invoice, [_header(draft, issue) for draft in drafts])
    _create(InvoiceLine, [line for draft in drafts for line in _lines(draft)])
    _create(InvoiceTax, [tax for draft in drafts for tax in _taxes(draft)])
    _create(BilledPeriod, [claim for draft in drafts for claim in _claims(draft)])
    owed = [draft for draft in drafts if draft.bill.total_minor]
    keys = next_ids(LedgerTransaction, len(owed)) if owed else []
    pairs = list(zip(keys, owed, strict=True))
    _create(LedgerTransaction, [_transaction(k, d, issue) for k, d in pairs])
    _create(LedgerEntry, [entry for k, d in pairs for entry in _entries(k, d)])
    set_constraints_immediate()
    number_drafts(
        ids=ids, kind=SeriesKind.INVOICE, year=issue.issue_date.year, now=issue.now
    )
    return ids


def _create(model: type[models.Model], rows: list[Any]) -> None:
    model._default_manager.bulk_create(rows)


def _header(draft: Draft, issue: Issue) -> Invoice:
    bill = draft.bill
    return Invoice(
        id=draft.invoice_id,
        kind=InvoiceKind.INVOICE,
        state=InvoiceState.DRAFT,
        number_year=issue.issue_date.year,
        customer_id=draft.buyer.id,
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
        buyer=buyer_json(draft.buyer),
        issued_at=issue.now,
        created_at=issue.now,
        updated_at=issue.now,
    )


def _lines(draft: Draft) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            invoice_id=draft.invoice_id,
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
        for number, line in enumerate(draft.bill.lines, 1)
    ]


def _taxes(draft: Draft) -> list[InvoiceTax]:
    return [
        InvoiceTax(
            invoice_id=draft.invoice_id,
            tax_class=tax.tax_class,
            label=tax.label,
            percent=tax.percent,
            base_minor=tax.base_minor,
            amount_minor=tax.amount_minor,
        )
        for tax in draft.bill.taxes
    ]


def _claims(draft: Draft) -> list[BilledPeriod]:
    claimed = {(line.service_id, line.month) for line in draft.bill.lines}
    return [
        BilledPeriod(
            service_id=service_id, period_start=month, invoice_id=draft.invoice_id
        )
        for service_id, month in sorted(claimed)
    ]


def _transaction(key: int, draft: Draft, issue: Issue) -> LedgerTransaction:
    return LedgerTransaction(
        id=key,
        source_kind=INVOICE_SOURCE,
        source_id=draft.invoice_id,
        occurred_date=issue.issue_date,
        created_at=issue.now,
        updated_at=issue.now,
    )


def _entries(key: int, draft: Draft) -> list[LedgerEntry]:
    bill = draft.bill
    return [
        LedgerEntry(
            transaction_id=key,
            account_id=posting.account,
            customer_id=posting.customer_id,
            amount_minor=posting.amount_minor,
            currency=posting.currency,
        )
        for posting in invoice_postings(
            customer_id=draft.buyer.id,
            subtotal_minor=bill.subtotal_minor,
            tax_minor=bill.tax_minor,
            currency=bill.currency,
        )
    ]
