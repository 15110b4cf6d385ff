"""What one document says, as plain text for the template: words, dates, amounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from apps.billing.enums import InvoiceKind, InvoiceState
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax
from dotmac.core.money import Money

_TO = " \N{EN DASH} "


def document_data(
    *,
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    taxes: Sequence[InvoiceTax],
    day: date,
) -> dict[str, Any]:
    """The whole document. `day` decides only whether it says overdue."""
    credit_note = invoice.kind == InvoiceKind.CREDIT_NOTE
    seller = invoice.seller.details
    heading = gettext("Credit note") if credit_note else gettext("Invoice")
    return {
        "language": (get_language() or "en").split("-")[0],
        "credit_note": credit_note,
        "title": f"{heading} {invoice.reference}",
        "heading": heading,
        "reference": invoice.reference,
        "issued": [
            invoice.issue_date.year,
            invoice.issue_date.month,
            invoice.issue_date.day,
        ],
        "seller": {"name": seller["name"], "lines": _seller_lines(seller)},
        "buyer": {"name": invoice.buyer["name"], "lines": _buyer_lines(invoice.buyer)},
        "facts": _facts(invoice),
        "reason": invoice.note if credit_note else "",
        "labels": _labels(credit_note=credit_note),
        "columns": _columns(),
        "lines": [_line(line, invoice) for line in lines],
        "tax_columns": [gettext("Tax"), gettext("Net"), gettext("Amount")],
        "taxes": [
            [
                _rate(tax),
                _plain(tax.base_minor, invoice),
                _plain(tax.amount_minor, invoice),
            ]
            for tax in taxes
        ],
        "totals": _totals(invoice),
        **_outcome(invoice, day),
        "pay": _pay(invoice, seller),
        "footer": " · ".join(
            part
            for part in (seller["name"], seller.get("phone"), seller.get("email"))
            if part
        ),
    }


def _labels(*, credit_note: bool) -> dict[str, str]:
    return {
        "billed_to": gettext("Credited to") if credit_note else gettext("Billed to"),
        "reason": gettext("Reason:"),
        "tax_table": gettext("Tax summary"),
        "how_to_pay": gettext("How to pay"),
        "page": gettext("Page"),
    }


def _columns() -> list[str]:
    return [
        gettext("Description"),
        gettext("Period"),
        gettext("Days"),
        gettext("Monthly price"),
        gettext("Amount"),
    ]


def _seller_lines(seller: dict[str, Any]) -> list[str]:
    lines = [str(line) for line in seller.get("address_lines", [])]
    if number := seller.get("tax_number"):
        lines.append(gettext("Tax number %(number)s") % {"number": number})
    return lines or [""]


def _buyer_lines(buyer: dict[str, Any]) -> list[str]:
    lines = [str(line) for line in buyer.get("address_lines", [])]
    if number := buyer.get("tax_number"):
        lines.append(gettext("Tax number %(number)s") % {"number": number})
    lines.append(
        gettext("Customer %(reference)s") % {"reference": buyer.get("reference", "")}
    )
    return lines


def _facts(invoice: Invoice) -> list[list[str]]:
    facts = [
        [gettext("Number"), str(invoice.reference)],
        [gettext("Date of issue"), _day(invoice.issue_date)],
    ]
    if invoice.credits_invoice is not None:
        facts.append(
            [gettext("Credits invoice"), str(invoice.credits_invoice.reference)]
        )
        facts.append([gettext("Issued"), _day(invoice.credits_invoice.issue_date)])
        return facts
    facts.append([gettext("Due date"), _day(invoice.due_date)])
    if invoice.period_start and invoice.period_end:
        facts.append(
            [gettext("Period"), _days(invoice.period_start, invoice.period_end)]
        )
    return facts


def _line(line: InvoiceLine, invoice: Invoice) -> dict[str, str]:
    prorated = line.days is not None and line.days != line.days_whole
    detail = line.service_reference
    if prorated:
        share = gettext("%(days)s of %(whole)s days of the month") % {
            "days": line.days,
            "whole": line.days_whole,
        }
        detail = " · ".join(part for part in (detail, share) if part)
    period = ""
    if line.period_start and line.period_end:
        period = _days(line.period_start, line.period_end)
    return {
        "description": line.description,
        "detail": detail,
        "period": period,
        "days": f"{line.days}/{line.days_whole}" if line.days else "",
        "unit_price": _price(line.unit_price, invoice),
        "amount": _plain(line.amount_minor, invoice),
    }


def _totals(invoice: Invoice) -> list[list[str]]:
    rows = [
        (gettext("Net"), invoice.subtotal_minor),
        (gettext("Tax"), invoice.tax_minor),
        (gettext("Total"), invoice.total_minor),
    ]
    if invoice.credited_minor:
        rows.append((gettext("Credited"), -invoice.credited_minor))
    if invoice.allocated_minor:
        rows.append((gettext("Paid"), -invoice.allocated_minor))
    return [[label, _with_currency(amount, invoice)] for label, amount in rows]


def _outcome(invoice: Invoice, day: date) -> dict[str, Any]:
    """The coloured box under the totals, the stamp, and the note beneath."""
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return {
            "stamp": "",
            "due_label": gettext("Credit"),
            "due_amount": _with_currency(invoice.total_minor, invoice),
            "due_note": gettext("Set off against the invoice, else kept as credit."),
            "overdue": False,
        }
    stamps = {
        InvoiceState.PAID: gettext("PAID"),
        InvoiceState.VOID: gettext("CREDITED"),
    }
    overdue = invoice.open_minor > 0 and invoice.due_date < day
    note = ""
    if invoice.open_minor > 0:
        late = (day - invoice.due_date).days
        note = (
            ngettext("Overdue by %(days)s day", "Overdue by %(days)s days", late)
            % {"days": late}
            if overdue
            else gettext("Please pay by %(day)s") % {"day": _day(invoice.due_date)}
        )
    return {
        "stamp": stamps.get(InvoiceState(invoice.state), ""),
        "due_label": gettext("Amount due"),
        "due_amount": _with_currency(invoice.open_minor, invoice),
        "due_note": note,
        "overdue": overdue,
    }


def _pay(invoice: Invoice, seller: dict[str, Any]) -> list[str]:
    if not invoice.open_minor:
        return []
    lines = [str(line) for line in seller.get("bank_lines", [])]
    if lines:
        lines.append(
            gettext("Payment reference: %(reference)s")
            % {"reference": invoice.reference}
        )
    if portal := seller.get("portal"):
        lines.append(gettext("Pay online: %(address)s") % {"address": portal})
    return lines


def _rate(tax: InvoiceTax) -> str:
    percent = f"{tax.percent.normalize():f}"
    return f"{tax.label} {percent} %"


def _plain(amount_minor: int, invoice: Invoice) -> str:
    return str(Money(amount_minor, invoice.currency)).rsplit(" ", 1)[0]


def _with_currency(amount_minor: int, invoice: Invoice) -> str:
    return f"{invoice.currency} {_plain(amount_minor, invoice)}"


def _price(price: Decimal, invoice: Invoice) -> str:
    """The unit price with the currency's digits, and more where it is finer."""
    shortest = _plain(0, invoice)
    digits = len(shortest.partition(".")[2])
    exact = -int(price.normalize().as_tuple().exponent)
    return f"{price:,.{max(digits, exact)}f}"


def _day(day: date) -> str:
    return date_format(day, "j M Y")


def _days(start: date, end: date) -> str:
    """First and last day charged, both included, as people print it."""
    last = end - timedelta(days=1)
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day}{_TO}{_day(last)}"
    return f"{_day(start)}{_TO}{_day(last)}"
