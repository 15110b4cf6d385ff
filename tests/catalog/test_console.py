"""Staff screens of plans, orders, services and provisioning."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from apps.catalog import selectors
from apps.catalog.models import Order, Plan, PlanPrice, Service
from apps.identity import operations as identity
from apps.network.models import UsageHour
from apps.ops.models import AuditEntry
from tests.catalog.shops import make_active, ordered
from tests.catalog.steps import fail, latest
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(world):
    """Sola of support, signed in."""
    return enter(world.sola)


def text_of(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_orders_on_the_customers_page_and_provisions(shop, world, desk):
    customer = world.chidi.customer
    form = text_of(desk, f"/console/customers/{customer.pk}/order")
    assert "Home 20 · 15,000.00 NGN" in form

    answer = desk.post(
        f"/console/customers/{customer.pk}/order",
        {"plan_id": shop.plan.pk, "login": "chidi", "password": "rain-7-drum"},
    )

    service = Service.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/console/services/{service.pk}"
    assert service.login == "chidi"
    page = text_of(desk, answer["Location"])
    assert "It waits to be provisioned." in page
    assert "rain-7-drum" not in page
    answer = desk.post(f"/console/services/{service.pk}/provision")
    assert answer["Location"] == f"/console/services/{service.pk}?tab=provisioning"
    steps = text_of(desk, answer["Location"])
    for name in ("Open access", "Allocate address", "Check by Access-Request"):
        assert name in steps


@pytest.mark.parametrize(
    ("_case", "change", "says"),
    [
        ("login taken", {"login": "taken"}, "This login is in use."),
        ("space", {"login": "a b"}, "printable characters"),
        ("short password", {"password": "123"}, "6 to 128 bytes"),
        ("overlong password", {"password": "x" * 129}, "at most 128"),
        ("no plan", {"plan_id": ""}, "required"),
        ("unknown plan", {"plan_id": "99999"}, "valid choice"),
    ],
)
def test_a_bad_order_keeps_what_was_typed_and_says_why(
    shop, world, desk, _case, change, says
):
    ordered(shop, world.dayo, login="taken")
    answer = desk.post(
        f"/console/customers/{world.chidi.customer.pk}/order",
        {"plan_id": shop.plan.pk, "login": "typed", **change},
    )

    assert answer.status_code in {200, 400, 409, 422}
    page = answer.content.decode()
    assert says in page
    assert change.get("login", "typed") in page
    assert Service.objects.count() == 1


def test_a_failed_job_shows_its_answer_and_is_retried(shop, world, desk):
    service = ordered(shop, world.chidi)
    shop.do.provision_service(service_id=service.pk)
    job = latest(service)
    fail(job, "The pool is empty.")

    page = text_of(desk, f"/console/services/{service.pk}?tab=provisioning")
    assert "The pool is empty." in page
    assert f"/console/services/{service.pk}/retry" in page
    assert "The pool is empty." in text_of(desk, f"/console/provisioning/{job.pk}")
    assert service.reference in text_of(desk, "/console/provisioning?state=failed")
    assert "Provisioning jobs failed" in text_of(desk, "/console/")

    desk.post(f"/console/provisioning/{job.pk}/retry")
    job.refresh_from_db()
    assert job.state == "queued"
    # The button retries as of the real clock, which has long left NOON behind.
    fail(job, "The pool is empty.", now=timezone.now())
    desk.post(f"/console/services/{service.pk}/retry")
    job.refresh_from_db()
    assert job.state == "queued"
    desk.post(f"/console/services/{service.pk}/give-up", {"confirmed": "yes"})
    assert Service.objects.get().state == "pending"
    shop.do.provision_service(service_id=service.pk)
    second = latest(service)
    desk.post(f"/console/provisioning/{second.pk}/give-up", {"confirmed": "yes"})
    assert Service.objects.get().state == "pending"


def test_suspends_and_resumes_with_the_reason_shown(shop, world, desk):
    service = make_active(shop, ordered(shop, world.chidi))
    url = f"/console/services/{service.pk}"

    desk.post(
        f"{url}/suspend",
        {"reason": "abuse", "effect": "reject", "note": "Sends spam."},
    )
    page = text_of(desk, url)
    assert "Sends spam." in page
    assert "Suspended" in page
    assert "Sends spam." in text_of(desk, "/console/services?state=suspended")
    desk.post(f"{url}/resume", {"reason": "abuse"})
    assert selectors.service_view(service.pk).state == "active"


def test_an_owner_extends_and_ends(shop, world):
    boss = enter(world.ada)
    plan = shop.do.create_plan(
        slug="pre", name="Pre", profile_id=shop.profile.pk, billing="prepaid"
    )
    boss.post(
        f"/console/plans/{plan.pk}/price",
        {"amount": "5000", "currency": "ngn", "valid_from": "2026-01-01"},
    )
    service = make_active(
        shop,
        shop.do.order_service(customer_id=world.chidi.customer.pk, plan_id=plan.pk),
    )
    url = f"/console/services/{service.pk}"

    boss.post(f"{url}/extend", {"until": "2020-01-01T10:00"})
    view = selectors.service_view(service.pk)
    assert (view.state, f"{view.expires_at:%Y-%m-%d}") == (
        "walled_garden",
        "2020-01-01",
    )
    assert "Paid until 2020-01-01" in text_of(boss, url)
    boss.post(f"{url}/terminate", {"confirmed": "yes"})
    assert Service.objects.get().state == "terminated"
    assert "The service has ended." in text_of(boss, f"{url}?tab=credentials")


def test_a_look_at_the_password_is_recorded(shop, world, desk):
    service = ordered(shop, world.chidi, password="rain-7-drum")
    url = f"/console/services/{service.pk}?tab=credentials"

    assert "rain-7-drum" in text_of(desk, url)
    entry = AuditEntry.objects.get(action="catalog.service.credentials_revealed")
    assert entry.actor_label == "sola"
    clerk = enter(world.bisi)
    assert "rain-7-drum" not in clerk.get(url).content.decode()
    assert AuditEntry.objects.filter(action=entry.action).count() == 1


def test_every_tab_of_a_service_answers(shop, world, desk):
    active = make_active(shop, ordered(shop, world.chidi))
    waiting = ordered(shop, world.chidi)
    for service in (active, waiting):
        for tab in ("overview", "provisioning", "sessions", "usage"):
            text_of(desk, f"/console/services/{service.pk}?tab={tab}")
        series = desk.get(f"/console/services/{service.pk}/series/usage?range=7d")
        assert series.status_code == 200
        other = desk.get(f"/console/services/{service.pk}/series/other")
        assert other.status_code == 404
    engineer = enter(world.nuru)
    assert "/console/accounts/" in text_of(engineer, f"/console/services/{active.pk}")
    clerk = enter(world.bisi)
    assert "/console/accounts/" not in text_of(clerk, f"/console/services/{active.pk}")


def test_usage_so_far_is_by_the_clock_of_the_customers_unit(shop, world, desk):
    service = make_active(shop, ordered(shop, world.chidi))
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.create(
        account_id=service.access_id, hour_at=hour, octets_in=7000, octets_out=9000
    )
    url = f"/console/services/{service.pk}?tab=usage"

    page = text_of(desk, url)
    assert "By the clock of Africa/Lagos." in page
    assert page.count("16.0 kB") == 3
    assert "Hours are counted" not in page
    identity.change_unit(
        unit_id=world.operator.pk, time_zone="Asia/Kolkata", actor=SYSTEM, now=NOON
    )
    page = text_of(desk, url)
    assert "By the clock of Asia/Kolkata." in page
    assert "Hours are counted on that of Africa/Lagos" in page
    local = timezone.localtime(timezone=ZoneInfo("Asia/Kolkata"))
    for since in ("%d %b %Y, 00:00", "01 %b %Y, 00:00"):
        assert local.strftime(since) in page
    waiting = ordered(shop, world.chidi)
    page = text_of(desk, f"/console/services/{waiting.pk}?tab=usage")
    assert "usage is counted from the first session on" in page


def test_an_owner_makes_a_plan_prices_it_and_retires_it(shop, world):
    boss = enter(world.ada)
    answer = boss.post(
        "/console/plans/new",
        {
            "name": "Business 50",
            "slug": "biz-50",
            "profile_id": shop.profile.pk,
            "pool_id": "",
            "billing": "postpaid",
            "tax_class": "standard",
        },
    )
    plan = Plan.objects.get(slug="biz-50")
    assert answer["Location"] == f"/console/plans/{plan.pk}"
    assert "No price today" in text_of(boss, f"/console/plans/{plan.pk}")
    price = {"amount": "1.123456", "currency": "NGN", "valid_from": "2026-12-01"}
    boss.post(f"/console/plans/{plan.pk}/price", price)
    assert PlanPrice.objects.get(plan=plan).amount.normalize().as_tuple().exponent == -6
    page = text_of(boss, f"/console/plans/{plan.pk}")
    assert "1.123456 NGN" in page
    assert "To come" in page
    refused = boss.post(f"/console/plans/{plan.pk}/price", {**price, "amount": "2"})
    assert "already stands" in refused.content.decode()
    boss.post(f"/console/plans/{plan.pk}/retire", {"confirmed": "yes"})
    assert "biz-50" in text_of(boss, "/console/plans?state=retired")
    assert "Over" not in text_of(boss, f"/console/plans/{shop.plan.pk}")


def test_the_search_finds_services_orders_and_plans(shop, world, desk):
    service = make_active(shop, ordered(shop, world.chidi, login="chidi-home"))
    for typed, title in (
        (service.reference, service.reference),
        ("chidi-home", service.reference),
        ("O-", "Nothing"),
        ("home 20", "Home 20"),
    ):
        assert title in text_of(desk, f"/console/search?q={typed}"), typed
    listed = text_of(desk, "/console/services?q=chidi-home")
    assert service.reference in listed
    order = text_of(desk, "/console/orders")
    assert "Fulfilled" in order


def test_an_order_shows_what_came_of_it(shop, world, desk):
    service = ordered(shop, world.chidi)
    order = Order.objects.get()
    page = text_of(desk, f"/console/orders/{order.pk}")
    assert service.reference in page
    assert order.reference in text_of(desk, f"/console/orders?q={order.reference}")
    found = text_of(desk, f"/console/search?q={order.reference}")
    assert f"/console/orders/{order.pk}" in found


def test_staff_of_a_reseller_see_nothing_of_others(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    job = latest(service)
    remi = enter(world.remi)
    for path in (f"services/{service.pk}", f"provisioning/{job.pk}"):
        assert remi.get(f"/console/{path}").status_code == 404
    assert service.reference not in text_of(remi, "/console/services")


@pytest.mark.parametrize("act", ["suspend", "terminate", "provision"])
def test_those_without_the_permission_cannot_act(shop, world, act):
    service = make_active(shop, ordered(shop, world.chidi))
    clerk = enter(world.bisi)
    answer = clerk.post(
        f"/console/services/{service.pk}/{act}",
        {"reason": "abuse", "effect": "reject", "confirmed": "yes"},
    )
    assert answer.status_code == 403
    assert selectors.service_view(service.pk).state == "active"
