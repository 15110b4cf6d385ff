"""Tax rates over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing import operations, selectors
from apps.billing.models import TaxRate
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin


class TaxRateSerializer(serializers.ModelSerializer[TaxRate]):
    tax_class = serializers.CharField(source="tax_class.slug")

    class Meta:
        model = TaxRate
        fields = ("id", "tax_class", "label", "percent", "valid_from", "valid_to")


class NewTaxRate(serializers.Serializer[Any]):
    tax_class = serializers.SlugField(
        max_length=60, source="slug", help_text="A new name makes a new class."
    )
    # The same word as DRF's own attribute, which instances of a field have.
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=40, help_text="Stands on invoices."
    )
    percent = serializers.DecimalField(
        max_digits=9, decimal_places=6, min_value=0, max_value=100
    )
    valid_from = serializers.DateField()


class TaxRateViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What tax a class of supply carries, from which day until which."""

    queryset = TaxRate.objects.none()
    serializer_class = TaxRateSerializer
    permission_by_action = {
        "list": "billing.view_run",
        "retrieve": "billing.view_run",
        "create": "billing.set_tax_rate",
    }
    filters = {"tax_class": filters.exact("tax_class__slug")}

    def rows(self, actor: Actor, permission: str) -> QuerySet[TaxRate]:
        return selectors.tax_rates()

    @extend_schema(request=NewTaxRate, responses={201: TaxRateSerializer})
    def create(self, request: Request) -> Response:
        """Set the rate from a day on; the standing rate of the class ends there."""
        facts = self.body(NewTaxRate)
        rate = operations.set_tax_rate(
            **facts, name=facts["label"], actor=self.actor, now=timezone.now()
        )
        return self.answer(rate, status=201)
