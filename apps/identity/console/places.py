"""Contacts and locations: one by one, and all locations as a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.forms import CheckForm, ContactForm, LocationForm
from apps.identity.enums import CustomerState, Serviceability
from apps.identity.models import Contact, ServiceLocation
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    ChoiceFilter,
    Column,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    detail_url,
    register_screen,
    state_of,
)

_CONTACT = (
    "name",
    "role",
    "email",
    "phone",
    "is_primary",
    "gets_bills",
    "gets_outages",
)
_LOCATION = ("label", "address", "city", "latitude", "longitude")


def coordinates(row: ServiceLocation) -> str:
    return "" if row.latitude is None else f"{row.latitude}, {row.longitude}"


def receives(row: Contact) -> str:
    """What the contact gets, in words."""
    words = (
        (row.is_primary, _("primary contact")),
        (row.gets_bills, _("bills")),
        (row.gets_outages, _("outage notes")),
    )
    return ", ".join(word for applies, word in words if applies)


def _home(row: Contact | ServiceLocation) -> str:
    return f"{detail_url('customers', row.customer_id)}?tab=people"


def _of_customer(row: Contact | ServiceLocation) -> Fact:
    return Fact(_("Customer"), row.customer.name, url=_home(row))


def _is_open(row: Contact | ServiceLocation) -> bool:
    return row.customer.state != CustomerState.CLOSED


def _change_contact(row: Contact, data: dict[str, Any], page: Page) -> Done:
    operations.change_contact(
        contact_id=row.pk, changes=data, actor=page.actor, now=page.now
    )
    return Done(_("Saved."), _home(row))


def _remove_contact(row: Contact, data: dict[str, Any], page: Page) -> Done:
    operations.remove_contact(contact_id=row.pk, actor=page.actor, now=page.now)
    return Done(_("The contact is gone."), _home(row))


@register_screen
class ContactDetail(DetailScreen):
    slug = "contacts"
    title = gettext_lazy("Contact")
    permission = "identity.view_customer"
    icon = "address-book"
    tabs = (Tab(slug="contact", label=gettext_lazy("Contact"), build="known"),)
    actions = (
        Action(
            slug="edit",
            label=gettext_lazy("Edit"),
            submit=gettext_lazy("Save"),
            permission="identity.change_customer",
            icon="edit",
            form=ContactForm,
            initial=lambda row, _page: {name: getattr(row, name) for name in _CONTACT},
            shown=_is_open,
            run=_change_contact,
        ),
        Action(
            slug="remove",
            label=gettext_lazy("Remove"),
            permission="identity.change_customer",
            icon="trash",
            tone="danger",
            confirm=gettext_lazy("Nobody is told or billed through this contact then."),
            run=_remove_contact,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Contact]:
        return selectors.contacts_visible_to(actor, permission)

    def facts(self, row: Contact, page: Page) -> Sequence[Fact]:
        return [_of_customer(row)]

    def known(self, row: Contact, page: Page) -> Sequence[Panel]:
        return [
            FactsPanel(
                title=_("Contact"),
                facts=[
                    Fact(_("For"), row.get_role_display()),
                    Fact(_("Phone"), row.phone, "code"),
                    Fact(_("E-mail"), row.email, "code"),
                    Fact(_("Receives"), receives(row)),
                ],
            )
        ]


def _change_location(row: ServiceLocation, data: dict[str, Any], page: Page) -> str:
    operations.change_location(
        location_id=row.pk, changes=data, actor=page.actor, now=page.now
    )
    return _("Saved.")


def _check(row: ServiceLocation, data: dict[str, Any], page: Page) -> str:
    operations.check_serviceability(
        location_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("Noted.")


def _remove_location(row: ServiceLocation, data: dict[str, Any], page: Page) -> Done:
    operations.remove_location(location_id=row.pk, actor=page.actor, now=page.now)
    return Done(_("The location is gone."), _home(row))


def serviceability(row: ServiceLocation) -> State:
    """The badge of a place, with the note as its why."""
    return state_of(row.serviceability, why=row.serviceability_note)


@register_screen
class LocationList(ListScreen):
    slug = "locations"
    title = gettext_lazy("Locations")
    permission = "identity.view_customer"
    icon = "map-pin"
    menu = "customers"
    menu_order = 15
    empty = gettext_lazy("No location yet. They are added on a customer's page.")
    columns = (
        Column(gettext_lazy("Location"), "label"),
        Column(
            gettext_lazy("Customer"),
            "customer.name",
            to="customers",
            to_id="customer_id",
        ),
        Column(gettext_lazy("Address"), "address"),
        Column(gettext_lazy("City"), "city"),
        Column(gettext_lazy("Coordinates"), coordinates, phone=False),
        Column(gettext_lazy("Can it be served?"), serviceability, "state"),
        Column(gettext_lazy("Checked"), "checked_at", "datetime", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="serviceability",
            label=gettext_lazy("Can it be served?"),
            choices=Serviceability.choices,
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[ServiceLocation]:
        return selectors.locations_visible_to(actor, permission)


@register_screen
class LocationDetail(DetailScreen):
    slug = "locations"
    title = gettext_lazy("Location")
    permission = "identity.view_customer"
    icon = "map-pin"
    tabs = (Tab(slug="location", label=gettext_lazy("Location"), build="known"),)
    actions = (
        Action(
            slug="check",
            label=gettext_lazy("Can it be served?"),
            submit=gettext_lazy("Save"),
            permission="identity.change_customer",
            icon="checklist",
            form=CheckForm,
            initial=lambda row, _page: {
                "answer": row.serviceability,
                "note": row.serviceability_note,
            },
            shown=_is_open,
            run=_check,
        ),
        Action(
            slug="edit",
            label=gettext_lazy("Edit"),
            submit=gettext_lazy("Save"),
            permission="identity.change_customer",
            icon="edit",
            form=LocationForm,
            initial=lambda row, _page: {name: getattr(row, name) for name in _LOCATION},
            shown=_is_open,
            run=_change_location,
        ),
        Action(
            slug="remove",
            label=gettext_lazy("Remove"),
            permission="identity.change_customer",
            icon="trash",
            tone="danger",
            confirm=gettext_lazy("Only a place that no service names can be removed."),
            run=_remove_location,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[ServiceLocation]:
        return selectors.locations_visible_to(actor, permission)

    def state(self, row: ServiceLocation, page: Page) -> State:
        return serviceability(row)

    def facts(self, row: ServiceLocation, page: Page) -> Sequence[Fact]:
        return [_of_customer(row)]

    def known(self, row: ServiceLocation, page: Page) -> Sequence[Panel]:
        return [
            FactsPanel(
                title=_("Location"),
                facts=[
                    Fact(_("Address"), row.address),
                    Fact(_("City"), row.city),
                    Fact(_("Coordinates"), coordinates(row), "code"),
                    Fact(_("Note"), row.serviceability_note),
                    Fact(_("Checked"), row.checked_at, "datetime"),
                    Fact(_("Checked by"), row.checked_by),
                ],
            )
        ]
