from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.serializers import (
    ContactSerializer,
    CustomerChanges,
    CustomerSerializer,
    LocationSerializer,
    NewContact,
    NewCustomer,
    NewLocation,
    NewUnit,
    UnitSerializer,
    WholeCustomer,
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

_OPTIONAL = (
    "email", "phone", "address", "city", "region", "postal_code", "country",
    "tax_number",
)  # fmt: skip


def _found_by(text: str) -> Q:
    return selectors.found_by(text)


class CustomerViewSet(PlainListMixin, RetrieveMixin, ApiViewSet):
    """Who buys, or may come to buy. Portal users see the customers they act for."""

    queryset = Customer.objects.none()
    serializer_class = CustomerSerializer
    columns = {
        name: "unit_id" if name == "unit" else name
        for name in CustomerSerializer.Meta.fields
    }
    permission_by_action = {
        "list": "identity.view_customer",
        "retrieve": "identity.view_customer",
        "create": "identity.create_customer",
        "update": "identity.change_customer",
        "partial_update": "identity.change_customer",
        "destroy": "identity.delete_customer",
        "close": "identity.close_customer",
        "locations": "identity.view_customer",
        "add_location": "identity.change_customer",
        "contacts": "identity.view_customer",
        "add_contact": "identity.change_customer",
    }
    filters = {
        "state": filters.exact("state", CustomerState),
        "kind": filters.exact("kind", CustomerKind),
        "unit": filters.number("unit_id"),
        "email": filters.search(lambda text: Q(email__iexact=text), "Exact address."),
        "q": filters.search(
            _found_by, "Words in reference, name, e-mail or telephone number."
        ),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Customer]:
        return selectors.customers_visible_to(actor, permission)

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
        facts = {**dict.fromkeys(_OPTIONAL, ""), **self.body(WholeCustomer)}
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

    @extend_schema(request=None, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """End the relation; the history stays."""
        customer = operations.close_customer(
            customer_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return self.answer(customer)

    @extend_schema(responses=LocationSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def locations(self, request: Request, pk: str) -> Response:
        """Where the customer is served; bounded by the operation that adds one."""
        rows = selectors.locations_of(self.get_object().pk)
        return Response(LocationSerializer(rows, many=True).data)

    @extend_schema(request=NewLocation, responses={201: LocationSerializer})
    @locations.mapping.post
    def add_location(self, request: Request, pk: str) -> Response:
        """Add a place."""
        location = operations.add_location(
            customer_id=self.get_object().pk,
            **self.body(NewLocation),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(LocationSerializer(location).data, status=201)

    @extend_schema(responses=ContactSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def contacts(self, request: Request, pk: str) -> Response:
        """Whom to speak to."""
        rows = selectors.contacts_of(self.get_object().pk)
        return Response(ContactSerializer(rows, many=True).data)

    @extend_schema(request=NewContact, responses={201: ContactSerializer})
    @contacts.mapping.post
    def add_contact(self, request: Request, pk: str) -> Response:
        """Add a person."""
        contact = operations.add_contact(
            customer_id=self.get_object().pk,
            **self.body(NewContact),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(ContactSerializer(contact).data, status=201)


class UnitViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The operator, its branches and its resellers."""

    queryset = OrganisationUnit.objects.none()
    serializer_class = UnitSerializer
    permission_by_action = {
        "list": "identity.view_unit",
        "retrieve": "identity.view_unit",
        "create": "identity.create_unit",
    }
    filters = {"kind": filters.exact("kind", UnitKind)}

    def rows(self, actor: Actor, permission: str) -> QuerySet[OrganisationUnit]:
        return selectors.units_visible_to(actor, permission)

    @extend_schema(request=NewUnit, responses={201: UnitSerializer})
    def create(self, request: Request) -> Response:
        """Add a branch or a reseller below a unit within reach."""
        facts = self.body(NewUnit)
        if not self.get_queryset().filter(pk=facts["parent_id"]).exists():
            raise UnknownUnit(field="parent")
        unit = operations.create_unit(**facts, actor=self.actor, now=timezone.now())
        return self.answer(unit, status=201)
