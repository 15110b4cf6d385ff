"""Ordering: what is accepted, what is refused, and what nobody may read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import errors
from apps.catalog.models import Order, OrderItem, Service
from apps.catalog.rules.credentials import CANDIDATES_MAX
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    CustomerHasHistory,
    CustomerStillServed,
    LocationInUse,
)
from apps.network import selectors as network
from apps.ops.models import AuditEntry, OutboxEvent
from dotmac.core.db import violated_constraint
from dotmac.core.models import open_sealed
from dotmac.core.participants import timeline_of
from dotmac.core.refs import SubjectRef
from tests.catalog.shops import LATER, TODAY, make_active
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def order(shop, customer, **facts):
    return shop.do.order_service(
        **{"customer_id": customer.pk, "plan_id": shop.plan.pk, **facts}
    )


def test_makes_an_order_and_a_service_that_waits(shop, world):
    chidi = world.chidi.customer

    service = order(shop, chidi)

    item = OrderItem.objects.get(service=service)
    placed = Order.objects.get(pk=item.order_id)
    assert service.reference == f"S-{service.pk:06d}"
    assert (service.state, service.access_id) == ("pending", None)
    assert placed.reference == f"O-{placed.pk:06d}"
    assert (placed.state, placed.customer_id, placed.placed_at) == (
        "accepted",
        chidi.pk,
        NOON,
    )
    assert str(service) == service.reference
    assert str(placed) == placed.reference
    event = OutboxEvent.objects.get(name="catalog.service.ordered.v1")
    assert event.data["plan_id"] == shop.plan.pk
    assert (event.customer_id, event.unit_id) == (chidi.pk, chidi.unit_id)


def test_makes_up_a_login_from_the_reference_and_a_readable_password(shop, world):
    chidi = world.chidi.customer
    base = chidi.reference.replace("-", "").lower()

    first, second = order(shop, chidi), order(shop, chidi)

    assert (first.login, second.login) == (base, f"{base}-2")
    password = open_sealed(first, "password")
    assert password != open_sealed(second, "password")
    assert [len(group) for group in password.split("-")] == [4, 4, 4]
    assert not set(password) & set("0o1il")


def test_passes_over_logins_that_accounts_have(shop, world):
    chidi = world.chidi.customer
    base = chidi.reference.replace("-", "").lower()
    shop.net.open_access(login=base, password="secret-1", profile_id=shop.profile.pk)

    assert order(shop, chidi).login == f"{base}-2"


def test_gives_up_where_every_login_is_taken(shop, world):
    chidi = world.chidi.customer
    base = chidi.reference.replace("-", "").lower()
    logins = [base, *(f"{base}-{n}" for n in range(2, CANDIDATES_MAX + 1))]
    template = order(shop, world.dayo.customer)
    Service.objects.bulk_create(
        Service(
            reference=f"X-{n}",
            customer_id=template.customer_id,
            plan=shop.plan,
            login=login,
            password=b"x",
        )
        for n, login in enumerate(logins)
    )

    with pytest.raises(errors.LoginTaken):
        order(shop, chidi)


def test_keeps_login_and_password_that_were_given(shop, world):
    service = order(
        shop, world.chidi.customer, login="Chidi.E@home", password="it's-m1ne"
    )

    assert service.login == "Chidi.E@home"
    assert open_sealed(service, "password") == "it's-m1ne"
    assert b"m1ne" not in bytes(service.password)
    logged = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    told = str(list(OutboxEvent.objects.values_list("data", flat=True)))
    assert "m1ne" not in logged + told


def test_serves_a_place_of_the_customer(shop, world):
    chidi = world.chidi.customer
    place = identity.add_location(
        customer_id=chidi.pk,
        label="Home",
        address="12 Broad Street",
        city="Lagos",
        latitude=None,
        longitude=None,
        actor=SYSTEM,
        now=NOON,
    )

    assert order(shop, chidi, location_id=place.pk).location_id == place.pk
    with pytest.raises(errors.UnknownLocation):
        order(shop, world.dayo.customer, location_id=place.pk)


def test_a_place_stays_as_long_as_a_service_names_it(shop, world):
    facts: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
    chidi = world.chidi.customer
    home, shed = (
        identity.add_location(
            customer_id=chidi.pk, label=label, address="12 Broad Street", **facts
        )
        for label in ("Home", "Shed")
    )
    service = order(shop, chidi, location_id=home.pk)
    for _state in ("waiting", "ended"):
        with pytest.raises(LocationInUse):
            identity.remove_location(location_id=home.pk, **facts)
        shop.do.terminate_service(service_id=service.pk)
    identity.remove_location(location_id=shed.pk, **facts)

    left = selectors.locations_of(chidi.pk)
    assert [place.pk for place in left] == [home.pk]
    told = AuditEntry.objects.filter(action="identity.remove_location")
    assert [entry.subject_id for entry in told] == [shed.pk]


@pytest.mark.parametrize(
    ("_case", "facts", "refusal", "field"),
    [
        ("no customer", {"customer_id": 0}, errors.UnknownCustomer, "customer"),
        ("no plan", {"plan_id": 0}, errors.UnknownPlan, "plan"),
        ("no location", {"location_id": 0}, errors.UnknownLocation, "location"),
        ("empty login", {"login": ""}, errors.LoginRefused, "login"),
        ("a space", {"login": "a b"}, errors.LoginRefused, "login"),
        ("a control sign", {"login": "a\x00b"}, errors.LoginRefused, "login"),
        ("long login", {"login": "x" * 65}, errors.LoginRefused, "login"),
        ("short", {"password": "12345"}, errors.PasswordRefused, "password"),
        ("overlong", {"password": "é" * 65}, errors.PasswordRefused, "password"),
        ("control", {"password": "abc\ndef"}, errors.PasswordRefused, "password"),
    ],
)
def test_refuses_and_changes_nothing(shop, world, _case, facts, refusal, field):
    chidi = world.chidi.customer
    before = OutboxEvent.objects.count()

    with pytest.raises(refusal) as refused:
        order(shop, chidi, **facts)

    assert refused.value.field == field
    assert OutboxEvent.objects.count() == before
    assert not Service.objects.exists()
    assert not Order.objects.exists()


def test_refuses_a_closed_customer(shop, world):
    chidi = world.chidi.customer
    identity.close_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)

    with pytest.raises(errors.CustomerClosed) as refused:
        order(shop, chidi)

    assert (refused.value.code, refused.value.status) == ("customer_closed", 409)
    assert not Service.objects.exists()


def test_refuses_a_retired_plan_and_one_without_a_price(shop, world):
    free = shop.do.create_plan(slug="free", name="Free", profile_id=shop.profile.pk)
    with pytest.raises(errors.PlanHasNoPrice):
        order(shop, world.chidi.customer, plan_id=free.pk)
    shop.do.set_price(
        plan_id=free.pk,
        currency="NGN",
        amount=Decimal(1),
        valid_from=TODAY + timedelta(days=1),
    )
    with pytest.raises(errors.PlanHasNoPrice):
        order(shop, world.chidi.customer, plan_id=free.pk)

    shop.do.retire_plan(plan_id=shop.plan.pk)
    with pytest.raises(errors.PlanRetired) as refused:
        order(shop, world.chidi.customer)
    assert refused.value.field == "plan"


def test_refuses_a_login_of_another_service_or_account(shop, world):
    waiting = order(shop, world.chidi.customer, login="shared")
    with pytest.raises(errors.LoginTaken) as refused:
        order(shop, world.dayo.customer, login="shared")
    assert refused.value.field == "login"

    make_active(shop, waiting)
    assert network.logins_in_use(["shared", "other"]) == {"shared"}
    with pytest.raises(errors.LoginTaken):
        order(shop, world.dayo.customer, login="shared")


def test_the_database_gives_a_login_to_one_waiting_service(shop, world):
    order(shop, world.chidi.customer, login="shared")
    other = order(shop, world.dayo.customer)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Service.objects.filter(pk=other.pk).update(login="shared")

    assert violated_constraint(refused.value) == "catalog_service_login_unique"


def test_a_customer_with_orders_is_neither_deleted_nor_closed(shop, world):
    chidi = world.chidi.customer
    service = order(shop, chidi)

    with pytest.raises(CustomerHasHistory):
        identity.delete_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(CustomerStillServed):
        identity.close_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)

    shop.do.terminate_service(service_id=service.pk)
    closed = identity.close_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)
    assert closed.state == "closed"


def test_the_customers_timeline_tells_of_its_services(shop, world):
    chidi = world.chidi.customer
    service = make_active(shop, order(shop, chidi), now=LATER)
    shop.do.terminate_service(service_id=service.pk, now=NOON + timedelta(hours=2))

    subject = SubjectRef("identity", "customer", chidi.pk)
    entries, more = timeline_of(subject, limit=10, app="catalog")

    titles = ["Service terminated", "Service active", "Service ordered"]
    assert [entry.title for entry in entries] == titles
    assert entries[0].detail == f"{service.reference} Home 20"
    assert more is False
    assert entries[0].url == f"/console/services/{service.pk}"
