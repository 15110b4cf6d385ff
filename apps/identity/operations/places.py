"""Where a customer is served, and whom to speak to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import ProtectedError

from apps.identity.enums import ContactRole, Serviceability
from apps.identity.errors import (
    LocationInUse,
    MalformedEmail,
    MalformedPhone,
)
from apps.identity.models import Contact, ServiceLocation
from apps.identity.operations.customers import locked_and_open
from apps.identity.rules.contacts import e164, plain_email
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

LOCATIONS_MAX = 200
CONTACTS_MAX = 100
NOTE_CHARACTERS_MAX = 300
_LATITUDE_MAX = 90
_LONGITUDE_MAX = 180
_CONTACT_FIELDS = frozenset(
    {"name", "role", "email", "phone", "is_primary", "gets_bills", "gets_outages"}
)
_LOCATION_FIELDS = frozenset({"label", "address", "city", "latitude", "longitude"})

RowT = TypeVar("RowT", Contact, ServiceLocation)


@transaction.atomic
def add_location(
    *,
    customer_id: int,
    label: str,
    address: str,
    city: str = "",
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    actor: Actor,
    now: datetime,
) -> ServiceLocation:
    """A place where the customer is served. Coordinates come in pairs."""
    locked_and_open(customer_id)
    _require_on_earth(latitude, longitude)
    if ServiceLocation.objects.filter(customer_id=customer_id).count() >= LOCATIONS_MAX:
        raise InvalidInput(f"At most {LOCATIONS_MAX} locations.", field="label")

    location = ServiceLocation.objects.create(
        customer_id=customer_id,
        label=label,
        address=address,
        city=city,
        latitude=latitude,
        longitude=longitude,
    )
    _record("add_location", location, actor, now)
    return location


def copy_location(*, location_id: int, customer_id: int, now: datetime) -> int:
    """The same place for another customer, as a row of its own; its key.

    Part of an operation that takes two customers apart: one place, a service each.
    """
    place = ServiceLocation.objects.get(pk=location_id)
    place.pk, place.customer_id = None, customer_id
    place.created_at = place.updated_at = now
    place.save(force_insert=True)
    return place.pk


@transaction.atomic
def change_location(
    *, location_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> ServiceLocation:
    """Change what is known of a place; equal values change nothing.

    Another address or other coordinates make the check of serviceability void:
    it was made for another place.
    """
    location = _held(ServiceLocation, location_id)
    changed = _changed(location, changes, _LOCATION_FIELDS)
    if not changed:
        return location
    _require_on_earth(
        changes.get("latitude", location.latitude),
        changes.get("longitude", location.longitude),
    )

    for field in changed:
        setattr(location, field, changes[field])
    if changed - {"label"}:
        location.serviceability = Serviceability.UNKNOWN
        location.serviceability_note = location.checked_by = ""
        location.checked_at = None
    location.store(*_LOCATION_FIELDS, *_CHECK_FIELDS, now=now)
    _record("change_location", location, actor, now, fields=sorted(changed))
    return location


_CHECK_FIELDS = ("serviceability", "serviceability_note", "checked_at", "checked_by")


@transaction.atomic
def check_serviceability(
    *, location_id: int, answer: str, note: str = "", actor: Actor, now: datetime
) -> ServiceLocation:
    """Note whether the place can be served: yes, no, or survey needed.

    The same answer with the same note changes nothing.
    """
    location = _held(ServiceLocation, location_id)
    said = " ".join(note.split())
    if answer not in Serviceability.values or answer == Serviceability.UNKNOWN:
        raise InvalidInput("Yes, no, or survey needed.", field="answer")
    if len(said) > NOTE_CHARACTERS_MAX:
        raise InvalidInput(f"At most {NOTE_CHARACTERS_MAX} characters.", field="note")
    if (answer, said) == (location.serviceability, location.serviceability_note):
        return location

    location.serviceability, location.serviceability_note = answer, said
    location.checked_at, location.checked_by = now, actor.label[:200]
    location.store(*_CHECK_FIELDS, now=now)
    _record("check_serviceability", location, actor, now, answer=answer)
    return location


@transaction.atomic
def remove_location(*, location_id: int, actor: Actor, now: datetime) -> None:
    """Forget a place. A place that is gone already changes nothing.

    Refused while a service, running or ended, names the place.
    """
    # Locked: an order that names it meanwhile comes before or after, not between.
    rows = ServiceLocation.objects.select_for_update(no_key=False)
    location = rows.filter(pk=location_id).first()
    if location is None:
        return
    _record("remove_location", location, actor, now)
    try:
        location.delete()
    except ProtectedError as error:
        raise LocationInUse from error


@transaction.atomic
def add_contact(
    *, customer_id: int, name: str, actor: Actor, now: datetime, **facts: Any
) -> Contact:
    """A person to speak to. Facts: role, email, phone, and what the person gets.

    A new primary contact takes the place of the one before.
    """
    locked_and_open(customer_id)
    clean = _contact_values({"name": name, **facts})
    if Contact.objects.filter(customer_id=customer_id).count() >= CONTACTS_MAX:
        raise InvalidInput(f"At most {CONTACTS_MAX} contacts.", field="name")
    contact = Contact(customer_id=customer_id, **clean)
    _require_reach(contact)

    if contact.is_primary:
        _step_down(customer_id, now)
    contact.save(force_insert=True)
    _record("add_contact", contact, actor, now)
    return contact


@transaction.atomic
def change_contact(
    *, contact_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> Contact:
    """Change what is known of a person; equal values change nothing."""
    contact = _held(Contact, contact_id)
    clean = _contact_values(changes)
    changed = _changed(contact, clean, _CONTACT_FIELDS)
    if not changed:
        return contact
    was_primary = contact.is_primary
    for field in changed:
        setattr(contact, field, clean[field])
    _require_reach(contact)

    if contact.is_primary and not was_primary:
        _step_down(contact.customer_id, now)
    contact.store(*changed, now=now)
    _record("change_contact", contact, actor, now, fields=sorted(changed))
    return contact


@transaction.atomic
def remove_contact(*, contact_id: int, actor: Actor, now: datetime) -> None:
    """Forget a person. One who is gone already changes nothing."""
    rows = Contact.objects.select_for_update(no_key=False)
    contact = rows.filter(pk=contact_id).first()
    if contact is None:
        return
    _record("remove_contact", contact, actor, now)
    contact.delete()


def _held(kind: type[RowT], pk: int) -> RowT:
    """The row of an open customer whose row is locked first."""
    rows = kind._default_manager.filter(pk=pk)
    owner = rows.values_list("customer_id", flat=True).first()
    if owner is None:
        raise NotFound
    locked_and_open(owner)
    row = rows.first()
    if row is None:
        raise NotFound
    return row


def _changed(row: Any, values: Mapping[str, Any], known: frozenset[str]) -> set[str]:
    if unknown := set(values) - known:
        raise InvalidInput("This cannot be changed here.", field=min(unknown))
    return {field for field, value in values.items() if getattr(row, field) != value}


def _contact_values(values: Mapping[str, Any]) -> dict[str, Any]:
    clean = dict(values)
    if "name" in clean and not clean["name"].strip():
        raise InvalidInput("Give a name.", field="name")
    if clean.get("role", ContactRole.GENERAL) not in ContactRole.values:
        raise InvalidInput("There is no such kind of contact.", field="role")
    if clean.get("email"):
        clean["email"] = plain_email(clean["email"])
        if clean["email"] is None:
            raise MalformedEmail(field="email")
    if clean.get("phone"):
        clean["phone"] = e164(clean["phone"], region=settings.OPERATOR_COUNTRY)
        if clean["phone"] is None:
            raise MalformedPhone(field="phone")
    return clean


def _require_reach(contact: Contact) -> None:
    if contact.gets_bills and not contact.email:
        raise InvalidInput("Bills go by e-mail: give an address.", field="email")
    if contact.gets_outages and not (contact.email or contact.phone):
        raise InvalidInput("Give an e-mail address or a phone number.", field="email")


def _step_down(customer_id: int, now: datetime) -> None:
    Contact.objects.filter(customer_id=customer_id, is_primary=True).update(
        is_primary=False, updated_at=now
    )


def _require_on_earth(latitude: Decimal | None, longitude: Decimal | None) -> None:
    if (latitude is None) != (longitude is None):
        raise InvalidInput("Give latitude and longitude, or neither.", field="latitude")
    if latitude is not None and abs(latitude) > _LATITUDE_MAX:
        raise InvalidInput("A latitude lies between -90 and 90.", field="latitude")
    if longitude is not None and abs(longitude) > _LONGITUDE_MAX:
        raise InvalidInput("A longitude lies between -180 and 180.", field="longitude")


def _record(
    verb: str, row: Contact | ServiceLocation, actor: Actor, now: datetime, **facts: Any
) -> None:
    """Which row, never whose name or which address: the audit cannot forget."""
    kind = "contact" if isinstance(row, Contact) else "location"
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", kind, row.pk),
        actor=actor,
        now=now,
        changes=facts,
        customer_id=row.customer_id,
    )
