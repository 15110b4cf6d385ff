"""Invoices and credit notes over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing import operations, selectors
from apps.billing.enums import InvoiceKind, InvoiceState
from apps.billing.errors import UnknownInvoice
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.fields import MoneyField, StoredMoneyField
from dotmac.core.api.renderers import OrjsonRenderer
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin
from dotmac.core.money import Money

LINES_MAX = 1000
_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    description="Chosen by the caller; the same key again gives the same answer.",
)
_STATES = [(s.value, s.label) for s in InvoiceState if s != InvoiceState.DRAFT]


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    state = serializers.ChoiceField(choices=_STATES)
    customer = serializers.IntegerField(source="customer_id")
    customer_name = serializers.CharField(source="buyer.name")
    credits_invoice = serializers.IntegerField(
        source="credits_invoice_id",
        allow_null=True,
        help_text="Of a credit note: the invoice that it corrects.",
    )
    subtotal = StoredMoneyField("subtotal_minor")
    tax = StoredMoneyField("tax_minor")
    total = StoredMoneyField("total_minor")
    paid = StoredMoneyField("allocated_minor", help_text="What payments cover.")
    credited = StoredMoneyField("credited_minor", help_text="What was credited.")
    open = StoredMoneyField("open_minor", help_text="What is left to pay.")
    run = serializers.IntegerField(source="run_id", allow_null=True)

    class Meta:
        model = Invoice
        fields = (
            "id", "reference", "kind", "state", "customer", "customer_name",
            "issue_date", "due_date", "period_start", "period_end", "subtotal",
            "tax", "total", "paid", "credited", "open", "credits_invoice", "note",
            "run", "issued_at", "updated_at",
        )  # fmt: skip


class WhySerializer(serializers.Serializer[Any]):
    """How the amount of a line came about."""

    rule = serializers.ChoiceField(choices=["whole_month", "prorated", "credited"])
    unit_price = serializers.DecimalField(max_digits=18, decimal_places=6)
    days = serializers.IntegerField(allow_null=True)
    days_of_month = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class LineSerializer(serializers.ModelSerializer[InvoiceLine]):
    service = serializers.IntegerField(source="service_id", allow_null=True)
    amount = serializers.SerializerMethodField(help_text="Net of tax.")
    credits_line = serializers.IntegerField(source="credits_line_id", allow_null=True)
    why = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceLine
        fields = (
            "id", "number", "service", "service_reference", "description",
            "period_start", "period_end", "unit_price", "amount", "tax_class",
            "tax_percent", "credits_line", "why",
        )  # fmt: skip

    @extend_schema_field(MoneyField)
    def get_amount(self, line: InvoiceLine) -> object:
        return _money(line.amount_minor, self.context["currency"])

    @extend_schema_field(WhySerializer)
    def get_why(self, line: InvoiceLine) -> object:
        why = selectors.why_of(line, currency=self.context["currency"])
        return WhySerializer(why).data


class TaxSerializer(serializers.ModelSerializer[InvoiceTax]):
    base = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceTax
        fields = ("tax_class", "label", "percent", "base", "amount")

    @extend_schema_field(MoneyField)
    def get_base(self, tax: InvoiceTax) -> object:
        return _money(tax.base_minor, self.context["currency"])

    @extend_schema_field(MoneyField)
    def get_amount(self, tax: InvoiceTax) -> object:
        return _money(tax.amount_minor, self.context["currency"])


def _money(amount_minor: int, currency: str) -> dict[str, str]:
    return {"amount": Money(amount_minor, currency).plain(), "currency": currency}


class InvoiceDetailSerializer(InvoiceSerializer):
    lines = serializers.SerializerMethodField()
    taxes = serializers.SerializerMethodField()
    credit_notes = serializers.SerializerMethodField()
    buyer = serializers.SerializerMethodField(help_text="As it was at issue.")
    seller = serializers.SerializerMethodField(help_text="As it was at issue.")

    class Meta(InvoiceSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *InvoiceSerializer.Meta.fields,
            "lines", "taxes", "credit_notes", "buyer", "seller",
        )  # fmt: skip

    def _with_currency(self, invoice: Invoice) -> dict[str, Any]:
        return {**self.context, "currency": invoice.currency}

    @extend_schema_field(LineSerializer(many=True))
    def get_lines(self, invoice: Invoice) -> object:
        rows = selectors.lines_of(invoice.pk)
        return LineSerializer(
            rows, many=True, context=self._with_currency(invoice)
        ).data

    @extend_schema_field(TaxSerializer(many=True))
    def get_taxes(self, invoice: Invoice) -> object:
        rows = selectors.taxes_of(invoice.pk)
        return TaxSerializer(rows, many=True, context=self._with_currency(invoice)).data

    @extend_schema_field(InvoiceSerializer(many=True))
    def get_credit_notes(self, invoice: Invoice) -> object:
        return InvoiceSerializer(selectors.credit_notes_of(invoice.pk), many=True).data

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_buyer(self, invoice: Invoice) -> object:
        return invoice.buyer

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_seller(self, invoice: Invoice) -> object:
        return invoice.seller.details


class PdfRenderer(BaseRenderer):
    """Lets clients ask for `Accept: application/pdf`; problems stay JSON."""

    media_type = "application/pdf"
    format = "pdf"
    render_style = "binary"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return OrjsonRenderer().render(data, *args, **kwargs)


class InvoiceViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Invoices and credit notes, the newest first."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceDetailSerializer
    permission_by_action = {
        "list": "billing.view_invoice",
        "retrieve": "billing.view_invoice",
        "pdf": "billing.view_invoice",
    }
    filters = {
        "customer": filters.number("customer_id"),
        "state": filters.exact("state", InvoiceState),
        "kind": filters.exact("kind", InvoiceKind),
        "reference": filters.exact("reference"),
        "run": filters.number("run_id"),
        "due_before": filters.day("due_date__lt"),
        "due_from": filters.day("due_date__gte"),
        "issued_from": filters.day("issue_date__gte"),
        "issued_until": filters.day("issue_date__lte"),
    }

    def get_serializer_class(self) -> type[InvoiceSerializer]:
        return InvoiceSerializer if self.action == "list" else InvoiceDetailSerializer

    def rows(self, actor: Actor, permission: str) -> QuerySet[Invoice]:
        rows = selectors.invoices_visible_to(actor, permission)
        return rows if self.action == "list" else rows.select_related("seller")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(
        detail=True, methods=["get"], renderer_classes=[OrjsonRenderer, PdfRenderer]
    )
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """The document as PDF/A-3b."""
        invoice = self.get_object()
        day = ops_selectors.business_date(now=timezone.now())
        content = selectors.invoice_pdf(invoice_id=invoice.pk, day=day)
        return HttpResponse(
            content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="{invoice.reference}.pdf"',
                "Cache-Control": "private, no-store",
            },
        )


class LineCreditRequest(serializers.Serializer[Any]):
    line = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    amount = MoneyField(help_text="Net of tax.")


class CreditNoteRequest(serializers.Serializer[Any]):
    """Exactly one of `full`, `amount` (tax included) and `lines` (net)."""

    invoice = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    reason = serializers.CharField(max_length=300)
    full = serializers.BooleanField(required=False, default=False)
    amount = MoneyField(required=False)
    lines = serializers.ListField(
        child=LineCreditRequest(), required=False, max_length=LINES_MAX
    )

    def validate_lines(self, lines: list[dict[str, Any]]) -> dict[int, Money]:
        amounts = {line["line"]: line["amount"] for line in lines}
        if len(amounts) != len(lines):
            raise serializers.ValidationError(_("Name each line once."))
        return amounts


class CreditNoteViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Credit notes: how an issued invoice is corrected."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceDetailSerializer
    permission_by_action = {
        "list": "billing.view_invoice",
        "retrieve": "billing.view_invoice",
        "create": "billing.issue_credit_note",
    }
    filters = {
        "customer": filters.number("customer_id"),
        "invoice": filters.number("credits_invoice_id"),
    }

    def get_serializer_class(self) -> type[InvoiceSerializer]:
        return InvoiceSerializer if self.action == "list" else InvoiceDetailSerializer

    def rows(self, actor: Actor, permission: str) -> QuerySet[Invoice]:
        return selectors.invoices_visible_to(actor, permission).credit_notes()

    @extend_schema(
        parameters=[_KEY],
        request=CreditNoteRequest,
        responses={201: InvoiceDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        """Credit an invoice. What was paid already becomes the customer's credit."""
        facts = self.body(CreditNoteRequest)
        invoices = selectors.invoices_visible_to(
            self.actor, "billing.issue_credit_note"
        )
        invoice = invoices.filter(pk=facts["invoice"]).first()
        if invoice is None:
            raise UnknownInvoice(field="invoice")
        note = operations.issue_credit_note(
            invoice_id=invoice.pk,
            reason=facts["reason"],
            full=facts["full"],
            amount=facts.get("amount"),
            lines=facts.get("lines"),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(note, status=201)
