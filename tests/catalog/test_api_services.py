"""Services over HTTP, for staff, customers and strangers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.network import operations as network
from apps.ops.models import AuditEntry
from tests.catalog.shops import TODAY, make_active, ordered, problem
from tests.catalog.steps import fail, latest
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
LONG_AGO = NOON - timedelta(days=30)
SERVICES = "/api/v1/services"


# Who sees what ------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/provisioning", "/usage"])
def test_a_customer_sees_its_own_services_and_a_stranger_none(shop, world, path):
    service = ordered(shop, world.chidi)
    shop.do.provision_service(service_id=service.pk)
    url = f"{SERVICES}/{service.pk}{path}"

    assert world.api(world.chidi).get(url).status_code == 200
    assert world.api(world.femi).get(url).status_code == 200
    missing = world.api(world.esi).get(f"{SERVICES}/{service.pk + 1000}{path}")
    hidden = world.api(world.esi).get(url)
    assert problem(hidden, 404) == problem(missing, 404) == ("not_found", [])
    assert problem(world.api(world.remi).get(url), 404)
    assert problem(world.api().get(url), 401)
    listed = world.api(world.esi).get(SERVICES).json()
    assert listed["results"] == []


@pytest.mark.parametrize(
    ("act", "body", "refused"),
    [
        ("provision", {}, ["bisi", "femi", "chidi"]),
        ("provisioning/retry", {}, ["bisi", "femi", "chidi"]),
        ("provisioning/cancel", {}, ["bisi", "femi", "chidi"]),
        ("suspend", {}, ["bisi", "nuru", "femi", "chidi"]),
        ("resume", {}, ["bisi", "nuru", "femi", "chidi"]),
        ("terminate", {}, ["sola", "bisi", "nuru", "femi", "chidi"]),
        ("extend", {"until": "2027-01-01T00:00:00Z"}, ["sola", "bisi", "chidi"]),
    ],
)
def test_those_without_the_permission_are_refused(shop, world, act, body, refused):
    service = make_active(shop, ordered(shop, world.chidi))
    before = AuditEntry.objects.filter(action__startswith="catalog").count()

    for name in refused:
        client = world.api(getattr(world, name))
        answer = client.post(f"{SERVICES}/{service.pk}/{act}", body)
        assert problem(answer, 403)[0] == "permission_denied", name
    stranger = world.api(world.remi).post(f"{SERVICES}/{service.pk}/{act}", body)
    assert stranger.status_code in {403, 404}
    after = AuditEntry.objects.filter(action__startswith="catalog").count()
    assert after == before


def test_the_password_is_shown_to_few_and_every_look_is_kept(shop, world):
    service = ordered(shop, world.chidi, password="rain-7-drum")
    url = f"{SERVICES}/{service.pk}/credentials"

    for name in ("bisi", "nuru", "femi", "chidi"):
        assert problem(world.api(getattr(world, name)).get(url), 403)
    answer = world.api(world.ada).get(url)

    assert answer.json() == {"login": service.login, "password": "rain-7-drum"}
    assert answer["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get(action="catalog.service.credentials_revealed")
    assert (entry.actor_label, entry.subject_id) == ("ada", service.pk)
    assert "rain" not in str(entry.changes)


# Life ---------------------------------------------------------------------


def test_suspends_resumes_and_says_why(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    sola, url = world.api(world.sola), f"{SERVICES}/{service.pk}"

    body = {"reason": "abuse", "effect": "reject", "note": "Sends spam."}
    held = sola.post(f"{url}/suspend", body).json()

    assert held["state"] == "suspended"
    assert [(h["reason"], h["effect"], h["note"]) for h in held["holds"]] == [
        ("abuse", "reject", "Sends spam.")
    ]
    assert world.api(world.chidi).get(url).json()["holds"] == held["holds"]
    assert (
        sola.post(f"{url}/resume", {"reason": "admin"}).json()["state"] == "suspended"
    )
    free = sola.post(f"{url}/resume", {"reason": "abuse"}).json()
    assert (free["state"], free["holds"]) == ("active", [])
    walled = sola.post(f"{url}/suspend", {"effect": "walled_garden"}).json()
    assert walled["state"] == "walled_garden"
    assert problem(sola.post(f"{url}/suspend", {"reason": "whim"}), 400) == (
        "invalid",
        ["reason"],
    )
    assert problem(sola.post(f"{url}/suspend", {"note": "x" * 501}), 400) == (
        "invalid",
        ["note"],
    )


def test_ends_a_service_and_shows_its_dates(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    ada, url = world.api(world.ada), f"{SERVICES}/{service.pk}"

    ended = ada.post(f"{url}/terminate").json()

    assert (ended["state"], ended["addresses"]) == ("terminated", [])
    assert ended["ends_date"] >= ended["active_from_date"]
    assert problem(ada.post(f"{url}/suspend"), 409) == ("service_not_active", [])
    assert problem(ada.post(f"{url}/provision"), 409) == ("service_not_pending", [])
    assert problem(ada.get(f"{url}/credentials"), 409)


def test_extends_prepaid_services_only(shop, world):
    plan = shop.do.create_plan(
        slug="pre", name="Pre", profile_id=shop.profile.pk, billing="prepaid"
    )
    shop.do.set_price(
        plan_id=plan.pk, currency="NGN", amount=Decimal(5000), valid_from=TODAY
    )
    prepaid = make_active(
        shop,
        shop.do.order_service(customer_id=world.chidi.customer.pk, plan_id=plan.pk),
    )
    postpaid = make_active(shop, ordered(shop, world.chidi))
    ada, body = world.api(world.ada), {"until": "2030-01-01T00:00:00Z"}

    answer = ada.post(f"{SERVICES}/{prepaid.pk}/extend", body)
    expires_at = datetime.fromisoformat(answer.json()["expires_at"])
    assert expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    answer = ada.post(f"{SERVICES}/{postpaid.pk}/extend", body)
    assert problem(answer, 409) == ("plan_not_prepaid", [])
    answer = ada.post(f"{SERVICES}/{prepaid.pk}/extend", {"until": "soon"})
    assert problem(answer, 400) == ("invalid", ["until"])


def test_a_failed_job_is_retried_or_given_up(shop, world):
    service = ordered(shop, world.chidi)
    nuru, url = world.api(world.nuru), f"{SERVICES}/{service.pk}"
    assert problem(nuru.post(f"{url}/provisioning/retry"), 404)
    assert problem(nuru.get(f"{url}/provisioning"), 404)
    shop.do.provision_service(service_id=service.pk)
    fail(latest(service), "No luck.")

    shown = nuru.get(f"{url}/provisioning").json()
    assert (shown["state"], shown["steps"][0]["answer"]) == ("failed", "No luck.")
    again = nuru.post(f"{url}/provisioning/retry")
    assert again.status_code == 202
    assert again.json()["job"] != shown["job"]
    given_up = nuru.post(f"{url}/provisioning/cancel").json()
    assert given_up["state"] == "cancelled"
    assert nuru.get(url).json()["state"] == "pending"
    assert problem(nuru.post(f"{url}/provisioning/retry"), 409) == (
        "provisioning_not_failed",
        [],
    )


# Lists --------------------------------------------------------------------


def test_filters_by_what_people_see(shop, world):
    waiting = ordered(shop, world.chidi)
    free, spent, walled, slow, barred = (
        make_active(shop, ordered(shop, world.dayo)) for _ in range(5)
    )
    for service, effect in (
        (walled, "walled_garden"),
        (walled, "throttle"),
        (slow, "throttle"),
        (barred, "reject"),
        (barred, "throttle"),
    ):
        reason = "quota" if effect == "throttle" else "non_payment"
        shop.do.suspend_service(
            service_id=service.pk, reason=reason, effect=effect, note=""
        )
    network.change_access(
        account_id=spent.access_id, expires_at=LONG_AGO, actor=SYSTEM, now=NOON
    )
    ada = world.api(world.ada)

    def listed(query):
        body = ada.get(f"{SERVICES}?{query}").json()
        return {(row["id"], row["state"]) for row in body["results"]}

    assert listed("state=pending") == {(waiting.pk, "pending")}
    assert listed("state=active") == {(free.pk, "active")}
    assert listed("state=walled_garden") == {
        (walled.pk, "walled_garden"),
        (spent.pk, "walled_garden"),
    }
    assert listed("state=throttled") == {(slow.pk, "throttled")}
    assert listed("state=suspended") == {(barred.pk, "suspended")}
    assert listed(f"customer={world.chidi.customer.pk}") == {(waiting.pk, "pending")}
    assert listed("plan=none") == set()
    assert len(listed("plan=home-20")) == 6
    assert listed(f"login={waiting.login}") == {(waiting.pk, "pending")}
    login = ada.get(f"{SERVICES}/{slow.pk}").json()["login"]
    assert listed(f"login={login}") == {(slow.pk, "throttled")}
    assert listed(f"reference={barred.reference}") == {(barred.pk, "suspended")}
    assert problem(ada.get(f"{SERVICES}?state=sleepy"), 400) == ("invalid", ["state"])
    assert problem(ada.get(f"{SERVICES}?colour=red"), 400) == ("invalid", ["colour"])


def test_a_page_costs_the_same_for_one_and_for_many(shop, world):
    ada = world.api(world.ada)
    make_active(shop, ordered(shop, world.chidi))
    ada.get(SERVICES)  # The first look of an hour is written down.
    with captured() as one:
        ada.get(SERVICES)
    for _ in range(3):
        make_active(shop, ordered(shop, world.dayo))
    with captured() as many:
        assert len(ada.get(SERVICES).json()["results"]) == 4
    assert len(many) == len(one)

    body = ada.get(f"{SERVICES}?page_size=2").json()
    following = ada.get(body["next"]).json()
    ids = [row["id"] for row in body["results"] + following["results"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 4


def captured():
    return CaptureQueriesContext(connection)
