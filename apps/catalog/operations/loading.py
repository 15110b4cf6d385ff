"""What the operations on services share: the locked row, its order, its name."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from apps.catalog.enums import OrderState, ServiceState
from apps.catalog.errors import ServiceNotActive, UnknownService
from apps.catalog.models import Order, OrderItem, Service


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
