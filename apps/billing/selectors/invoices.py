"""Invoices and credit notes as others read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from apps.billing.documents.content import document_data
from apps.billing.documents.render import render_pdf
from apps.billing.enums import InvoiceState, SeriesKind
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax, NumberSeries
from apps.billing.models.invoice import InvoiceQuerySet
from apps.billing.rules.credit import LineRest, TaxRest
from apps.identity import selectors as identity
from dotmac.core.actors import Actor
from dotmac.core.money import Money

OPEN_MAX = 1000
SERIES_MAX = 20


def invoices_visible_to(
    actor: Actor, permission: str = "billing.view_invoice"
) -> InvoiceQuerySet:
    """Issued documents of the customers that the permission reaches."""
    rows = Invoice.objects.exclude(state=InvoiceState.DRAFT)
    return identity.of_visible_customers(rows, actor, permission)


def open_invoices_of(customer_id: int) -> list[Invoice]:
    """What the customer has to pay, the earliest due first."""
    rows = Invoice.objects.open().filter(customer_id=customer_id)
    return list(rows.order_by("due_date", "pk")[:OPEN_MAX])


def overdue_of(customer_id: int, *, day: date) -> Money | None:
    """What is past its day, in the currency of the oldest; None when nothing is."""
    late = [row for row in open_invoices_of(customer_id) if row.due_date < day]
    if not late:
        return None
    currency = late[0].currency
    minor = sum(row.open_minor for row in late if row.currency == currency)
    return Money(minor, currency)


def references_with_number(number: int) -> list[str]:
    """The references that a bare number may stand for."""
    series = NumberSeries.objects.filter(next_value__gt=number)
    return [
        f"{SeriesKind(row.kind).label}-{row.year}-{number:06d}"
        for row in series.order_by("-year")[:SERIES_MAX]
    ]


def find_invoice(*, reference: str) -> Invoice | None:
    return Invoice.objects.filter(reference=reference).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDetail:
    """A document with what stands on it and what was credited against it."""

    invoice: Invoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]
    credit_notes: list[Invoice]


def invoice_detail(invoice_id: int) -> InvoiceDetail:
    """Raises Invoice.DoesNotExist."""
    invoice = Invoice.objects.select_related("seller", "credits_invoice").get(
        pk=invoice_id
    )
    return InvoiceDetail(
        invoice=invoice,
        lines=list(lines_of(invoice_id)),
        taxes=list(taxes_of(invoice_id)),
        credit_notes=list(credit_notes_of(invoice_id)),
    )


def lines_of(invoice_id: int) -> QuerySet[InvoiceLine]:
    return InvoiceLine.objects.filter(invoice_id=invoice_id).order_by("number")


def taxes_of(invoice_id: int) -> QuerySet[InvoiceTax]:
    return InvoiceTax.objects.filter(invoice_id=invoice_id).order_by("pk")


def credit_notes_of(invoice_id: int) -> InvoiceQuerySet:
    rows = Invoice.objects.filter(credits_invoice_id=invoice_id)
    return rows.exclude(state=InvoiceState.DRAFT).order_by("pk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """How the amount of a line came about, for people and programs."""

    rule: str
    unit_price: Decimal
    days: int | None
    days_of_month: int | None
    text: str


def why_of(line: InvoiceLine, *, currency: str) -> Why:
    """A whole month, a share of one, or a credit against another line."""
    amount = Money(line.amount_minor, currency)
    price = f"{line.unit_price.normalize():,f} {currency}"
    if line.credits_line_id is not None:
        rule = "credited"
        text = _("%(amount)s taken back.") % {"amount": amount}
    elif line.days == line.days_whole:
        rule = "whole_month"
        text = _("%(price)s for the whole month.") % {"price": price}
    else:
        rule = "prorated"
        text = _(
            "%(price)s a month, for %(days)s of its %(whole)s days: %(amount)s."
        ) % {
            "price": price,
            "days": line.days,
            "whole": line.days_whole,
            "amount": amount,
        }
    return Why(
        rule=rule,
        unit_price=line.unit_price,
        days=line.days,
        days_of_month=line.days_whole,
        text=text,
    )


def invoice_pdf(*, invoice_id: int, day: date) -> bytes:
    """The document as PDF/A-3b. `day` decides whether it says overdue."""
    detail = invoice_detail(invoice_id)
    data = document_data(
        invoice=detail.invoice, lines=detail.lines, taxes=detail.taxes, day=day
    )
    return render_pdf(data)


def creditable_rest(invoice_id: int) -> tuple[list[LineRest], list[TaxRest]]:
    """What earlier credit notes left of each line and of each tax group."""
    notes = Invoice.objects.filter(
        credits_invoice_id=invoice_id, state=InvoiceState.PAID
    ).values("pk")
    taken_lines = _sums(
        InvoiceLine.objects.filter(invoice_id__in=notes), "credits_line_id"
    )
    taken_taxes = {
        (row["tax_class"], row["percent"]): row["taken"]
        for row in InvoiceTax.objects.filter(invoice_id__in=notes)
        .values("tax_class", "percent")
        .annotate(taken=Sum("amount_minor"))
    }
    lines = [
        LineRest(
            line_id=line.pk,
            tax_class=line.tax_class,
            tax_percent=line.tax_percent,
            amount_minor=line.amount_minor,
            credited_minor=taken_lines.get(line.pk, 0),
        )
        for line in lines_of(invoice_id)
    ]
    taxes = [
        TaxRest(
            tax_class=tax.tax_class,
            label=tax.label,
            percent=tax.percent,
            amount_minor=tax.amount_minor,
            credited_minor=taken_taxes.get((tax.tax_class, tax.percent), 0),
        )
        for tax in taxes_of(invoice_id)
    ]
    return lines, taxes


def _sums(rows: QuerySet[InvoiceLine], key: str) -> dict[int, int]:
    sums = rows.values(key).annotate(taken=Sum("amount_minor"))
    return dict(sums.values_list(key, "taken"))
