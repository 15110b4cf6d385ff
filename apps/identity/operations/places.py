"""Where a customer is served, and whom to speak to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from apps.identity.enums import ContactRole, CustomerState
from apps.identity.errors import CustomerClosed, MalformedEmail, MalformedPhone
from apps.identity.models import Contact, Customer, ServiceLocation
from apps.identity.rules.contacts import e164, plain_email
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

LOCATIONS_MAX = 200
CONTACTS_MAX = 100
_LATITUDE_MAX = 90
_LONGITUDE_MAX = 180


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
    _open_customer(customer_id)
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


@transaction.atomic
def remove_location(*, location_id: int, actor: Actor, now: datetime) -> None:
    """Forget a place. A place that is gone already changes nothing."""
    location = ServiceLocation.objects.filter(pk=location_id).first()
    if location is None:
        return
    _record("remove_location", location, actor, now)
    location.delete()


@transaction.atomic
def add_contact(
    *,
    customer_id: int,
    name: str,
    role: str = ContactRole.GENERAL,
    email: str = "",
    phone: str = "",
    actor: Actor,
    now: datetime,
) -> Contact:
    """A person to speak to."""
    _open_customer(customer_id)
    if role not in ContactRole.values:
        raise InvalidInput("There is no such kind of contact.", field="role")
    address = plain_email(email) if email else ""
    if address is None:
        raise MalformedEmail(field="email")
    number = e164(phone, region=settings.OPERATOR_COUNTRY) if phone else ""
    if number is None:
        raise MalformedPhone(field="phone")
    if Contact.objects.filter(customer_id=customer_id).count() >= CONTACTS_MAX:
        raise InvalidInput(f"At most {CONTACTS_MAX} contacts.", field="name")

    contact = Contact.objects.create(
        customer_id=customer_id, name=name, role=role, email=address, phone=number
    )
    _record("add_contact", contact, actor, now)
    return contact


@transaction.atomic
def remove_contact(*, contact_id: int, actor: Actor, now: datetime) -> None:
    """Forget a person. One who is gone already changes nothing."""
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        return
    _record("remove_contact", contact, actor, now)
    contact.delete()


def _open_customer(customer_id: int) -> Customer:
    customer = Customer.objects.locked().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed
    return customer


def _require_on_earth(latitude: Decimal | None, longitude: Decimal | None) -> None:
    if (latitude is None) != (longitude is None):
        raise InvalidInput("Give latitude and longitude, or neither.", field="latitude")
    if latitude is not None and abs(latitude) > _LATITUDE_MAX:
        raise InvalidInput("A latitude lies between -90 and 90.", field="latitude")
    if longitude is not None and abs(longitude) > _LONGITUDE_MAX:
        raise InvalidInput("A longitude lies between -180 and 180.", field="longitude")


def _record(
    verb: str, row: Contact | ServiceLocation, actor: Actor, now: datetime
) -> None:
    kind = "contact" if isinstance(row, Contact) else "location"
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", kind, row.pk, str(row)),
        actor=actor,
        now=now,
        customer_id=row.customer_id,
    )
