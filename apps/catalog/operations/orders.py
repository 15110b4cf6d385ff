"""From a wish to a service that waits to be provisioned."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from apps.catalog import events
from apps.catalog.enums import OrderState, PlanState, ServiceState
from apps.catalog.errors import (
    CustomerClosed,
    LoginRefused,
    LoginTaken,
    PasswordRefused,
    PlanHasNoPrice,
    PlanRetired,
    UnknownCustomer,
    UnknownLocation,
    UnknownPlan,
)
from apps.catalog.models import Order, OrderItem, Plan, PlanPrice, Service
from apps.catalog.operations.loading import about
from apps.catalog.rules import credentials
from apps.identity import selectors as identity
from apps.network import selectors as network
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids, refusing
from dotmac.core.models import seal_into


@transaction.atomic
def order_service(
    *,
    customer_id: int,
    plan_id: int,
    location_id: int | None = None,
    login: str | None = None,
    password: str | None = None,
    actor: Actor,
    now: datetime,
    draw: credentials.Draw = secrets.choice,
) -> Service:
    """Accept an order of one plan; its service waits to be provisioned.

    A login and a password that the order does not name are made up. Refused for
    a closed customer, a plan that is unknown, retired or without a price in the
    customer's currency, another customer's location, and a login in use. Each
    call is a new order.
    """
    customer = identity.locked_customer(customer_id)
    if customer is None:
        raise UnknownCustomer(field="customer")
    if customer.closed_at is not None:
        raise CustomerClosed(field="customer")
    plan = _sellable_plan(plan_id, customer.currency, now)
    if location_id is not None and not _has_location(customer_id, location_id):
        raise UnknownLocation(field="location")
    login = _free_login(login, customer.reference)
    password = _sound_password(password, draw)

    service = _new_service(
        customer_id=customer_id,
        plan_id=plan.pk,
        location_id=location_id,
        login=login,
        password=password,
        now=now,
    )
    order = _new_order(service, now)
    ops.emit(
        events.ServiceOrdered(
            occurred_at=now,
            order_id=order.pk,
            order_reference=order.reference,
            plan_id=plan.pk,
            **about(service),
        ),
        actor=actor,
    )
    return service


def _sellable_plan(plan_id: int, currency: str, now: datetime) -> Plan:
    plan = Plan.objects.filter(pk=plan_id).first()
    if plan is None:
        raise UnknownPlan(field="plan")
    if plan.state != PlanState.ACTIVE:
        raise PlanRetired(field="plan")
    today = ops_selectors.business_date(now=now)
    prices = PlanPrice.objects.filter(plan=plan, currency=currency)
    if not prices.valid_on(today).exists():
        raise PlanHasNoPrice(field="plan", currency=currency)
    return plan


def _has_location(customer_id: int, location_id: int) -> bool:
    return identity.locations_of(customer_id).filter(pk=location_id).exists()


def _free_login(wanted: str | None, customer_reference: str) -> str:
    """The wanted login if it is free, else one made from the reference."""
    if wanted is not None:
        if not credentials.login_is_sound(wanted):
            raise LoginRefused(field="login")
        if _taken([wanted]):
            raise LoginTaken(field="login")
        return wanted
    candidates = credentials.login_candidates(customer_reference)
    login = credentials.first_free_login(candidates, _taken(candidates))
    if login is None:
        raise LoginTaken(field="login")
    return login


def _taken(logins: list[str]) -> set[str]:
    waiting = Service.objects.filter(login__in=logins).values_list("login", flat=True)
    return {login for login in waiting if login} | network.logins_in_use(logins)


def _sound_password(wanted: str | None, draw: credentials.Draw) -> str:
    if wanted is None:
        return credentials.readable_password(draw)
    if not credentials.password_is_sound(wanted):
        raise PasswordRefused(field="password")
    return wanted


def _new_service(
    *,
    customer_id: int,
    plan_id: int,
    location_id: int | None,
    login: str,
    password: str,
    now: datetime,
) -> Service:
    (service_id,) = next_ids(Service)
    service = Service(
        pk=service_id,
        reference=f"S-{service_id:06d}",
        customer_id=customer_id,
        plan_id=plan_id,
        location_id=location_id,
        state=ServiceState.PENDING,
        login=login,
        created_at=now,
        updated_at=now,
    )
    seal_into(service, "password", password)
    # Two orders may have found the same login free; the constraint decides.
    with refusing(catalog_service_login_unique=lambda: LoginTaken(field="login")):
        service.save(force_insert=True)
    return service


def _new_order(service: Service, now: datetime) -> Order:
    (order_id,) = next_ids(Order)
    order = Order.objects.create(
        pk=order_id,
        reference=f"O-{order_id:06d}",
        customer_id=service.customer_id,
        state=OrderState.ACCEPTED,
        placed_at=now,
        created_at=now,
        updated_at=now,
    )
    OrderItem.objects.create(
        order=order,
        plan_id=service.plan_id,
        service=service,
        created_at=now,
        updated_at=now,
    )
    return order
