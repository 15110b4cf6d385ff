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
    CustomerChanges,
    CustomerSerializer,
    NewCustomer,
    NewUnit,
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


_KEYS = frozenset({"unit", "owner", "parent", "merged_into"})


def _found_by(text: str) -> Q:
    return selectors.found_by(text)


class CustomerViewSet(PlainListMixin, RetrieveMixin, ApiViewSet):
    """Who buys, or may come to buy. Portal users see the customers they act for."""

    queryset = Customer.objects.none()
    serializer_class = CustomerSerializer
    columns = {
        name: f"{name}_id" if name in _KEYS else name
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
        """Hang it below another customer within reach, or (null) below nobody."""
        customer, parent_id = self.get_object(), self.body(NewParent)["parent"]
        if parent_id and not self.get_queryset().filter(pk=parent_id).exists():
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
