"""Payments over the API. POST needs an Idempotency-Key (the gateway's guard)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing import operations, selectors
from apps.billing.enums import MANUAL_METHODS, PaymentMethod, PaymentState
from apps.billing.errors import UnknownCustomer
from apps.billing.models import Payment
from apps.identity import selectors as identity
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.fields import MoneyField, StoredMoneyField
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin
from dotmac.core.money import Money

_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    description="Chosen by the caller; the same key again gives the same answer.",
)


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    customer = serializers.IntegerField(source="customer_id")
    customer_reference = serializers.CharField(source="customer.reference")
    invoice = serializers.IntegerField(
        source="invoice_id", allow_null=True, help_text="The invoice that was named."
    )
    amount = StoredMoneyField("amount_minor")
    allocated = StoredMoneyField("allocated_minor", help_text="What pays invoices.")
    credit = StoredMoneyField("credit_minor", help_text="What pays no invoice yet.")
    fee = StoredMoneyField("fee_minor", help_text="What the gateway keeps.")

    class Meta:
        model = Payment
        fields = (
            "id", "reference", "state", "customer", "customer_reference", "method",
            "amount", "allocated", "credit", "fee", "invoice", "received_date",
            "settled_at", "provider", "provider_ref", "note", "recorded_by",
            "reversed_at", "reversal_reason", "created_at", "updated_at",
        )  # fmt: skip


class AllocationSerializer(serializers.Serializer[Any]):
    invoice = serializers.IntegerField(source="invoice_id")
    invoice_reference = serializers.CharField(source="invoice.reference")
    amount = MoneyField()


class PaymentDetailSerializer(PaymentSerializer):
    allocations = serializers.SerializerMethodField(
        help_text="Which invoices this payment pays now."
    )

    class Meta(PaymentSerializer.Meta):
        fields = (*PaymentSerializer.Meta.fields, "allocations")  # type: ignore[assignment]

    @extend_schema_field(AllocationSerializer(many=True))
    def get_allocations(self, payment: Payment) -> object:
        rows = selectors.allocations_of([payment.pk])[payment.pk]
        return AllocationSerializer(rows, many=True).data


class NewPayment(serializers.Serializer[Any]):
    """Money that was received outside a gateway."""

    customer = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    amount = MoneyField()
    method = serializers.ChoiceField(
        choices=[(method.value, method.label) for method in MANUAL_METHODS]
    )
    invoice = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True
    )
    received_date = serializers.DateField(required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class Reversal(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class PaymentViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Money received: recorded by hand, or paid at a gateway."""

    queryset = Payment.objects.none()
    serializer_class = PaymentDetailSerializer
    permission_by_action = {
        "list": "billing.view_payment",
        "retrieve": "billing.view_payment",
        "create": "billing.record_payment",
        "reverse": "billing.reverse_payment",
    }
    filters = {
        "customer": filters.number("customer_id"),
        "invoice": filters.number("invoice_id"),
        "state": filters.exact("state", PaymentState),
        "method": filters.exact("method", PaymentMethod),
        "received_from": filters.day("received_date__gte"),
        "received_until": filters.day("received_date__lte"),
    }

    def get_serializer_class(self) -> type[PaymentSerializer]:
        return PaymentSerializer if self.action == "list" else PaymentDetailSerializer

    def rows(self, actor: Actor, permission: str) -> QuerySet[Payment]:
        return selectors.payments_visible_to(actor, permission)

    @extend_schema(
        parameters=[_KEY], request=NewPayment, responses={201: PaymentDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """Record a payment: it pays the named invoice first, then the oldest."""
        facts = self.body(NewPayment)
        customers = identity.customers_visible_to(self.actor, "billing.record_payment")
        customer = customers.filter(pk=facts["customer"]).first()
        if customer is None:
            raise UnknownCustomer(field="customer")
        amount: Money = facts["amount"]
        payment = operations.record_payment(
            customer_id=customer.pk,
            amount=amount,
            method=facts["method"],
            invoice_id=facts.get("invoice"),
            received_date=facts.get("received_date"),
            note=facts.get("note", ""),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(payment, status=201)

    @extend_schema(
        parameters=[_KEY], request=Reversal, responses=PaymentDetailSerializer
    )
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        """Undo a payment that was recorded by mistake. Repeating it is harmless."""
        payment = operations.reverse_payment(
            payment_id=self.get_object().pk,
            reason=self.body(Reversal)["reason"],
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(payment)
