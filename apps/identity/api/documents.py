"""Papers of a customer through the API: described as JSON, carried as files."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.of_customer import CUSTOMER, OfCustomerViewSet
from apps.identity.enums import DocumentKind
from apps.identity.models import Customer, CustomerDocument
from dotmac.core.api.parsers import StrictJSONParser, register_upload
from dotmac.core.api.renderers import OrjsonRenderer
from dotmac.core.api.viewsets import ListMixin
from dotmac.core.downloads import attached

register_upload(rf"{CUSTOMER}/documents")


class DocumentSerializer(serializers.ModelSerializer[CustomerDocument]):
    customer = serializers.IntegerField(source="customer_id")
    name = serializers.CharField(source="file.name")
    media_type = serializers.CharField(source="file.media_type")
    size_bytes = serializers.IntegerField(source="file.size_bytes")
    by = serializers.CharField(source="actor_label")

    class Meta:
        model = CustomerDocument
        fields = (
            "id", "customer", "kind", "name", "media_type", "size_bytes", "in_portal",
            "at", "by",
        )  # fmt: skip


class NewDocument(serializers.Serializer[Any]):
    """A form (multipart/form-data): its type and name are judged by the bytes."""

    file = serializers.FileField(
        help_text="PDF, JPEG, PNG or WebP, at most five megabytes.",
        allow_empty_file=True,  # the operation says what is wrong with it
    )
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    in_portal = serializers.BooleanField(
        required=False, default=False, help_text="Whether the customer sees it."
    )


class DocumentChanges(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False)
    in_portal = serializers.BooleanField(required=False)


class FileRenderer(BaseRenderer):
    """Lets clients ask for whatever a file is; problems stay JSON."""

    media_type = "*/*"
    format = "file"
    render_style = "binary"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return OrjsonRenderer().render(data, *args, **kwargs)


class DocumentViewSet(ListMixin, OfCustomerViewSet):
    """Proofs of identity, contracts and other papers, sealed where they are kept."""

    queryset = CustomerDocument.objects.none()
    serializer_class = DocumentSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_document",
        "retrieve": "identity.view_document",
        "create": "identity.add_document",
        "partial_update": "identity.change_document",
        "destroy": "identity.remove_document",
        "content": "identity.open_document",
    }

    def get_parsers(self) -> list[Any]:
        """A form for the upload, JSON for all else."""
        method = getattr(self.request, "method", "POST")  # none for the description
        return [MultiPartParser() if method == "POST" else StrictJSONParser()]

    def rows_of(self, customer: Customer) -> QuerySet[CustomerDocument]:
        permission = self.permission_for(self.request) or ""
        reach = selectors.documents_visible_to(self.actor, permission)
        return reach.filter(customer_id=customer.pk)

    def retrieve(self, request: Request, customer_id: str, pk: str) -> Response:
        """What it is; the bytes are at `content`."""
        return self.answer(self.get_object())

    @extend_schema(
        request={"multipart/form-data": NewDocument},
        responses={201: DocumentSerializer},
    )
    def create(self, request: Request, customer_id: str) -> Response:
        """Keep a file. Problems `document_type`, `document_too_large`, `document_empty`."""
        customer = self.customer()
        said = self.body(NewDocument)
        file = said.pop("file")
        document = operations.add_document(
            customer_id=customer.pk,
            name=file.name,
            content=file,
            **said,
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(document, status=201)

    @extend_schema(request=DocumentChanges, responses=DocumentSerializer)
    def partial_update(self, request: Request, customer_id: str, pk: str) -> Response:
        """Say what it is, or let the customer see it."""
        document = operations.change_document(
            document_id=self.get_object().pk,
            **self.body(DocumentChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(document)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, customer_id: str, pk: str) -> Response:
        """Delete it with its bytes."""
        operations.remove_document(
            document_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(
        detail=True, methods=["get"], renderer_classes=[OrjsonRenderer, FileRenderer]
    )
    def content(self, request: Request, customer_id: str, pk: str) -> HttpResponse:
        """The file, as an attachment; each opening is recorded in the audit."""
        opened = operations.open_document(
            document_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return attached(opened.content, name=opened.name, media_type=opened.media_type)
