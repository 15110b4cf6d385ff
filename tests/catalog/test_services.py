"""Suspending, resuming, extending and ending services; what the database holds."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from apps.catalog import errors, selectors
from apps.catalog.models import Order, OrderItem, Service, ServicePlanPeriod
from apps.catalog.operations import loading
from apps.identity import operations as identity
from apps.identity.errors import CustomerStillServed
from apps.identity.selectors import locked_customer
from apps.network import selectors as network
from apps.network.models import AccessHold
from apps.ops.models import OutboxEvent
from dotmac.core.actors import Actor, ActorKind
from dotmac.core.db import violated_constraint
from dotmac.core.errors import InvalidInput
from tests.catalog.shops import TODAY, make_active, ordered
from tests.catalog.steps import latest
from tests.identity.twins import merge
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def waiting(shop, world):
    return ordered(shop, world.chidi)


@pytest.fixture
def active(shop, waiting):
    return make_active(shop, waiting)


def count(name):
    return OutboxEvent.objects.filter(name=f"catalog.service.{name}.v1").count()


def state(service):
    return selectors.service_view(service.pk).state


def suspend(shop, service, reason="non_payment", effect="walled_garden", **more):
    return shop.do.suspend_service(
        service_id=service.pk, reason=reason, effect=effect, **more
    )


def test_suspending_is_a_hold_with_its_reason_and_nothing_else(shop, active):
    suspend(shop, active, note="INV-2026-000007 is overdue.", now=LATER)

    active.refresh_from_db()
    assert (active.state, state(active)) == ("active", "walled_garden")
    (hold,) = selectors.service_view(active.pk).holds
    assert (hold.reason, hold.effect, hold.note, hold.placed_at) == (
        "non_payment",
        "walled_garden",
        "INV-2026-000007 is overdue.",
        LATER,
    )
    event = OutboxEvent.objects.get(name="catalog.service.suspended.v1")
    assert (event.data["reason"], event.data["effect"], event.customer_id) == (
        "non_payment",
        "walled_garden",
        active.customer_id,
    )


def test_suspending_again_changes_nothing_and_another_effect_replaces(shop, active):
    suspend(shop, active)
    suspend(shop, active)
    assert (count("suspended"), AccessHold.objects.count()) == (1, 1)

    suspend(shop, active, effect="reject")
    assert state(active) == "suspended"
    assert network.open_holds(active.access_id) == {"non_payment": "reject"}
    assert count("suspended") == 2


def test_resuming_lifts_one_reason_and_leaves_the_others(shop, active):
    suspend(shop, active, effect="reject")
    suspend(shop, active, reason="abuse", effect="reject")

    shop.do.resume_service(service_id=active.pk, reason="non_payment")

    assert state(active) == "suspended"
    assert network.open_holds(active.access_id) == {"abuse": "reject"}
    shop.do.resume_service(service_id=active.pk, reason="non_payment")
    assert count("resumed") == 1
    shop.do.resume_service(service_id=active.pk, reason="abuse")
    assert state(active) == "active"


def test_only_active_services_are_suspended_resumed_and_extended(shop, waiting):
    for act in (
        lambda: suspend(shop, waiting),
        lambda: shop.do.resume_service(service_id=waiting.pk, reason="abuse"),
        lambda: shop.do.extend_service(service_id=waiting.pk, until=LATER),
    ):
        with pytest.raises(errors.ServiceNotActive) as refused:
            act()
        assert refused.value.facts == {"state": "pending"}
    assert not AccessHold.objects.exists()


def test_refuses_reasons_and_effects_that_nobody_knows(shop, active):
    for facts in ({"reason": "whim"}, {"effect": "nothing"}, {"note": "x" * 501}):
        with pytest.raises(InvalidInput) as refused:
            suspend(shop, active, **facts)
        assert refused.value.field == next(iter(facts))
    assert (count("suspended"), state(active)) == (0, "active")


def test_extends_a_prepaid_service_and_never_shortens_it(shop, world):
    plan = shop.do.create_plan(
        slug="pre", name="Pre", profile_id=shop.profile.pk, billing="prepaid"
    )
    shop.do.set_price(
        plan_id=plan.pk, currency="NGN", amount=Decimal(1), valid_from=TODAY
    )
    service = make_active(
        shop,
        shop.do.order_service(customer_id=world.chidi.customer.pk, plan_id=plan.pk),
    )
    for until, expires_at in (
        (LATER + timedelta(days=30), LATER + timedelta(days=30)),
        (LATER, LATER + timedelta(days=30)),
        (LATER + timedelta(days=60), LATER + timedelta(days=60)),
    ):
        shop.do.extend_service(service_id=service.pk, until=until)
        assert selectors.service_view(service.pk).expires_at == expires_at
    assert count("extended") == 2


def test_a_postpaid_service_has_no_expiry(shop, active):
    with pytest.raises(errors.PlanNotPrepaid):
        shop.do.extend_service(service_id=active.pk, until=LATER)


def test_ending_closes_the_account_and_frees_login_and_address(shop, world, active):
    login = selectors.service_view(active.pk).login
    suspend(shop, active)

    ended = shop.do.terminate_service(service_id=active.pk, now=LATER)

    assert (ended.state, ended.terminated_at, ended.ends_date) == (
        "terminated",
        LATER,
        TODAY,
    )
    account = network.account_view(active.access_id)
    assert (account.state, account.addresses, account.holds) == ("closed", [], [])
    assert ServicePlanPeriod.objects.get().end_date == TODAY
    assert Order.objects.get().state == "fulfilled"
    assert count("terminated") == 1
    assert state(active) == "terminated"
    again = shop.do.terminate_service(service_id=active.pk)
    assert (again.terminated_at, count("terminated")) == (LATER, 1)
    assert ordered(shop, world.dayo, login=login).login == login


def test_ending_a_service_that_waits_cancels_its_order(shop, waiting):
    ended = shop.do.terminate_service(service_id=waiting.pk)

    assert (ended.state, ended.login, ended.password, ended.ends_date) == (
        "terminated",
        None,
        None,
        None,
    )
    assert Order.objects.get().state == "cancelled"


def test_ending_a_service_in_provisioning_undoes_it_first(shop, waiting):
    shop.do.provision_service(service_id=waiting.pk)

    ended = shop.do.terminate_service(service_id=waiting.pk)

    job = latest(waiting)
    assert (ended.state, job.state) == ("terminated", "cancelled")
    assert Order.objects.get().state == "cancelled"


def test_a_service_that_is_handed_on_without_end_is_given_up_as_it_is(
    shop, world, waiting, monkeypatch
):
    """Each time its customer is held, a merge was there before."""
    chidi, dayo, waits = world.chidi.customer, world.dayo.customer, []

    def late(customer_id):
        waits.append(customer_id)
        merge(chidi, dayo)
        return locked_customer(customer_id)

    monkeypatch.setattr(loading, "locked_customer", late)
    with pytest.raises(errors.UnknownService):
        shop.do.terminate_service(service_id=waiting.pk)

    # What was held for nothing is let go, and with it this merge of our own.
    assert waits == [chidi.pk] * loading._HANDED_ON_MAX
    waiting.refresh_from_db()
    assert (waiting.state, count("terminated")) == ("pending", 0)


def test_a_service_without_an_order_lives_too(shop, waiting):
    """As bulk loading makes them."""
    OrderItem.objects.all().delete()
    assert shop.do.terminate_service(service_id=waiting.pk).state == "terminated"


def test_activates_only_what_was_provisioned(shop, world, waiting):
    with pytest.raises(errors.ServiceNotProvisioning):
        shop.do.activate_service(service_id=waiting.pk)
    with pytest.raises(errors.UnknownService):
        shop.do.activate_service(service_id=0)
    shop.do.provision_service(service_id=waiting.pk)
    with pytest.raises(errors.ServiceNotProvisioning):
        shop.do.activate_service(service_id=waiting.pk)

    done = make_active(shop, ordered(shop, world.dayo))
    before = OutboxEvent.objects.count()
    assert shop.do.activate_service(service_id=done.pk).pk == done.pk
    assert OutboxEvent.objects.count() == before


def test_reveals_credentials_before_and_after_the_account(shop, world):
    service = ordered(shop, world.chidi, login="chidi", password="rain-7-drum")
    for _ in range(2):
        found = shop.do.reveal_credentials(service_id=service.pk)
        assert (found.login, found.password) == ("chidi", "rain-7-drum")
        assert "rain" not in repr(found)
        if service.access_id is None:
            service = make_active(shop, service)
    with pytest.raises(errors.UnknownService):
        shop.do.reveal_credentials(service_id=0)


def test_finds_services_and_their_accounts(shop, world, active):
    other = ordered(shop, world.dayo)

    assert selectors.find_service(reference=f" {active.reference.lower()} ") == active
    assert selectors.find_service(id=active.pk) == active
    assert selectors.find_service(id=0) is None
    assert selectors.service_ids_of_accounts([active.access_id, 0]) == {
        active.access_id: active.pk
    }
    customers = [active.customer_id, other.customer_id]
    assert list(selectors.active_services_of(customers)) == [active]
    rows = Service.objects.all()
    assert selectors.account_ids_of_services(rows) == [active.access_id]
    with pytest.raises(errors.UnknownService):
        selectors.service_view(0)
    assert set(selectors.service_views([active.pk, other.pk, 0])) == {
        active.pk,
        other.pk,
    }
    with pytest.raises(ValueError, match="One of"):
        selectors.in_shown_state("sleepy", now=NOON)


def test_an_actor_without_the_permission_sees_nothing(active):
    nobody = Actor(kind=ActorKind.STAFF, id=1, label="nobody")

    assert not selectors.services_visible_to(nobody, "catalog.view_service").exists()
    assert not selectors.orders_visible_to(nobody, "catalog.view_order").exists()


# What the database holds --------------------------------------------------


def refused_by(statement, *params):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        connection.cursor().execute(statement, params)
    return violated_constraint(refused.value)


SET_STATE = "UPDATE catalog_service SET state = %s"


def test_the_database_lets_a_state_move_only_forward(shop, waiting, active):
    """`waiting` and `active` are one service, active by now."""
    for other in ("pending", "provisioning"):
        assert refused_by(SET_STATE, other) == "catalog_service_transition"
    shop.do.terminate_service(service_id=active.pk)
    for other in ("pending", "provisioning", "active"):
        assert refused_by(SET_STATE, other) == "catalog_service_transition"


def test_the_database_activates_nothing_from_the_shelf(waiting):
    assert refused_by(SET_STATE, "active") == "catalog_service_transition"
    assert refused_by(SET_STATE, "suspended") == "catalog_service_transition"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE catalog_service SET access_id = NULL",
            "catalog_service_active_is_complete",
        ),
        (
            "UPDATE catalog_service SET login = 'again'",
            "catalog_service_credentials_until_access",
        ),
        (
            "UPDATE catalog_service SET ends_date = active_from_date - 1,"
            " state = 'terminated', terminated_at = now()",
            "catalog_service_ends_after_start",
        ),
        (
            "UPDATE catalog_service SET state = 'terminated',"
            " ends_date = active_from_date",
            "catalog_service_terminated_has_time",
        ),
        (
            "UPDATE catalog_service SET state = 'terminated', terminated_at = now()",
            "catalog_service_terminated_has_end",
        ),
        (
            "UPDATE catalog_service SET active_from_date = active_from_date - 1",
            "catalog_service_history",
        ),
        (
            "UPDATE catalog_service SET reference = 'S-1'",
            "catalog_service_history",
        ),
        (
            "UPDATE catalog_service SET customer_id = customer_id + 1",
            "catalog_service_history",
        ),
        ("UPDATE catalog_order SET state = 'draft'", "catalog_order_transition"),
        (
            "INSERT INTO catalog_serviceplanperiod (service_id, plan_id, start_date)"
            " SELECT service_id, plan_id, start_date FROM catalog_serviceplanperiod",
            "catalog_serviceplanperiod_no_overlap",
        ),
    ],
)
def test_the_database_refuses(active, statement, name):
    assert refused_by(statement) == name


def test_the_database_wants_a_login_while_a_service_waits(waiting):
    name = refused_by("UPDATE catalog_service SET login = NULL")
    assert name == "catalog_service_pending_has_no_access"


def test_a_closed_customer_gets_no_active_service(shop, world, waiting):
    """Closing is refused while a service waits, so only a race could try it."""
    with pytest.raises(CustomerStillServed):
        identity.close_customer(
            customer_id=world.chidi.customer.pk, actor=SYSTEM, now=NOON
        )
    assert make_active(shop, waiting).state == "active"


def test_a_customer_rests_when_the_last_service_ends(shop, world, active):
    customer = world.chidi.customer
    second = ordered(shop, world.chidi, login="chidi-2")
    customer.refresh_from_db()
    assert customer.state == "active"

    shop.do.terminate_service(service_id=active.pk, now=LATER)
    customer.refresh_from_db()
    assert customer.state == "active"  # one still waits
    shop.do.terminate_service(service_id=second.pk, now=LATER)
    customer.refresh_from_db()
    assert customer.state == "dormant"

    make_active(shop, ordered(shop, world.chidi, login="chidi-3"))
    customer.refresh_from_db()
    assert customer.state == "active"


def test_a_prospect_who_gives_up_stays_one(shop, world, waiting):
    shop.do.terminate_service(service_id=waiting.pk, now=LATER)

    world.chidi.customer.refresh_from_db()
    assert world.chidi.customer.state == "prospect"
