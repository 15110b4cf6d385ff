"""The life of a service once it is ordered."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from apps.catalog import events
from apps.catalog.enums import OrderState, PlanBilling, ServiceState
from apps.catalog.errors import PlanNotPrepaid
from apps.catalog.models import Service, ServicePlanPeriod
from apps.catalog.operations.loading import (
    about,
    account_of_active,
    hold_customer_of,
    locked_service,
    move_order,
)
from apps.catalog.operations.provisioning import give_up, unfinished_job
from apps.identity import operations as identity
from apps.network import operations as network_operations
from apps.network import selectors as network
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor


@transaction.atomic
def suspend_service(
    *,
    service_id: int,
    reason: str,
    effect: str,
    note: str = "",
    actor: Actor,
    now: datetime,
) -> Service:
    """Hold the service for one reason, and keep the contract.

    Nothing is stored here: the hold on the access account is the suspension.
    The same reason and effect again change nothing. Refused unless active.
    """
    service = locked_service(service_id)
    account_id = account_of_active(service)
    if network.open_holds(account_id).get(reason) == effect:
        return service

    network_operations.place_hold(
        account_id=account_id,
        reason=reason,
        effect=effect,
        note=note,
        actor=actor,
        now=now,
    )
    ops.emit(
        events.ServiceSuspended(
            occurred_at=now, reason=reason, effect=effect, **about(service)
        ),
        actor=actor,
    )
    return service


@transaction.atomic
def resume_service(
    *, service_id: int, reason: str, actor: Actor, now: datetime
) -> Service:
    """Lift the hold of one reason; holds for other reasons stay.

    Repeatable. Refused unless the service is active.
    """
    service = locked_service(service_id)
    account_id = account_of_active(service)
    lifted = network_operations.lift_hold(
        account_id=account_id, reason=reason, actor=actor, now=now
    )
    if lifted is None:
        return service

    ops.emit(
        events.ServiceResumed(occurred_at=now, reason=reason, **about(service)),
        actor=actor,
    )
    return service


@transaction.atomic
def extend_service(
    *, service_id: int, until: datetime, actor: Actor, now: datetime
) -> Service:
    """Let a prepaid service run until the instant; never shortens it.

    Refused for a plan that is billed afterwards, and unless active. Repeatable.
    """
    service = locked_service(service_id)
    account_id = account_of_active(service)
    if service.plan.billing != PlanBilling.PREPAID:
        raise PlanNotPrepaid
    expires_at = network.account_view(account_id).expires_at
    if expires_at is not None and expires_at >= until:
        return service

    network_operations.change_access(
        account_id=account_id, expires_at=until, actor=actor, now=now
    )
    ops.emit(
        events.ServiceExtended(
            occurred_at=now, expires_at=until.isoformat(), **about(service)
        ),
        actor=actor,
    )
    return service


@transaction.atomic
def terminate_service(*, service_id: int, actor: Actor, now: datetime) -> Service:
    """End the service: the account closes and its address rests.

    The business date is the first day that is not held any more. A service that
    waits or is being provisioned is given up, and its order with it. A customer
    without another service is dormant from then on. Repeatable.
    """
    hold_customer_of(service_id)
    service = locked_service(service_id)
    if service.state == ServiceState.TERMINATED:
        return service

    if service.state == ServiceState.PROVISIONING:
        give_up(service, unfinished_job(service), actor=actor, now=now)
    elif service.access_id is not None:
        network_operations.close_access(
            account_id=service.access_id, actor=actor, now=now
        )
    ends_date = _first_day_not_held(service, now)
    ServicePlanPeriod.objects.filter(service=service, end_date=None).update(
        end_date=ends_date, updated_at=now
    )
    service.state, service.terminated_at = ServiceState.TERMINATED, now
    service.ends_date = ends_date
    service.login = service.password = None  # type: ignore[assignment]
    service.store("state", "terminated_at", "ends_date", "login", "password", now=now)
    if service.active_from_date is None:
        move_order(service, OrderState.CANCELLED, now)
    ops.emit(
        events.ServiceTerminated(
            occurred_at=now, ends_date=ends_date, **about(service)
        ),
        actor=actor,
    )
    others = Service.objects.filter(customer_id=service.customer_id)
    if not others.exclude(state=ServiceState.TERMINATED).exists():
        identity.rest_customer(customer_id=service.customer_id, actor=actor, now=now)
    return service


def _first_day_not_held(service: Service, now: datetime) -> date | None:
    if service.active_from_date is None:
        return None
    today = ops_selectors.business_date(now=now)
    return max(today, service.active_from_date)
