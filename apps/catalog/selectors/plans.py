"""Plans and what they cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet

from apps.catalog.models import Plan, PlanPrice


def plans() -> QuerySet[Plan]:
    """All plans; order them yourself."""
    return Plan.objects.select_related("profile", "pool")


def find_plan(key: int | str) -> Plan | None:
    """The plan with this id or slug, or None."""
    text = str(key)
    if text.isascii() and text.isdigit():
        return Plan.objects.filter(pk=int(text)).first() if len(text) < 19 else None
    return Plan.objects.filter(slug=text).first()


def prices_of(plan_id: int) -> QuerySet[PlanPrice]:
    """All prices of a plan, past and to come, the newest first."""
    return PlanPrice.objects.filter(plan_id=plan_id).order_by("currency", "-valid_from")


def current_prices(plan_ids: Iterable[int], day: date) -> dict[int, list[PlanPrice]]:
    """The prices that stand on the day, by plan; one query."""
    found: dict[int, list[PlanPrice]] = {}
    rows = PlanPrice.objects.filter(plan_id__in=list(plan_ids)).valid_on(day)
    for price in rows.order_by("plan_id", "currency"):
        found.setdefault(price.plan_id, []).append(price)
    return found
