"""Copies of all that is held about a customer, and forgetting the person."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.documents import FileRenderer
from apps.identity.api.of_customer import OfCustomerViewSet
from apps.identity.models import Customer, PersonalExport
from dotmac.core.api.renderers import OrjsonRenderer
from dotmac.core.api.viewsets import ListMixin
from dotmac.core.downloads import attached_pieces


class ExportSerializer(serializers.ModelSerializer[PersonalExport]):
    """`job` says how far it is; `size_bytes` is there when it can be downloaded."""

    customer = serializers.IntegerField(source="customer_id")
    job = serializers.IntegerField(source="job_id")
    state = serializers.CharField(source="job.state")
    size_bytes = serializers.IntegerField(
        source="file.size_bytes", default=None, allow_null=True
    )
    by = serializers.CharField(source="actor_label")

    class Meta:
        model = PersonalExport
        fields = (
            "id", "customer", "job", "state", "size_bytes", "requested_at", "done_at",
            "expires_at", "by",
        )  # fmt: skip


class ExportViewSet(ListMixin, OfCustomerViewSet):
    """Machine-readable copies (a ZIP of JSON files and documents), there for a week."""

    queryset = PersonalExport.objects.none()
    serializer_class = ExportSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.export_customer",
        "retrieve": "identity.export_customer",
        "create": "identity.export_customer",
        "content": "identity.open_export",
    }

    def rows_of(self, customer: Customer) -> QuerySet[PersonalExport]:
        return selectors.exports_of(customer.pk)

    def retrieve(self, request: Request, customer_id: str, pk: str) -> Response:
        """How far it is."""
        return self.answer(self.get_object())

    @extend_schema(request=None, responses={202: ExportSerializer})
    def create(self, request: Request, customer_id: str) -> Response:
        """Have one made; while one is being made, that one is the answer."""
        export = operations.request_export(
            customer_id=self.customer().pk, actor=self.actor, now=timezone.now()
        )
        return self.answer(export, status=202)

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(
        detail=True, methods=["get"], renderer_classes=[OrjsonRenderer, FileRenderer]
    )
    def content(self, request: Request, customer_id: str, pk: str) -> HttpResponseBase:
        """The archive. Problems `export_not_ready`, `export_gone`."""
        opened = operations.open_export(
            export_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return attached_pieces(
            opened.pieces,
            name=opened.name,
            media_type=opened.media_type,
            size_bytes=opened.size_bytes,
        )
