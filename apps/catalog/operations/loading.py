"""What the operations on services share: the locked row, its order, its name."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from django.db import transaction

from apps.catalog.enums import OrderState, ServiceState
from apps.catalog.errors import ServiceNotActive, UnknownService
from apps.catalog.models import Order, OrderItem, Service
from apps.identity.selectors import locked_customer

_HANDED_ON_MAX = 5


class About(TypedDict):
    """The fields that every service event has."""

    service_id: int
    reference: str
    of_customer_id: int


def about(service: Service) -> About:
    return {
        "service_id": service.pk,
        "reference": service.reference,
        "of_customer_id": service.customer_id,
    }


def locked_service(service_id: int) -> Service:
    """The service, held until commit; raises UnknownService."""
    service = Service.objects.locked().filter(pk=service_id).first()
    if service is None:
        raise UnknownService
    return service


def hold_customer_of(service_id: int) -> int:
    """The key of the service's customer, held before the service (docs/locking.md).

    A merge may hand the service on while this waits for its customer; then that
    one is let go, and the new one is waited for. Raises UnknownService.
    """
    rows = Service.objects.filter(pk=service_id).values_list("customer_id", flat=True)
    for _ in range(_HANDED_ON_MAX):
        customer_id = rows.first()
        place = transaction.savepoint()
        if customer_id is None or locked_customer(customer_id) is None:
            break
        if rows.first() == customer_id:
            transaction.savepoint_commit(place)
            return customer_id
        transaction.savepoint_rollback(place)
    raise UnknownService


def account_of_active(service: Service) -> int:
    """The access account of an active service; raises ServiceNotActive."""
    if service.state != ServiceState.ACTIVE:
        raise ServiceNotActive(state=service.state)
    assert service.access_id is not None, "catalog_service_active_is_complete"
    return service.access_id


def move_order(service: Service, state: OrderState, now: datetime) -> None:
    """Let the order follow its service, where it came from an order."""
    item = OrderItem.objects.filter(service=service).first()
    if item is None:
        return
    order = Order.objects.locked().get(pk=item.order_id)
    order.state = state
    if state == OrderState.FULFILLED:
        order.fulfilled_at = now
    order.store("state", "fulfilled_at", now=now)
