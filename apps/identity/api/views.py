from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.serializers import (
    CustomerChanges,
    CustomerSerializer,
    NewCustomer,
    NewUnit,
    UnitChanges,
    UnitSerializer,
    WholeCustomer,
)
from apps.identity.api.serializers_more import (
    Erasure,
    NewParent,
    Reason,
    Reopening,
)
from apps.identity.enums import CustomerKind, CustomerState, UnitKind
from apps.identity.errors import UnknownUnit
from apps.identity.models import Customer, OrganisationUnit
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import (
    ApiViewSet,
    ListMixin,
    PlainListMixin,
    RetrieveMixin,
)
from dotmac.core.errors import InvalidInput

_OPTIONAL = (
    "email", "phone", "address", "city", "region", "postal_code", "country",
    "tax_number", "source",
)  # fmt: skip


# What staff say among themselves about a customer: who signs in for it reads nothing
# there and finds nothing by it.
_OF_STAFF: dict[str, Any] = {"source": "", "owner": None, "parent": None}
_FOUND_BY_STAFF = frozenset({"owner", "parent", "tag", "custom"})
_KEYS = frozenset({"unit", "owner", "parent", "merged_into"})


def _found_by(text: str) -> Q:
    return selectors.found_by(text)


def _for_portal(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with the operator's own fields that customers see, no others."""
    shown = selectors.custom_fields().filter(in_portal=True)
    slugs = set(shown.values_list("slug", flat=True))
    told = [
        {name: _OF_STAFF.get(name, value) for name, value in row.items()}
        for row in rows
    ]
    for row in told:
        if "custom" in row:
            own = row["custom"].items()
            row["custom"] = {slug: value for slug, value in own if slug in slugs}
    return told


class CustomerViewSet(PlainListMixin, RetrieveMixin, ApiViewSet):
    """Who buys, or may come to buy. Portal users see the customers they act for."""

    queryset = Customer.objects.none()
    serializer_class = CustomerSerializer
    columns = {
        name: f"{name}_id" if name in _KEYS else name
        for name in CustomerSerializer.Meta.fields
    }
    pages_by_source = True
    permission_by_action = {
        "list": "identity.view_customer",
        "retrieve": "identity.view_customer",
        "create": "identity.create_customer",
        "update": "identity.change_customer",
        "partial_update": "identity.change_customer",
        "destroy": "identity.delete_customer",
        "qualify": "identity.change_customer",
        "close": "identity.close_customer",
        "reopen": "identity.reopen_customer",
        "set_parent": "identity.change_customer",
        "erase": "identity.erase_customer",
    }
    filters = {
        "state": filters.exact("state", CustomerState),
        "kind": filters.exact("kind", CustomerKind),
        "unit": filters.number("unit_id"),
        "owner": filters.number("owner_id"),
        "parent": filters.number("parent_id"),
        "tag": filters.search(selectors.has_tag, "The slug of a tag."),
        "custom": filters.search(
            selectors.has_named_value, "slug:value of one of the operator's own fields."
        ),
        "email": filters.search(lambda text: Q(email__iexact=text), "Exact address."),
        "q": filters.search(
            _found_by, "Words in reference, name, e-mail or telephone number."
        ),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Customer]:
        return selectors.customers_visible_to(actor, permission)

    def list(self, request: Request) -> Response:
        """A page of customers. Portal users find nothing by what staff say of them."""
        if not self.actor.is_customer:
            return super().list(request)
        if hidden := sorted(_FOUND_BY_STAFF & set(request.query_params)):
            says = _("There is no such filter.")
            raise ValidationError({name: [says] for name in hidden})
        answer = super().list(request)
        rows = answer.data["results"]
        answer.data["results"] = _for_portal(rows)
        return answer

    def answer(self, row: Any, *, status: int = 200) -> Response:
        response = super().answer(row, status=status)
        if self.actor.is_customer:
            (response.data,) = _for_portal([response.data])
        return response

    @extend_schema(request=NewCustomer, responses={201: CustomerSerializer})
    def create(self, request: Request) -> Response:
        """Register a prospect. Problem `possible_duplicate` names the `existing` one."""
        facts = self.body(NewCustomer)
        facts["unit_id"] = self._unit_for(facts.get("unit_id"))
        customer = operations.register_customer(
            **facts, actor=self.actor, now=timezone.now()
        )
        response = self.answer(customer, status=201)
        response["Location"] = request.build_absolute_uri(
            f"/api/v1/customers/{customer.pk}"
        )
        return response

    @extend_schema(request=WholeCustomer, responses=CustomerSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Say everything anew; what is left out becomes empty."""
        customer = self.get_object()
        empty = {**dict.fromkeys(_OPTIONAL, ""), "owner_id": None}
        facts = {**empty, **self.body(WholeCustomer)}
        return self._change(customer, facts)

    @extend_schema(request=CustomerChanges, responses=CustomerSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change some of it."""
        return self._change(self.get_object(), self.body(CustomerChanges))

    def _change(self, customer: Customer, facts: Mapping[str, Any]) -> Response:
        changes = dict(facts)
        confirm_duplicate = changes.pop("confirm_duplicate")
        if changes.get("unit_id", customer.unit_id) != customer.unit_id:
            self._unit_for(changes["unit_id"])
        customer = operations.change_customer(
            customer_id=customer.pk,
            changes=changes,
            if_match=self.request.headers.get("If-Match"),
            confirm_duplicate=confirm_duplicate,
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(customer)

    def _unit_for(self, unit_id: int | None) -> int | None:
        """A unit within the actor's reach; the first one of a branch by default."""
        permission = self.permission_for(self.request) or ""
        units = selectors.units_visible_to(self.actor, permission)
        unit = units.filter(pk=unit_id).first() if unit_id else units.first()
        if unit is None:
            raise UnknownUnit(field="unit")
        return unit.pk

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a customer without history; else problem `customer_has_history`."""
        operations.delete_customer(
            customer_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)

    @extend_schema(request=Reason, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def qualify(self, request: Request, pk: str) -> Response:
        """Let a lead become a prospect; later states stay what they are."""
        customer = operations.qualify_customer(
            customer_id=self.get_object().pk,
            **self.body(Reason),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(customer)

    @extend_schema(request=Reason, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """End the relation; the history stays."""
        customer = operations.close_customer(
            customer_id=self.get_object().pk,
            **self.body(Reason),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(customer)

    @extend_schema(request=Reopening, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Let a closed customer come back as a prospect."""
        customer = operations.reopen_customer(
            customer_id=self.get_object().pk,
            **self.body(Reopening),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(customer)

    @extend_schema(request=NewParent, responses=CustomerSerializer)
    @action(detail=True, methods=["put"], url_path="parent")
    def set_parent(self, request: Request, pk: str) -> Response:
        """Hang it below another customer within reach, or (null) below nobody.

        Refused where the present parent is out of reach: it is not the caller's to
        take the customer from there.
        """
        customer, parent_id = self.get_object(), self.body(NewParent)["parent"]
        for above in {parent_id, customer.parent_id} - {None}:
            if not self.get_queryset().filter(pk=above).exists():
                raise InvalidInput("There is no such customer.", field="parent")
        customer = operations.set_parent(
            customer_id=customer.pk,
            parent_id=parent_id,
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(customer)

    @extend_schema(request=Erasure, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        """Forget the person for good; else problem `customer_cannot_be_erased`."""
        customer = operations.erase_customer(
            customer_id=self.get_object().pk,
            **self.body(Erasure),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(customer)


class UnitViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The operator, its branches and its resellers."""

    queryset = OrganisationUnit.objects.none()
    serializer_class = UnitSerializer
    permission_by_action = {
        "list": "identity.view_unit",
        "retrieve": "identity.view_unit",
        "create": "identity.create_unit",
        "partial_update": "identity.change_unit",
    }
    filters = {"kind": filters.exact("kind", UnitKind)}

    def rows(self, actor: Actor, permission: str) -> QuerySet[OrganisationUnit]:
        return selectors.units_visible_to(actor, permission)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """The clocks of one page of units are read at once."""
        given = args[0] if args else []
        shown = given if isinstance(given, list) else [given]
        kwargs["context"] = {
            **self.get_serializer_context(),
            "zones": selectors.zones_of_units([row.pk for row in shown]),
        }
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=NewUnit, responses={201: UnitSerializer})
    def create(self, request: Request) -> Response:
        """Add a branch or a reseller below a unit within reach."""
        facts = self.body(NewUnit)
        if not self.get_queryset().filter(pk=facts["parent_id"]).exists():
            raise UnknownUnit(field="parent")
        unit = operations.create_unit(**facts, actor=self.actor, now=timezone.now())
        return self.answer(unit, status=201)

    @extend_schema(request=UnitChanges, responses=UnitSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Another clock, or with an empty text that of the unit above."""
        unit = operations.change_unit(
            unit_id=self.get_object().pk,
            **self.body(UnitChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(unit)
