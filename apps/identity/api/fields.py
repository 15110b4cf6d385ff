"""The operator's own fields and tags through the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.of_customer import OfCustomerViewSet
from apps.identity.enums import FieldKind, TagColour
from apps.identity.models import Customer, CustomField, Tag
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin

_CHOICES_MAX = 50


class FieldSerializer(serializers.ModelSerializer[CustomField]):
    required = serializers.BooleanField()  # type: ignore[assignment]
    choices = serializers.ListField(child=serializers.CharField())
    archived = serializers.SerializerMethodField()

    class Meta:
        model = CustomField
        fields = (
            "id", "slug", "name", "kind", "choices", "required", "in_list",
            "in_portal", "archived", "created_at", "updated_at",
        )  # fmt: skip

    def get_archived(self, row: CustomField) -> bool:
        return row.archived_at is not None


class FieldFacts(serializers.Serializer[Any]):
    """Body of PATCH: what is left out stays."""

    name = serializers.CharField(max_length=80, required=False)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=80),
        max_length=_CHOICES_MAX,
        required=False,
        help_text="Only for the kind `choice`.",
    )
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]
    in_list = serializers.BooleanField(required=False)
    in_portal = serializers.BooleanField(required=False)


class FieldChanges(FieldFacts):
    archived = serializers.BooleanField(required=False)


class NewField(FieldFacts):
    slug = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=FieldKind.choices)


class FieldViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Fields that the operator added to customers; values are in `custom`."""

    queryset = CustomField.objects.none()
    serializer_class = FieldSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_field",
        "retrieve": "identity.view_field",
        "create": "identity.manage_field",
        "partial_update": "identity.manage_field",
    }
    filters = {"kind": filters.exact("kind", FieldKind)}

    def rows(self, actor: Actor, permission: str) -> QuerySet[CustomField]:
        return selectors.all_fields()

    @extend_schema(request=NewField, responses={201: FieldSerializer})
    def create(self, request: Request) -> Response:
        """Define a field; slug and kind never change."""
        field = operations.define_field(
            **self.body(NewField), actor=self.actor, now=timezone.now()
        )
        return self.answer(field, status=201)

    @extend_schema(request=FieldChanges, responses=FieldSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change it, archive it, or bring it back."""
        field, changes, now = self.get_object(), self.body(FieldChanges), timezone.now()
        archived = changes.pop("archived", None)
        facts = {"field_id": field.pk, "actor": self.actor, "now": now}
        field = operations.change_field(changes=changes, **facts)
        if archived is not None:
            field = operations.archive_field(archived=archived, **facts)
        return self.answer(field)


class TagSerializer(serializers.ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ("id", "slug", "name", "colour", "created_at", "updated_at")


class TagChanges(serializers.Serializer[Any]):
    """Body of PATCH: what is left out stays."""

    name = serializers.CharField(max_length=40, required=False)
    colour = serializers.ChoiceField(choices=TagColour.choices, required=False)


class NewTag(serializers.Serializer[Any]):
    slug = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=40)
    colour = serializers.ChoiceField(
        choices=TagColour.choices, required=False, default=TagColour.GREY
    )


class TagViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Words that staff stick to customers."""

    queryset = Tag.objects.none()
    serializer_class = TagSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_field",
        "retrieve": "identity.view_field",
        "create": "identity.manage_field",
        "partial_update": "identity.manage_field",
        "destroy": "identity.manage_field",
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Tag]:
        return selectors.all_tags()

    @extend_schema(request=NewTag, responses={201: TagSerializer})
    def create(self, request: Request) -> Response:
        """Make a tag; the slug never changes."""
        tag = operations.make_tag(
            **self.body(NewTag), actor=self.actor, now=timezone.now()
        )
        return self.answer(tag, status=201)

    @extend_schema(request=TagChanges, responses=TagSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Another name or colour."""
        tag = operations.change_tag(
            tag_id=self.get_object().pk,
            changes=self.body(TagChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(tag)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take it away, also from the customers that have it."""
        operations.remove_tag(
            tag_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)


class CustomerTags(serializers.Serializer[Any]):
    """The slugs of all tags of one customer."""

    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=200
    )


class CustomerTagViewSet(OfCustomerViewSet):
    """The tags of one customer, as a whole."""

    queryset = Customer.objects.none()
    serializer_class = CustomerTags
    pagination_class = None
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_timeline",
        "set_tags": "identity.tag_customer",
    }

    @extend_schema(responses=CustomerTags, operation_id="customers_tags_retrieve")
    def list(self, request: Request, customer_id: str) -> Response:
        """Which tags the customer has."""
        return self._tags(self.customer())

    @extend_schema(request=CustomerTags, responses=CustomerTags)
    def set_tags(self, request: Request, customer_id: str) -> Response:
        """Exactly these tags from now on."""
        customer = self.customer()
        operations.set_tags(
            customer_id=customer.pk,
            tags=self.body(CustomerTags)["tags"],
            actor=self.actor,
            now=timezone.now(),
        )
        return self._tags(customer)

    def _tags(self, customer: Customer) -> Response:
        held = selectors.tags_of([customer.pk])[customer.pk]
        return Response({"tags": [tag.slug for tag in held]})
