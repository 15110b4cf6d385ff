"""Credit notes: how an issued invoice is corrected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from apps.billing.enums import InvoiceKind, InvoiceState, SeriesKind
from apps.billing.errors import (
    CreditExceedsRest,
    CreditNothing,
    CreditUnclear,
    InvoiceNotCreditable,
    OtherCurrency,
    UnknownInvoice,
    UnknownLine,
)
from apps.billing.events import CreditNoteIssued
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax
from apps.billing.operations.allocation import release_allocations
from apps.billing.operations.ledger import post
from apps.billing.operations.locks import lock_customer
from apps.billing.operations.sellers import current_seller_id
from apps.billing.operations.writing import number_drafts
from apps.billing.rules import credit as rules
from apps.billing.rules.invoices import state_after
from apps.billing.rules.ledger import credit_note_postings
from apps.billing.selectors.invoices import creditable_rest, lines_of
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor
from dotmac.core.errors import PreconditionFailed
from dotmac.core.money import Money

CREDIT_SOURCE = "credit_note"
REASON_MAX = 300


@transaction.atomic
def issue_credit_note(
    *,
    invoice_id: int,
    reason: str,
    full: bool = False,
    amount: Money | None = None,
    lines: Mapping[int, Money] | None = None,
    if_credited: Money | None = None,
    actor: Actor,
    now: datetime,
) -> Invoice:
    """Take back an invoice: in full, a gross amount, or a net amount per line.

    Reduces what is open; what was paid already becomes the customer's credit.
    A full credit makes the invoice void. Refused when more is asked than is left,
    or when `if_credited` is not what was credited so far. Each call writes a note
    of its own: the edge makes repeats harmless by the Idempotency-Key.
    """
    invoice = _locked_invoice(invoice_id)
    if if_credited is not None and if_credited.amount_minor != invoice.credited_minor:
        raise PreconditionFailed
    credit = _credit_of(invoice, full=full, amount=amount, lines=lines)
    actor.weigh(
        "billing.issue_credit_note", Money(credit.total_minor, invoice.currency)
    )
    _free_what_was_paid(invoice, credit, now)

    today = max(ops_selectors.business_date(now=now), invoice.issue_date)
    note = _write_note(invoice, credit, reason.strip()[:REASON_MAX], today, now)
    _post_note(note, now)
    number_drafts(ids=[note.pk], kind=SeriesKind.CREDIT_NOTE, year=today.year, now=now)
    note.refresh_from_db()
    _reduce(invoice, note, now)
    ops.emit(
        CreditNoteIssued(
            occurred_at=now,
            credit_note_id=note.pk,
            invoice_id=invoice.pk,
            reference=str(note.reference),
            of_customer_id=note.customer_id,
        ),
        actor=actor,
    )
    return note


def _locked_invoice(invoice_id: int) -> Invoice:
    """The invoice, its customer held first; raises UnknownInvoice."""
    owner = Invoice.objects.filter(pk=invoice_id).values_list("customer_id", flat=True)
    if not owner:
        raise UnknownInvoice(field="invoice")
    lock_customer(owner[0])
    invoice = Invoice.objects.locked().get(pk=invoice_id)
    if invoice.kind != InvoiceKind.INVOICE or invoice.state in {
        InvoiceState.DRAFT,
        InvoiceState.VOID,
    }:
        raise InvoiceNotCreditable(field="invoice", state=invoice.state)
    return invoice


def _credit_of(
    invoice: Invoice,
    *,
    full: bool,
    amount: Money | None,
    lines: Mapping[int, Money] | None,
) -> rules.Credit:
    if sum((full, amount is not None, lines is not None)) != 1:
        raise CreditUnclear
    line_rests, tax_rests = creditable_rest(invoice.pk)
    if amount is not None:
        credit = _by_amount(invoice, line_rests, tax_rests, amount)
    elif lines is not None:
        credit = _by_line(invoice, line_rests, tax_rests, lines)
    else:
        credit = rules.credit_all(lines=line_rests, taxes=tax_rests)
    if credit.total_minor == 0:
        raise CreditNothing
    return credit


def _by_amount(
    invoice: Invoice,
    line_rests: list[rules.LineRest],
    tax_rests: list[rules.TaxRest],
    amount: Money,
) -> rules.Credit:
    _refuse_currency(invoice, amount, "amount.currency")
    if amount.amount_minor <= 0:
        raise CreditNothing(field="amount.amount")
    rest = rules.rest_minor(line_rests, tax_rests)
    if amount.amount_minor > rest:
        left = Money(rest, invoice.currency)
        raise CreditExceedsRest(field="amount.amount", rest=left.plain())
    return rules.credit_amount(
        lines=line_rests, taxes=tax_rests, gross_minor=amount.amount_minor
    )


def _by_line(
    invoice: Invoice,
    line_rests: list[rules.LineRest],
    tax_rests: list[rules.TaxRest],
    amounts: Mapping[int, Money],
) -> rules.Credit:
    left = {rest.line_id: rest.rest_minor for rest in line_rests}
    for line_id, amount in amounts.items():
        if line_id not in left:
            raise UnknownLine(field="lines", line=line_id)
        _refuse_currency(invoice, amount, "lines")
        if amount.amount_minor < 0:
            raise CreditNothing(field="lines", line=line_id)
        if amount.amount_minor > left[line_id]:
            rest = Money(left[line_id], invoice.currency)
            raise CreditExceedsRest(field="lines", line=line_id, rest=rest.plain())
    return rules.credit_lines(
        lines=line_rests,
        taxes=tax_rests,
        nets={line_id: amount.amount_minor for line_id, amount in amounts.items()},
    )


def _refuse_currency(invoice: Invoice, amount: Money, field: str) -> None:
    if amount.currency != invoice.currency:
        raise OtherCurrency(field=field, currency=invoice.currency)


def _free_what_was_paid(invoice: Invoice, credit: rules.Credit, now: datetime) -> None:
    """Payments get back what the invoice no longer asks for."""
    excess = credit.total_minor - invoice.open_minor
    if excess > 0:
        released = release_allocations(
            invoice_id=invoice.pk, amount_minor=excess, now=now
        )
        assert released == excess, "Allocations sum to what the invoice says."


def _write_note(
    invoice: Invoice, credit: rules.Credit, reason: str, today: date, now: datetime
) -> Invoice:
    note = Invoice.objects.create(
        kind=InvoiceKind.CREDIT_NOTE,
        state=InvoiceState.DRAFT,
        number_year=today.year,
        customer_id=invoice.customer_id,
        seller_id=current_seller_id(),
        credits_invoice=invoice,
        issue_date=today,
        due_date=today,
        currency=invoice.currency,
        subtotal_minor=credit.subtotal_minor,
        tax_minor=credit.tax_minor,
        total_minor=credit.total_minor,
        buyer=invoice.buyer,
        note=reason,
        issued_at=now,
        created_at=now,
        updated_at=now,
    )
    originals = {line.pk: line for line in lines_of(invoice.pk)}
    InvoiceLine.objects.bulk_create(
        _note_line(note, number, originals[part.line_id], part.amount_minor)
        for number, part in enumerate(credit.lines, 1)
    )
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            invoice=note,
            tax_class=tax.tax_class,
            label=tax.label,
            percent=tax.percent,
            base_minor=tax.base_minor,
            amount_minor=tax.amount_minor,
        )
        for tax in credit.taxes
    )
    return note


def _post_note(note: Invoice, now: datetime) -> None:
    post(
        source_kind=CREDIT_SOURCE,
        source_id=note.pk,
        postings=credit_note_postings(
            customer_id=note.customer_id,
            subtotal_minor=note.subtotal_minor,
            tax_minor=note.tax_minor,
            currency=note.currency,
        ),
        occurred_date=note.issue_date,
        now=now,
    )


def _note_line(
    note: Invoice, number: int, original: InvoiceLine, amount_minor: int
) -> InvoiceLine:
    return InvoiceLine(
        invoice=note,
        number=number,
        service_id=original.service_id,
        service_reference=original.service_reference,
        description=original.description,
        period_start=original.period_start,
        period_end=original.period_end,
        unit_price=original.unit_price,
        amount_minor=amount_minor,
        tax_class=original.tax_class,
        tax_percent=original.tax_percent,
        credits_line=original,
    )


def _reduce(invoice: Invoice, note: Invoice, now: datetime) -> None:
    """After the note is final: the guard compares with the sum of final notes."""
    invoice.refresh_from_db()
    invoice.credited_minor += note.total_minor
    invoice.state = state_after(
        state=invoice.state,
        total_minor=invoice.total_minor,
        allocated_minor=invoice.allocated_minor,
        credited_minor=invoice.credited_minor,
    )
    invoice.store("credited_minor", "state", now=now)
