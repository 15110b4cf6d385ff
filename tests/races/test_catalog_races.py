"""Orders, prices and ends that meet: one stands, nothing is left over."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone

from apps.catalog.models import PlanPrice, ProvisioningJob, Service
from apps.catalog.operations import carrying
from apps.identity import operations as identity
from apps.network.models import AccessAccount, AccessHold, AddressAssignment
from apps.ops.models import OutboxEvent
from tests.catalog.shops import broken_invariants, build_shop, make_active, ordered
from tests.catalog.steps import latest
from tests.races.test_network_races import at_once
from tests.world import SYSTEM, World

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]
CLIENTS = 8


@pytest.fixture
def isp(own_database):
    world = World()
    people = (world.chidi, world.dayo)
    return SimpleNamespace(world=world, people=people, shop=build_shop())


def test_one_of_many_orders_gets_the_login(isp):
    jobs = [
        lambda n=n: ordered(isp.shop, isp.people[n % 2], login="shared").pk
        for n in range(CLIENTS)
    ]

    answers = at_once(jobs)

    assert answers.count("login_taken") == CLIENTS - 1
    assert Service.objects.filter(login="shared").count() == 1
    assert OutboxEvent.objects.filter(name="catalog.service.ordered.v1").count() == 1


def test_made_up_logins_differ(isp):
    answers = at_once([lambda: ordered(isp.shop, isp.people[0]).login] * CLIENTS)
    assert len(set(answers)) == CLIENTS


def test_one_of_many_prices_for_a_day_stands(isp):
    answers = at_once(
        [
            lambda n=n: isp.shop.do.set_price(
                plan_id=isp.shop.plan.pk,
                currency="NGN",
                amount=Decimal(16000 + n),
                valid_from=date(2027, 1, 1),
            ).pk
            for n in range(CLIENTS)
        ]
    )

    assert answers.count("price_overlaps") == CLIENTS - 1
    assert PlanPrice.objects.count() == 2


def test_provisioning_is_begun_once(isp):
    service = ordered(isp.shop, isp.people[0])

    answers = at_once(
        [lambda: isp.shop.do.provision_service(service_id=service.pk).pk] * CLIENTS
    )

    assert len(set(answers)) == 1
    assert ProvisioningJob.objects.count() == 1


def test_ending_a_service_while_it_is_carried_leaves_nothing(isp):
    services = [ordered(isp.shop, isp.people[n % 2]) for n in range(4)]
    for service in services:
        isp.shop.do.provision_service(service_id=service.pk, now=timezone.now())

    def carry(service):
        carrying.carry_provisioning(
            job_id=latest(service).pk, actor=SYSTEM, clock=timezone.now
        )

    def end(service):
        isp.shop.do.terminate_service(service_id=service.pk, now=timezone.now())

    at_once(
        [
            job
            for service in services
            for job in (lambda s=service: carry(s), lambda s=service: end(s))
        ]
    )

    assert set(Service.objects.values_list("state", flat=True)) == {"terminated"}
    assert not AccessAccount.objects.filter(closed_at=None).exists()
    assert not AddressAssignment.objects.filter(released_at=None).exists()
    states = ProvisioningJob.objects.values_list("state", flat=True)
    assert set(states) == {"cancelled"}
    assert broken_invariants() == []


def test_a_customer_is_closed_or_orders_never_both(isp):
    customer = isp.people[0].customer

    def close():
        identity.close_customer(
            customer_id=customer.pk, actor=SYSTEM, now=timezone.now()
        )
        return "closed"

    answers = Counter(
        map(str, at_once([close] + [lambda: ordered(isp.shop, isp.people[0])] * 3))
    )

    customer.refresh_from_db()
    has_services = Service.objects.exists()
    assert (customer.state == "closed") is not has_services
    if has_services:
        assert answers["customer_still_served"] == 1
    else:
        assert answers["customer_closed"] == 3


def test_suspending_at_once_makes_one_hold_and_one_event(isp):
    service = make_active(isp.shop, ordered(isp.shop, isp.people[0]))

    at_once(
        [
            lambda: isp.shop.do.suspend_service(
                service_id=service.pk, reason="abuse", effect="reject"
            ).pk
        ]
        * CLIENTS
    )

    assert AccessHold.objects.count() == 1
    suspended = OutboxEvent.objects.filter(name="catalog.service.suspended.v1")
    assert suspended.count() == 1
