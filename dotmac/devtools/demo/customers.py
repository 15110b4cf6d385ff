"""Customers of the demonstration: how they join and how they pay."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial

from apps.billing import operations as billing
from apps.billing import selectors as bills
from apps.catalog import operations as catalog
from apps.catalog import selectors as services
from apps.identity import operations as identity
from dotmac.core.actors import Actor
from dotmac.core.money import Money
from dotmac.devtools.demo.network import Ground
from dotmac.devtools.demo.words import (
    AREAS,
    FAMILY,
    GIVEN,
    PLANS,
    STREETS,
    TRADES,
    PlanFacts,
)

BUSINESS_SHARE = 0.12
SPREAD_DEGREES = 0.018
PROVISION_TRIES_MAX = 5
PROVISION_PAUSE = timedelta(minutes=20)


class Habit(StrEnum):
    """How somebody pays."""

    PUNCTUAL = "punctual"
    LATE = "late"
    STOPPED = "stopped"
    AHEAD = "ahead"


HABIT_WEIGHTS = {
    Habit.PUNCTUAL: 78,
    Habit.LATE: 11,
    Habit.STOPPED: 7,
    Habit.AHEAD: 4,
}
METHODS = ("bank_transfer", "bank_transfer", "bank_transfer", "pos", "cash")


@dataclass(slots=True)
class Member:
    """One customer with one service."""

    number: int
    customer_id: int
    service_id: int
    habit: Habit
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """A customer to be: all that chance decides about one."""

    number: int
    name: str
    email: str
    phone: str
    plan: PlanFacts
    area: int
    address: str
    latitude: Decimal
    longitude: Decimal
    habit: Habit
    joined_at: datetime


def draw_wish(
    number: int, joined_at: datetime, habit: Habit | None, dice: random.Random
) -> Wish:
    """Number, name, place, plan and habit of one customer. Same dice, same wish."""
    business = dice.random() < BUSINESS_SHARE
    given, family = dice.choice(GIVEN), dice.choice(FAMILY)
    name = f"{family} {dice.choice(TRADES)}" if business else f"{given} {family}"
    plans = [plan for plan in PLANS if plan.business == business]
    area = dice.randrange(len(AREAS))
    return Wish(
        number=number,
        name=name,
        email=f"{given}.{family}.{number}@mail.example".lower(),
        phone=f"+234803{number:07d}",
        plan=dice.choices(plans, [plan.weight for plan in plans])[0],
        area=area,
        address=f"{dice.randint(1, 180)} {dice.choice(STREETS)}",
        latitude=_near(AREAS[area].latitude, dice),
        longitude=_near(AREAS[area].longitude, dice),
        habit=habit
        or dice.choices(list(HABIT_WEIGHTS), list(HABIT_WEIGHTS.values()))[0],
        joined_at=joined_at,
    )


def _near(value: Decimal, dice: random.Random) -> Decimal:
    offset = Decimal(str(dice.uniform(-SPREAD_DEGREES, SPREAD_DEGREES)))
    return (value + offset).quantize(Decimal("0.000001"))


def join(wish: Wish, ground: Ground, actor: Actor) -> Member:
    """Register, order, provision: by the operations, with the clock of that day."""
    now = wish.joined_at
    customer = identity.register_customer(
        kind="business" if wish.plan.business else "individual",
        name=wish.name,
        email=wish.email,
        phone=wish.phone,
        address=wish.address,
        city="Lagos",
        country="NG",
        actor=actor,
        now=now,
    )
    location = identity.add_location(
        customer_id=customer.pk,
        label="Office" if wish.plan.business else "Home",
        address=wish.address,
        city=f"{AREAS[wish.area].name}, Lagos",
        latitude=wish.latitude,
        longitude=wish.longitude,
        actor=actor,
        now=now,
    )
    service = catalog.order_service(
        customer_id=customer.pk,
        plan_id=ground.plan_ids[wish.plan.slug],
        location_id=location.pk,
        actor=actor,
        now=now + timedelta(minutes=9),
    )
    _provision(service.pk, actor, now + timedelta(minutes=30))
    return Member(wish.number, customer.pk, service.pk, wish.habit, now)


def _provision(service_id: int, actor: Actor, at: datetime) -> None:
    """Carry the job to its end; a RADIUS server under load may need a second try."""
    catalog.provision_service(service_id=service_id, actor=actor, now=at)
    job = services.latest_provisioning_of(service_id)
    assert job is not None
    for tries in range(PROVISION_TRIES_MAX):
        moment = at + tries * PROVISION_PAUSE
        clock = partial(_same, moment)
        catalog.carry_provisioning(job_id=job.pk, actor=actor, clock=clock)
        if services.service_view(service_id).state == "active":
            return
    answers = [step.answer for step in services.steps_of(job.pk)]
    raise RuntimeError(f"Service {service_id} was not provisioned: {answers}")


def _same(moment: datetime) -> datetime:
    """A clock that stands."""
    return moment


def pay_invoice(
    member: Member,
    invoice_id: int,
    owed: Money,
    *,
    actor: Actor,
    at: datetime,
    dice: random.Random,
) -> None:
    """Pay a bill by the customer's habit; who pays ahead leaves a credit."""
    amount = owed.times(2) if member.habit == Habit.AHEAD else owed
    billing.record_payment(
        customer_id=member.customer_id,
        amount=amount,
        method=dice.choice(METHODS),
        invoice_id=invoice_id,
        received_date=at.date(),
        actor=actor,
        now=at,
    )


def days_until_paid(habit: Habit, dice: random.Random) -> int | None:
    """Days after issue; None for who stopped paying."""
    if habit == Habit.STOPPED:
        return None
    if habit == Habit.LATE:
        return dice.randint(15, 26)
    return dice.randint(1, 11)


def open_bills(member: Member) -> list[tuple[int, Money]]:
    """Unpaid invoices of a customer: id and what is owed on each, oldest first."""
    return [
        (invoice.pk, Money(invoice.open_minor, invoice.currency))
        for invoice in bills.open_invoices_of(member.customer_id)
    ]
