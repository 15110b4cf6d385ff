"""Locations and contacts, by operations."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import CustomerClosed
from apps.identity.models import Contact, ServiceLocation
from apps.identity.operations import customers, places
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
        # Never a name or an address: the audit cannot forget.
        ("identity.add_location", ""),
        ("identity.add_contact", ""),
        ("identity.remove_location", ""),
        ("identity.remove_contact", ""),
    ]
    assert set(rows.values_list("customer_id", flat=True)) == {at["customer_id"]}


def test_what_changes_nothing_is_not_written_down(at):
    facts: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
    location = identity.add_location(**at, label="home", address="1 Marina")
    contact = identity.add_contact(**at, name="Ify", phone="0803 111 2222")
    identity.change_location(
        location_id=location.pk, changes={"label": "home"}, **facts
    )
    identity.change_contact(contact_id=contact.pk, changes={"name": "Ify"}, **facts)

    assert not AuditEntry.objects.filter(action__startswith="identity.change").exists()


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


def test_one_primary_contact_and_reachable_recipients(at):
    first = identity.add_contact(**at, name="Ify", email="i@m.example", is_primary=True)
    second = identity.add_contact(**at, name="Obi", phone="0803 111 2222")
    facts: dict[str, Any] = {"actor": SYSTEM, "now": NOON}

    identity.change_contact(contact_id=second.pk, changes={"is_primary": True}, **facts)
    first.refresh_from_db()
    assert first.is_primary is False
    assert [row.pk for row in selectors.contacts_of(at["customer_id"])] == [
        second.pk,
        first.pk,
    ]
    with pytest.raises(InvalidInput, match="Bills go by e-mail"):
        identity.change_contact(
            contact_id=second.pk, changes={"gets_bills": True}, **facts
        )
    with pytest.raises(InvalidInput, match="Give an e-mail"):
        identity.add_contact(**at, name="Nobody", gets_outages=True)
    with pytest.raises(InvalidInput):
        identity.change_contact(contact_id=first.pk, changes={"id": 1}, **facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=first.pk).update(is_primary=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=second.pk).update(gets_bills=True)


def test_contacts_who_get_bills_are_written_to_once_each(at, world):
    own = world.chidi.customer.email
    for email in ("pay@m.example", "PAY@m.example", own):
        identity.add_contact(**at, name="x", email=email, gets_bills=True)
    identity.add_contact(**at, name="y", email="no@m.example")

    assert list(selectors.bill_addresses(at["customer_id"]).values()) == [
        own,
        "pay@m.example",
    ]


def test_a_check_holds_until_the_place_moves(at, world):
    place = identity.add_location(**at, label="shop", address="1 Marina")
    facts: dict[str, Any] = {"actor": world.nuru.actor, "now": NOON}

    checked = identity.check_serviceability(
        location_id=place.pk, answer="survey", note=" mast  needed ", **facts
    )
    assert (checked.serviceability, checked.serviceability_note) == (
        "survey",
        "mast needed",
    )
    assert (checked.checked_by, checked.checked_at) == ("nuru", NOON)
    renamed = identity.change_location(
        location_id=place.pk, changes={"label": "the shop"}, **facts
    )
    assert renamed.serviceability == "survey"
    moved = identity.change_location(
        location_id=place.pk, changes={"address": "2 Marina"}, **facts
    )
    assert (moved.serviceability, moved.checked_at) == ("unknown", None)
    for bad in ("unknown", "maybe"):
        with pytest.raises(InvalidInput):
            identity.check_serviceability(location_id=place.pk, answer=bad, **facts)
    with pytest.raises(InvalidInput):
        identity.check_serviceability(
            location_id=place.pk, answer="no", note="x" * 301, **facts
        )
    with pytest.raises(NotFound):
        identity.check_serviceability(location_id=2**40, answer="no", **facts)


def test_the_same_answer_again_keeps_who_checked_and_when(at, world):
    place = identity.add_location(**at, label="shop", address="1 Marina")
    answer: dict[str, Any] = {"location_id": place.pk, "answer": "no", "note": "hill"}
    identity.check_serviceability(**answer, actor=world.nuru.actor, now=NOON)
    later: dict[str, Any] = {"actor": SYSTEM, "now": NOON + timedelta(days=1)}

    identity.check_serviceability(**{**answer, "note": " hill "}, **later)

    place.refresh_from_db()
    assert (place.checked_by, place.checked_at) == ("nuru", NOON)
    told = AuditEntry.objects.filter(action="identity.check_serviceability")
    assert told.count() == 1
    # The same answer for another reason is a new one.
    identity.check_serviceability(**{**answer, "note": "river"}, **later)
    assert told.count() == 2


def test_a_place_that_goes_while_its_customer_is_waited_for_is_not_changed(
    at, monkeypatch
):
    """Somebody else, who held the customer, took the place away."""
    place = identity.add_location(**at, label="shop", address="1 Marina")
    hold = customers.locked_and_open

    def late(customer_id):
        ServiceLocation.objects.filter(pk=place.pk).delete()
        return hold(customer_id)

    monkeypatch.setattr(places, "locked_and_open", late)
    with pytest.raises(NotFound):
        identity.change_location(
            location_id=place.pk, changes={"city": "Ibadan"}, actor=SYSTEM, now=NOON
        )
    assert not AuditEntry.objects.filter(action="identity.change_location").exists()


def test_a_person_to_speak_to_has_a_name(at):
    with pytest.raises(InvalidInput) as refused:
        identity.add_contact(**at, name=" \t")
    assert refused.value.field == "name"
    person = identity.add_contact(**at, name="Ify")
    with pytest.raises(InvalidInput) as refused:
        identity.change_contact(
            contact_id=person.pk, changes={"name": ""}, actor=SYSTEM, now=NOON
        )
    assert refused.value.field == "name"
    assert Contact.objects.get().name == "Ify"


def test_places_and_people_through_the_api(world, at):
    sola = world.api(world.sola)
    base = f"/api/v1/customers/{at['customer_id']}"
    place = sola.post(f"{base}/locations", {"label": "shop", "address": "1 Marina"})
    one = f"{base}/locations/{place.json()['id']}"

    said = sola.post(f"{one}/serviceability", {"answer": "no", "note": "hill"}).json()
    assert (said["serviceability"], said["checked_by"]) == ("no", "sola")
    moved = sola.patch(one, {"city": "Ibadan"}).json()
    assert (moved["city"], moved["serviceability"]) == ("Ibadan", "unknown")
    person = sola.post(
        f"{base}/contacts", {"name": "Ify", "email": "i@m.example", "gets_bills": True}
    ).json()
    contact = f"{base}/contacts/{person['id']}"
    refused = sola.patch(contact, {"email": ""})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "email")
    assert sola.patch(contact, {"role": "technical"}).json()["role"] == "technical"
    other = f"/api/v1/customers/{world.dayo.customer.pk}/contacts/{person['id']}"
    assert sola.get(other).status_code == 404
    assert sola.delete(contact).status_code == 204
    assert sola.delete(one).status_code == 204
    assert sola.get(f"{base}/locations").json() == []


def test_places_and_people_in_the_console(world, at):
    sola = world.console(world.sola)
    place = identity.add_location(**at, label="shop", address="1 Marina")
    person = identity.add_contact(**at, name="Ify", email="i@m.example")

    sola.post(
        f"/console/locations/{place.pk}/check", {"answer": "yes", "note": "fibre"}
    )
    listed = sola.get("/console/locations?serviceability=yes").content.decode()
    assert "1 Marina" in listed
    sola.post(
        f"/console/locations/{place.pk}/edit", {"label": "s", "address": "2 Quay"}
    )
    sola.post(
        f"/console/contacts/{person.pk}/edit",
        {"name": "Ify", "role": "billing", "email": "i@m.example", "gets_bills": "on"},
    )
    people = sola.get(f"/console/customers/{at['customer_id']}?tab=people")
    assert "2 Quay" in people.content.decode()
    assert "bills" in people.content.decode()
    sola.post(f"/console/contacts/{person.pk}/remove", {"confirmed": "1"})
    sola.post(f"/console/locations/{place.pk}/remove", {"confirmed": "1"})
    assert (Contact.objects.count(), ServiceLocation.objects.count()) == (0, 0)
