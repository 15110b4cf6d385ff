"""Customers with a line who owe, and what dunning did to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

from apps.billing import operations as billing
from apps.catalog import selectors as catalog
from apps.ops.models import Message, OutboxEvent
from tests.billing.owing import TODAY
from tests.catalog.shops import make_active
from tests.world import NOON, SYSTEM

# In tests without a demonstration the business date is the day of the clock.
WALL_DAY = 14


def on(days: int) -> datetime:
    """Noon so many days after the due date TODAY."""
    return NOON + timedelta(days=days)


def subscribe(customer, shop, login):
    service = shop.do.order_service(
        customer_id=customer.pk, plan_id=shop.plan.pk, login=login, password="s3cret-pw"
    )
    service = make_active(shop, service)
    return SimpleNamespace(customer=customer, service=service)


def run(days: int, **facts):
    now = facts.pop("now", on(days))
    day = TODAY + timedelta(days=days)
    return billing.run_dunning(day=day, actor=SYSTEM, now=now)


def counts(report):
    return report.reminded, report.cut_off, report.reconnected


def shown(who) -> str:
    return catalog.service_view(who.service.pk).state


def holds(who) -> list[tuple[str, str]]:
    view = catalog.service_view(who.service.pk)
    return [(hold.reason, hold.effect) for hold in view.holds]


def mails() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("purpose", flat=True))


def events(name: str) -> int:
    return OutboxEvent.objects.filter(name=f"billing.dunning.{name}.v1").count()
