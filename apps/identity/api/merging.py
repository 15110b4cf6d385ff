"""Duplicates of a customer through the API: suggested, merged, taken apart."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.of_customer import OfCustomerViewSet
from apps.identity.models import Customer, CustomerMerge
from dotmac.core.api.viewsets import ListMixin
from dotmac.core.errors import InvalidInput


class MergeSerializer(serializers.ModelSerializer[CustomerMerge]):
    survivor = serializers.IntegerField(source="survivor_id")
    duplicate = serializers.IntegerField(source="duplicate_id")
    duplicate_reference = serializers.CharField(source="duplicate.reference")
    by = serializers.CharField(source="actor_label")

    class Meta:
        model = CustomerMerge
        fields = (
            "id", "survivor", "duplicate", "duplicate_reference", "at", "by", "reason",
            "undone_at", "undone_by",
        )  # fmt: skip


class NewMerge(serializers.Serializer[Any]):
    duplicate = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, help_text="The customer that is closed by it."
    )
    reason = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default=""
    )


class SuggestionSerializer(serializers.Serializer[Any]):
    customer = serializers.IntegerField(source="customer.pk")
    reference = serializers.CharField(source="customer.reference")
    name = serializers.CharField(source="customer.name")
    same = serializers.ListField(
        child=serializers.CharField(), help_text="Of: email, phone, name."
    )


class DuplicateViewSet(OfCustomerViewSet):
    """Who may be the same customer."""

    queryset = Customer.objects.none()
    serializer_class = SuggestionSerializer
    pagination_class = None
    permission_by_action: ClassVar[dict[str, str]] = {"list": "identity.view_customer"}

    @extend_schema(responses=SuggestionSerializer(many=True))
    def list(self, request: Request, customer_id: str) -> Response:
        """Open customers within reach with the same address, number or name."""
        found = selectors.suggestions_for(
            self.customer(), self.actor, "identity.view_customer"
        )
        return Response(SuggestionSerializer(found, many=True).data)


class MergeViewSet(ListMixin, OfCustomerViewSet):
    """Duplicates that were merged into the customer; a merge can be undone."""

    queryset = CustomerMerge.objects.none()
    serializer_class = MergeSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.merge_customer",
        "retrieve": "identity.merge_customer",
        "create": "identity.merge_customer",
        "undo": "identity.merge_customer",
    }

    def rows_of(self, customer: Customer) -> QuerySet[CustomerMerge]:
        permission = self.permission_for(self.request) or ""
        rows = selectors.merges_visible_to(self.actor, permission)
        return rows.filter(survivor_id=customer.pk)

    def retrieve(self, request: Request, customer_id: str, pk: str) -> Response:
        """Who merged what, and whether it was undone."""
        return self.answer(self.get_object())

    @extend_schema(request=NewMerge, responses={201: MergeSerializer})
    def create(self, request: Request, customer_id: str) -> Response:
        """The customer takes over the duplicate. Problem `cannot_be_merged` says why not."""
        survivor, said = self.customer(), self.body(NewMerge)
        reach = selectors.customers_visible_to(self.actor, "identity.merge_customer")
        if not reach.filter(pk=said["duplicate"]).exists():
            raise InvalidInput("There is no such customer.", field="duplicate")
        merge = operations.merge_customers(
            duplicate_id=said["duplicate"],
            survivor_id=survivor.pk,
            reason=said["reason"],
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(merge, status=201)

    @extend_schema(request=None, responses=MergeSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, customer_id: str, pk: str) -> Response:
        """Two customers again. Problem `cannot_be_unmerged` says why not."""
        merge = operations.undo_merge(
            merge_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return self.answer(merge)
