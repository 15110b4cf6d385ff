"""A small shop: a speed, a pool of five addresses, a plan at 15,000.00 NGN."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

from django.utils import timezone

from apps.catalog import operations as catalog
from apps.catalog.models import Service
from apps.network import operations as network
from apps.ops.operations import check_integrity
from tests.catalog import steps
from tests.world import NOON, SYSTEM

TODAY = date(2026, 11, 23)
LATER = NOON + timedelta(hours=1)


def acting(app, *, actor=SYSTEM, now=NOON):
    """An app's operations with actor and time filled in."""

    def bind(function):
        return lambda **facts: function(**{"actor": actor, "now": now, **facts})

    return SimpleNamespace(
        **{
            name: bind(getattr(app, name))
            for name in app.__all__
            if callable(getattr(app, name)) and name[0].islower()
        }
    )


def build_shop():
    """Made by the operations, like everything else."""
    do, net = acting(catalog), acting(network)
    profile = net.create_rate_profile(name="20M", down_kbps=20_000, up_kbps=10_000)
    pool = net.create_pool(name="home", quarantine_s=3600)
    prefix = net.create_prefix(cidr="100.64.0.0/29", pool_id=pool.pk)
    plan = do.create_plan(
        slug="home-20", name="Home 20", profile_id=profile.pk, pool_id=pool.pk
    )
    do.set_price(
        plan_id=plan.pk,
        currency="NGN",
        amount=Decimal(15000),
        valid_from=TODAY - timedelta(days=90),
    )
    return SimpleNamespace(
        do=do, net=net, profile=profile, pool=pool, prefix=prefix, plan=plan
    )


def make_active(shop, service, *, now=NOON):
    """Every step by its own operation, the answer of RADIUS being a good one."""
    shop.do.provision_service(service_id=service.pk, now=now)
    held = steps.claim(steps.latest(service), now)
    steps.perform(held, now)
    steps.perform(held, now)
    steps.conclude(held, now)
    return Service.objects.get(pk=service.pk)


def ordered(shop, person, **facts):
    return shop.do.order_service(
        customer_id=person.customer.pk, plan_id=shop.plan.pk, **facts
    )


def problem(answer, status):
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    return body["code"], [error["field"] for error in body.get("errors", [])]


def broken_invariants():
    """Names of those that do not hold, over all apps."""
    found = check_integrity(actor=SYSTEM, now=timezone.now())
    return [finding.invariant.name for finding in found if finding.offending]
