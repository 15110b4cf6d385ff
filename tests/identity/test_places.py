"""Locations and contacts, by operations."""

from decimal import Decimal
from typing import Any

import pytest

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import CustomerClosed
from apps.identity.models import Contact, ServiceLocation
from apps.identity.operations import places
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(world):
    return {"customer_id": world.chidi.customer.pk, "actor": SYSTEM, "now": NOON}


def test_adds_and_removes_with_an_audit_row_each(at):
    location = identity.add_location(
        **at,
        label="home",
        address="1 Marina",
        latitude=Decimal("6.45"),
        longitude=Decimal("3.4"),
    )
    contact = identity.add_contact(**at, name="Ify", phone="0803 111 2222")
    facts: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
    for _ in range(2):
        identity.remove_location(location_id=location.pk, **facts)
        identity.remove_contact(contact_id=contact.pk, **facts)

    assert ServiceLocation.objects.exists() is False
    assert Contact.objects.exists() is False
    rows = AuditEntry.objects.filter(subject_kind__in=("location", "contact"))
    assert list(rows.order_by("pk").values_list("action", "subject_label")) == [
        ("identity.add_location", "home"),
        ("identity.add_contact", "Ify"),
        ("identity.remove_location", "home"),
        ("identity.remove_contact", "Ify"),
    ]
    assert set(rows.values_list("customer_id", flat=True)) == {at["customer_id"]}


def test_refuses_for_closed_and_unknown_customers(at):
    identity.close_customer(**at)

    with pytest.raises(CustomerClosed):
        identity.add_location(**at, label="x", address="y")
    with pytest.raises(CustomerClosed):
        identity.add_contact(**at, name="x")
    with pytest.raises(NotFound):
        identity.add_contact(**{**at, "customer_id": 2**40}, name="x")


def test_refuses_unknown_kinds_of_contact(at):
    with pytest.raises(InvalidInput) as refused:
        identity.add_contact(**at, name="x", role="boss")

    assert refused.value.field == "role"


def test_a_customer_has_a_bounded_number_of_each(at, monkeypatch):
    monkeypatch.setattr(places, "LOCATIONS_MAX", 1)
    monkeypatch.setattr(places, "CONTACTS_MAX", 1)
    identity.add_location(**at, label="one", address="y")
    identity.add_contact(**at, name="one")

    with pytest.raises(InvalidInput):
        identity.add_location(**at, label="two", address="y")
    with pytest.raises(InvalidInput):
        identity.add_contact(**at, name="two")
    assert selectors.locations_of(at["customer_id"]).count() == 1
    assert selectors.contacts_of(at["customer_id"]).count() == 1
