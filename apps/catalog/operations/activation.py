"""The moment a service begins to count."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.catalog import events
from apps.catalog.enums import OrderState, ServiceState
from apps.catalog.errors import ServiceNotProvisioning
from apps.catalog.models import Service, ServicePlanPeriod
from apps.catalog.operations.loading import (
    about,
    hold_customer_of,
    locked_service,
    move_order,
)
from apps.identity import operations as identity
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor


@transaction.atomic
def activate_service(*, service_id: int, actor: Actor, now: datetime) -> Service:
    """Begin the customer's right to the plan, from the business date on.

    The check step does it; the customer becomes active and the order fulfilled.
    Refused unless the service is being provisioned and has its access account.
    Repeatable.
    """
    customer_id = hold_customer_of(service_id)
    identity.activate_customer(customer_id=customer_id, actor=actor, now=now)
    service = locked_service(service_id)
    if service.state == ServiceState.ACTIVE:
        return service
    if service.state != ServiceState.PROVISIONING or service.access_id is None:
        raise ServiceNotProvisioning(state=service.state)

    today = ops_selectors.business_date(now=now)
    service.state = ServiceState.ACTIVE
    service.activated_at, service.active_from_date = now, today
    service.store("state", "activated_at", "active_from_date", now=now)
    ServicePlanPeriod.objects.create(
        service=service,
        plan_id=service.plan_id,
        start_date=today,
        created_at=now,
        updated_at=now,
    )
    move_order(service, OrderState.FULFILLED, now)
    ops.emit(
        events.ServiceActivated(
            occurred_at=now, active_from_date=today, **about(service)
        ),
        actor=actor,
    )
    return service
