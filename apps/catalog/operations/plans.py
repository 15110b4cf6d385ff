"""Plans and their dated prices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from apps.catalog import events
from apps.catalog.enums import PlanBilling, PlanState
from apps.catalog.errors import (
    PlanSlugTaken,
    PriceInPast,
    PriceOverlaps,
    PriceRefused,
    UnknownPlan,
    UnknownPool,
    UnknownRateProfile,
)
from apps.catalog.models import Plan, PlanPrice
from apps.network import selectors as network
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor, system_actor
from dotmac.core.db import refusing
from dotmac.core.money import MoneyError, exponent_of

AMOUNT_MAX = Decimal(10) ** 11
_DIGITS = 6


@transaction.atomic
def create_plan(
    *,
    slug: str,
    name: str,
    profile_id: int,
    pool_id: int | None = None,
    billing: str = PlanBilling.POSTPAID,
    tax_class: str = "standard",
    description: str = "",
    actor: Actor,
    now: datetime,
) -> Plan:
    """Offer a plan; it can be ordered once it has a price.

    Refused when the slug is taken, or the profile or pool does not exist.
    """
    _refuse_unknown(profile_id, pool_id)
    with refusing(catalog_plan_slug_unique=lambda: PlanSlugTaken(field="slug")):
        plan = Plan.objects.create(
            slug=slug,
            name=name,
            profile_id=profile_id,
            pool_id=pool_id,
            billing=billing,
            tax_class=tax_class,
            description=description,
            created_at=now,
            updated_at=now,
        )
    ops.emit(
        events.PlanCreated(occurred_at=now, plan_id=plan.pk, slug=slug), actor=actor
    )
    return plan


@transaction.atomic
def set_price(
    *,
    plan_id: int,
    currency: str,
    amount: Decimal,
    valid_from: date,
    actor: Actor,
    now: datetime,
) -> PlanPrice:
    """Let the plan cost this much a month from the day on.

    The price before it ends there. A price is never edited: one that begins on
    or before a standing price's first day is refused, and so is a change from
    the past. The same price for the same day again changes nothing.
    """
    _refuse_odd_price(currency, amount)
    plan = Plan.objects.locked().filter(pk=plan_id).first()
    if plan is None:
        raise UnknownPlan(field="plan")
    latest = (
        PlanPrice.objects.filter(plan=plan, currency=currency)
        .order_by("-valid_from")
        .first()
    )
    if latest and (latest.valid_from, latest.amount) == (valid_from, amount):
        return latest
    if latest and valid_from <= latest.valid_from:
        raise PriceOverlaps(field="valid_from")
    if latest and valid_from < ops_selectors.business_date(now=now):
        raise PriceInPast(field="valid_from")

    if latest:
        latest.valid_to = valid_from
        latest.store("valid_to", now=now)
    price = PlanPrice.objects.create(
        plan=plan,
        currency=currency,
        amount=amount,
        valid_from=valid_from,
        created_at=now,
        updated_at=now,
    )
    ops.emit(_price_set(plan, price, now), actor=actor)
    return price


@transaction.atomic
def retire_plan(*, plan_id: int, actor: Actor, now: datetime) -> Plan:
    """Sell the plan no more; services that have it keep it. Repeatable."""
    plan = Plan.objects.locked().filter(pk=plan_id).first()
    if plan is None:
        raise UnknownPlan(field="plan")
    if plan.state == PlanState.RETIRED:
        return plan

    plan.state = PlanState.RETIRED
    plan.store("state", now=now)
    ops.emit(
        events.PlanRetired(occurred_at=now, plan_id=plan.pk, slug=plan.slug),
        actor=actor,
    )
    return plan


def _price_set(plan: Plan, price: PlanPrice, now: datetime) -> events.PriceSet:
    return events.PriceSet(
        occurred_at=now,
        plan_id=plan.pk,
        slug=plan.slug,
        currency=price.currency,
        amount=str(price.amount),
        valid_from=price.valid_from,
    )


def _refuse_unknown(profile_id: int, pool_id: int | None) -> None:
    reader = system_actor("catalog")
    if not network.rate_profiles(reader).filter(pk=profile_id).exists():
        raise UnknownRateProfile(field="profile")
    pools = network.address_pools(reader)
    if pool_id is not None and not pools.filter(pk=pool_id).exists():
        raise UnknownPool(field="pool")


def _refuse_odd_price(currency: str, amount: Decimal) -> None:
    try:
        exponent_of(currency)
    except MoneyError as error:
        raise PriceRefused(str(error), field="currency") from error
    if not amount.is_finite() or not 0 <= amount < AMOUNT_MAX:
        raise PriceRefused(field="amount")
    if amount != amount.quantize(Decimal(1).scaleb(-_DIGITS)):
        raise PriceRefused(field="amount")
