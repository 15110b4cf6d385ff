"""What belongs to one customer, at /customers/{customer_id}/…"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.serializers import (
    ContactSerializer,
    LocationSerializer,
    NewContact,
    NewLocation,
)
from apps.identity.api.serializers_more import (
    ContactChanges,
    LocationChanges,
    NewNote,
    NoteChanges,
    NoteSerializer,
    ServiceabilityCheck,
)
from apps.identity.models import Contact, Customer, CustomerNote, ServiceLocation
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin

CUSTOMER = r"customers/(?P<customer_id>\d{1,18})"


class OfCustomerViewSet(ApiViewSet):
    """Rows of one customer, which must be within the permission's reach itself.

    A list without pages takes the `parameters` and no others.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"format"})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action != "list" or isinstance(self, ListMixin):
            return
        if unknown := sorted(set(request.query_params) - self.parameters):
            says = _("There is no such parameter here.")
            raise ValidationError({name: [says] for name in unknown})

    def customer(self) -> Customer:
        """The customer of the address, or 404 alike for missing and another's."""
        permission = self.permission_for(self.request) or ""
        reach = selectors.customers_visible_to(self.actor, permission)
        found: Customer = get_object_or_404(reach, pk=self.kwargs["customer_id"])
        return found

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return self.rows_of(self.customer())

    def rows_of(self, customer: Customer) -> QuerySet[Any]:
        raise TypeError(f"{type(self).__name__} does not say which rows it serves.")


class ContactViewSet(OfCustomerViewSet):
    """Whom to speak to, and who gets bills or outage notes."""

    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_customer",
        "retrieve": "identity.view_customer",
        "create": "identity.change_customer",
        "partial_update": "identity.change_customer",
        "destroy": "identity.change_customer",
    }

    def rows_of(self, customer: Customer) -> QuerySet[Contact]:
        return selectors.contacts_of(customer.pk)

    @extend_schema(responses=ContactSerializer(many=True))
    def list(self, request: Request, customer_id: str) -> Response:
        """All contacts, the primary one first; bounded by the operation."""
        return Response(ContactSerializer(self.get_queryset(), many=True).data)

    @extend_schema(request=NewContact, responses={201: ContactSerializer})
    def create(self, request: Request, customer_id: str) -> Response:
        """Add a person."""
        contact = operations.add_contact(
            customer_id=self.customer().pk,
            **self.body(NewContact),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(contact, status=201)

    @extend_schema(request=ContactChanges, responses=ContactSerializer)
    def partial_update(self, request: Request, customer_id: str, pk: str) -> Response:
        """Change some of it."""
        contact = operations.change_contact(
            contact_id=self.get_object().pk,
            changes=self.body(ContactChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(contact)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, customer_id: str, pk: str) -> Response:
        """Forget the person."""
        operations.remove_contact(
            contact_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)

    def retrieve(self, request: Request, customer_id: str, pk: str) -> Response:
        """One contact."""
        return self.answer(self.get_object())


class LocationViewSet(OfCustomerViewSet):
    """Where the customer is served, or asks to be."""

    queryset = ServiceLocation.objects.none()
    serializer_class = LocationSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_customer",
        "retrieve": "identity.view_customer",
        "create": "identity.change_customer",
        "partial_update": "identity.change_customer",
        "destroy": "identity.change_customer",
        "serviceability": "identity.change_customer",
    }

    def rows_of(self, customer: Customer) -> QuerySet[ServiceLocation]:
        return selectors.locations_of(customer.pk)

    @extend_schema(responses=LocationSerializer(many=True))
    def list(self, request: Request, customer_id: str) -> Response:
        """All places; bounded by the operation that adds one."""
        return Response(self.get_serializer(self.get_queryset(), many=True).data)

    def get_serializer_context(self) -> dict[str, Any]:
        described = getattr(self, "swagger_fake_view", False)
        portal = not described and self.actor.is_customer
        return {**super().get_serializer_context(), "for_portal": portal}

    def retrieve(self, request: Request, customer_id: str, pk: str) -> Response:
        """One place."""
        return self.answer(self.get_object())

    @extend_schema(request=NewLocation, responses={201: LocationSerializer})
    def create(self, request: Request, customer_id: str) -> Response:
        """Add a place."""
        location = operations.add_location(
            customer_id=self.customer().pk,
            **self.body(NewLocation),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(location, status=201)

    @extend_schema(request=LocationChanges, responses=LocationSerializer)
    def partial_update(self, request: Request, customer_id: str, pk: str) -> Response:
        """Change some of it; another address makes the check void."""
        location = operations.change_location(
            location_id=self.get_object().pk,
            changes=self.body(LocationChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(location)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, customer_id: str, pk: str) -> Response:
        """Forget a place that no service names; else problem `location_in_use`."""
        operations.remove_location(
            location_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)

    @extend_schema(request=ServiceabilityCheck, responses=LocationSerializer)
    @action(detail=True, methods=["post"])
    def serviceability(self, request: Request, customer_id: str, pk: str) -> Response:
        """Note whether the place can be served."""
        location = operations.check_serviceability(
            location_id=self.get_object().pk,
            **self.body(ServiceabilityCheck),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(location)


class NoteViewSet(ListMixin, OfCustomerViewSet):
    """What staff wrote down. No page shows it to customers, the copy they may ask
    for does."""

    queryset = CustomerNote.objects.none()
    serializer_class = NoteSerializer
    permission_by_action: ClassVar[dict[str, str]] = {
        "list": "identity.view_timeline",
        "retrieve": "identity.view_timeline",
        "create": "identity.write_note",
        "partial_update": "identity.write_note",
        "destroy": "identity.write_note",
    }
    filters: ClassVar[Mapping[str, filters.Filter]] = {
        "pinned": filters.yes_no(lambda yes: Q(pinned=yes))
    }

    def rows_of(self, customer: Customer) -> QuerySet[CustomerNote]:
        return CustomerNote.objects.filter(customer_id=customer.pk)

    def retrieve(self, request: Request, customer_id: str, pk: str) -> Response:
        """One note."""
        return self.answer(self.get_object())

    @extend_schema(request=NewNote, responses={201: NoteSerializer})
    def create(self, request: Request, customer_id: str) -> Response:
        """Write a note."""
        note = operations.write_note(
            customer_id=self.customer().pk,
            **self.body(NewNote),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(note, status=201)

    @extend_schema(request=NoteChanges, responses=NoteSerializer)
    def partial_update(self, request: Request, customer_id: str, pk: str) -> Response:
        """Say it better, or pin it; what it said before is kept."""
        note = operations.edit_note(
            note_id=self.get_object().pk,
            **self.body(NoteChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(note)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, customer_id: str, pk: str) -> Response:
        """Take the note away with its earlier texts."""
        operations.remove_note(
            note_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)
