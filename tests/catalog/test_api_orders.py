"""Plans and orders over HTTP."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Plan, Service
from apps.identity import operations as identity
from tests.catalog.shops import TODAY, ordered, problem
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
LONG_AGO = NOON - timedelta(days=30)
SERVICES = "/api/v1/services"


# Plans --------------------------------------------------------------------


def test_plans_show_what_they_cost_today(shop, world):
    shop.do.set_price(
        plan_id=shop.plan.pk,
        currency="NGN",
        amount=Decimal(20000),
        valid_from=TODAY + timedelta(days=5000),
    )

    body = world.api(world.chidi).get("/api/v1/plans").json()

    (plan,) = body["results"]
    assert (plan["slug"], plan["down_kbps"], plan["state"]) == (
        "home-20",
        20_000,
        "active",
    )
    assert [(p["amount"], p["currency"]) for p in plan["prices"]] == [
        ("15000.00", "NGN")
    ]


def test_an_owner_sets_up_a_plan_with_its_price(shop, world):
    ada = world.api(world.ada)
    made = ada.post(
        "/api/v1/plans",
        {"slug": "biz", "name": "Business", "profile": shop.profile.pk},
    )
    assert made.status_code == 201, made.content
    plan = made.json()
    assert (plan["billing"], plan["tax_class"], plan["pool"]) == (
        "postpaid",
        "standard",
        None,
    )

    url = f"/api/v1/plans/{plan['id']}"
    price = {"currency": "NGN", "amount": "99.123456", "valid_from": "2026-12-01"}
    answer = ada.post(f"{url}/prices", price)
    assert answer.status_code == 201, answer.content
    assert answer.json()["amount"] == "99.123456"
    assert [p["valid_from"] for p in ada.get(f"{url}/prices").json()] == ["2026-12-01"]
    assert ada.get(url).json()["prices"] == []
    assert ada.post(f"{url}/retire").json()["state"] == "retired"
    assert [p["slug"] for p in ada.get("/api/v1/plans?state=active").json()["results"]]
    assert problem(
        ada.post("/api/v1/plans", {"slug": "biz", "name": "x", "profile": 1}), 400
    )


@pytest.mark.parametrize("person", ["bisi", "nuru", "femi", "chidi"])
def test_only_those_who_may_set_up_plans_do(shop, world, person):
    client = world.api(getattr(world, person))
    body = {"slug": "biz", "name": "Business", "profile": shop.profile.pk}

    assert problem(client.post("/api/v1/plans", body), 403)[0] == "permission_denied"
    assert Plan.objects.count() == 1


# Ordering -----------------------------------------------------------------


def test_support_orders_and_provisions(shop, world):
    sola = world.api(world.sola)
    chidi = world.chidi.customer

    made = sola.post(
        SERVICES, {"customer": chidi.pk, "plan": "home-20", "password": "rain-7-drum"}
    )

    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["state"], body["customer"], body["plan"]) == (
        "pending",
        chidi.pk,
        shop.plan.pk,
    )
    assert (body["login"], body["addresses"], body["holds"], body["online"]) == (
        chidi.reference.replace("-", "").lower(),
        [],
        [],
        False,
    )
    assert "rain-7-drum" not in made.content.decode()

    started = sola.post(f"{SERVICES}/{body['id']}/provision")
    assert started.status_code == 202, started.content
    job = started.json()["job"]
    assert started["Location"] == f"/api/v1/jobs/{job}"
    assert sola.post(f"{SERVICES}/{body['id']}/provision").json()["job"] == job
    watched = sola.get(f"/api/v1/jobs/{job}").json()
    assert (watched["state"], watched["progress"]) == ("queued", 0)
    assert sola.get(f"{SERVICES}/{body['id']}").json()["state"] == "provisioning"
    steps = sola.get(f"{SERVICES}/{body['id']}/provisioning").json()
    assert (steps["job"], steps["state"]) == (job, "queued")
    assert [(s["name"], s["state"]) for s in steps["steps"]] == [
        ("open_access", "waiting"),
        ("allocate_address", "waiting"),
        ("check", "waiting"),
    ]


def test_orders_by_reference_and_shows_the_order(shop, world):
    sola = world.api(world.sola)
    chidi = world.chidi.customer
    made = sola.post(SERVICES, {"customer": chidi.reference, "plan": shop.plan.pk})
    service = made.json()

    (order,) = sola.get(f"/api/v1/orders?customer={chidi.pk}").json()["results"]

    assert order["items"] == [{"plan": shop.plan.pk, "service": service["id"]}]
    assert order["state"] == "accepted"
    mine = world.api(world.chidi).get(f"/api/v1/orders/{order['id']}")
    assert mine.json()["reference"] == order["reference"]
    assert problem(world.api(world.esi).get(f"/api/v1/orders/{order['id']}"), 404)


@pytest.mark.parametrize(
    ("_case", "change", "expected"),
    [
        ("unknown plan", {"plan": "none"}, (400, "unknown_plan", "plan")),
        ("unknown plan id", {"plan": 9_999_999}, (400, "unknown_plan", "plan")),
        ("huge plan id", {"plan": 10**30}, (400, "unknown_plan", "plan")),
        ("plan is true", {"plan": True}, (400, "invalid", "plan")),
        ("plan is a list", {"plan": [1]}, (400, "invalid", "plan")),
        ("plan is empty", {"plan": " "}, (400, "invalid", "plan")),
        ("customer", {"customer": 0}, (400, "unknown_customer", "customer")),
        ("huge customer", {"customer": 10**40}, (400, "unknown_customer", "customer")),
        ("overlong", {"password": "x" * 129}, (400, "invalid", "password")),
        ("too many bytes", {"password": "é" * 100}, (400, "invalid_password", "password")),
        ("short", {"password": "12345"}, (400, "invalid_password", "password")),
        ("login", {"login": "a b"}, (400, "invalid_login", "login")),
        ("login taken", {"login": "taken"}, (409, "login_taken", "login")),
        ("location", {"location": 1}, (400, "unknown_location", "location")),
    ],
)  # fmt: skip
def test_refuses_bad_orders(shop, world, _case, change, expected):
    ordered(shop, world.dayo, login="taken")
    body = {"customer": world.chidi.customer.pk, "plan": "home-20", **change}

    answer = world.api(world.sola).post(SERVICES, body)

    status, code, field = expected
    assert problem(answer, status) == (code, [field])
    assert Service.objects.count() == 1


def test_refuses_a_closed_customer(shop, world):
    chidi = world.chidi.customer
    identity.close_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)

    answer = world.api(world.sola).post(
        SERVICES, {"customer": chidi.pk, "plan": "home-20"}
    )

    assert problem(answer, 409) == ("customer_closed", ["customer"])
    assert not Service.objects.exists()


def test_staff_of_a_reseller_order_for_their_customers_alone(shop, world):
    remi = world.api(world.remi)
    body = {"customer": world.chidi.customer.pk, "plan": "home-20"}
    assert problem(remi.post(SERVICES, body), 400)[0] == "unknown_customer"

    body["customer"] = world.esi.customer.pk
    assert remi.post(SERVICES, body).status_code == 201
