"""Bills and payments of the signed-in customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from apps.billing import selectors
from apps.billing.enums import InvoiceKind
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax, Payment
from apps.billing.models.invoice import InvoiceQuerySet
from dotmac.core.console.states import State, state_of
from dotmac.core.errors import NotFound
from dotmac.core.money import Money
from dotmac.core.portal import (
    PortalMenuItem,
    PortalPage,
    PortalPageRequest,
    register_menu,
    register_page,
)

BILLS_MAX = 48
PAYMENTS_MAX = 24

register_menu(
    PortalMenuItem(
        slug="bills",
        label=_("Bills"),
        url_name="portal:bills",
        icon="receipt",
        order=30,
        permission="billing.view_invoice",
    )
)


def bills_of(page: PortalPageRequest) -> InvoiceQuerySet:
    """The issued documents of the customer shown."""
    page.require("billing.view_invoice")
    return Invoice.objects.filter(
        customer_id=page.customer_id, number__isnull=False
    ).select_related("credits_invoice")


def bill_state(invoice: Invoice, page: PortalPageRequest) -> State:
    """The badge: an open bill past its day is overdue."""
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return State(_("Credit note"), "quiet", "receipt-refund")
    if invoice.state == "open" and invoice.due_date < page.today:
        return state_of("overdue")
    if invoice.state == "open":
        return State(_("To pay"), "busy", "clock")
    return state_of(invoice.state)


def find_bill(page: PortalPageRequest, pk: int) -> Invoice:
    """The customer's own bill; raises NotFound."""
    invoice = bills_of(page).filter(pk=pk).first()
    if invoice is None:
        raise NotFound
    return invoice


@register_page
class Bills(PortalPage):
    """All bills, what is owed, and what was paid lately."""

    path, name, title = "bills", "bills", _("Bills")
    template, menu = "billing/portal/bills.html", "bills"

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        bills = list(bills_of(page).order_by("-pk")[:BILLS_MAX])
        return {
            "bills": [(bill, bill_state(bill, page)) for bill in bills],
            "payments": _payments(page),
            "standing": selectors.standing_of(page.customer_id, day=page.today),
            "why": selectors.why_suspended(page.customer_id),
        }


@register_page
class Bill(PortalPage):
    """One bill with the explanation of each line."""

    path, name, title = "bills/<int:pk>", "bill", _("Bill")
    template, menu = "billing/portal/bill.html", "bills"

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        invoice = find_bill(page, path["pk"])
        return {
            "title": str(invoice),
            "bill": invoice,
            "state": bill_state(invoice, page),
            "payable": invoice.state == "open" and invoice.open_minor > 0,
            "lines": _lines(invoice),
            "taxes": _taxes(invoice),
            "subtotal": invoice.money(invoice.subtotal_minor),
            "paid": selectors.payments_of_invoice(invoice.pk),
            "credits": bills_of(page).filter(credits_invoice=invoice),
        }


@register_page
class BillPdf(PortalPage):
    """The document as it was issued."""

    path, name, title = "bills/<int:pk>/pdf", "bill-pdf", _("Bill")
    template, menu = "billing/portal/bill.html", "bills"

    def respond(self, page: PortalPageRequest, **path: Any) -> HttpResponseBase:
        invoice = find_bill(page, path["pk"])
        response = HttpResponse(
            selectors.invoice_pdf(invoice_id=invoice.pk, day=page.today),
            content_type="application/pdf",
        )
        response["Content-Disposition"] = f'inline; filename="{invoice.reference}.pdf"'
        return response


@register_page
class Receipt(PortalPage):
    """What one payment was, and what it paid. Printable."""

    path, name, title = "payments/<int:pk>", "payment", _("Payment")
    template, menu = "billing/portal/payment.html", "bills"

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        page.require("billing.view_payment")
        payment = Payment.objects.filter(
            customer_id=page.customer_id, pk=path["pk"]
        ).first()
        if payment is None:
            raise NotFound
        return {
            "title": payment.reference,
            "payment": payment,
            "allocations": selectors.allocations_of([payment.pk])[payment.pk],
        }


def _payments(page: PortalPageRequest) -> list[Payment]:
    if not page.may("billing.view_payment"):
        return []
    return selectors.payments_of(page.customer_id, limit=PAYMENTS_MAX)


def _lines(invoice: Invoice) -> list[dict[str, Any]]:
    """Each line with what explains its amount."""
    rows = InvoiceLine.objects.filter(invoice=invoice).order_by("number")
    return [
        {
            "description": row.description,
            "service_reference": row.service_reference,
            "period_start": row.period_start,
            "last_day": row.period_end and row.period_end - timedelta(days=1),
            "days": row.days,
            "days_whole": row.days_whole,
            "price": Money.rounded(row.unit_price, invoice.currency),
            "amount": invoice.money(row.amount_minor),
        }
        for row in rows
    ]


def _taxes(invoice: Invoice) -> list[dict[str, Any]]:
    rows = InvoiceTax.objects.filter(invoice=invoice).order_by("pk")
    return [
        {
            "label": row.label,
            "rate": f"{row.percent.normalize():f}",
            "amount": invoice.money(row.amount_minor),
        }
        for row in rows
    ]
