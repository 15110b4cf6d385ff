"""Catalog's part when two customers become one, or two again."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apps.catalog.enums import ServiceState
from apps.catalog.models import Order, Service
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import CustomerState
from dotmac.core.merging import Moved, Pair


def objections_to_merge(pair: Pair) -> list[str]:
    """Services are priced in their customer's currency."""
    found = selectors.snapshots_of((pair.duplicate_id, pair.survivor_id))
    if len({snapshot.currency for snapshot in found.values()}) > 1:
        return [_("They are billed in different currencies.")]
    return []


def move_services(pair: Pair) -> Moved:
    """Orders and services, running and ended, are the survivor's from now on."""
    services = Service.objects.locked().filter(customer_id=pair.duplicate_id)
    moved = {"services": [row.pk for row in services]}
    orders = Order.objects.locked().filter(customer_id=pair.duplicate_id)
    moved["orders"] = [row.pk for row in orders]
    _hand_over(moved, pair.duplicate_id, pair.survivor_id)
    _settle_state(pair.survivor_id, pair)
    return moved


def give_back_services(pair: Pair, moved: Moved) -> None:
    """The same orders and services go back, as they are by now."""
    list(Service.objects.locked().filter(pk__in=moved["services"]).values("pk"))
    _hand_over(moved, pair.survivor_id, pair.duplicate_id)
    for customer_id in sorted((pair.duplicate_id, pair.survivor_id)):
        _keep_places(customer_id, pair)
    for customer_id in sorted((pair.duplicate_id, pair.survivor_id)):
        _settle_state(customer_id, pair)


def _hand_over(moved: Moved, from_id: int, to_id: int) -> None:
    for model, name in ((Service, "services"), (Order, "orders")):
        rows = model.objects.filter(pk__in=moved[name], customer_id=from_id)
        rows.update(customer_id=to_id)


def _keep_places(customer_id: int, pair: Pair) -> None:
    """A service that came since at a place of the other one gets it as its own."""
    astray = Service.objects.filter(customer_id=customer_id).exclude(
        location__customer_id=customer_id
    )
    copies: dict[int, int] = {}
    for service in astray.locked():
        place = service.location_id
        if place is None:
            continue
        if place not in copies:
            copies[place] = identity.copy_location(
                location_id=place, customer_id=customer_id, now=pair.now
            )
        service.location_id = copies[place]
        service.store("location", now=pair.now)


def _settle_state(customer_id: int, pair: Pair) -> None:
    """Active while a service runs, and dormant only after the last one."""
    services = Service.objects.filter(customer_id=customer_id)
    at: dict[str, Any] = {
        "customer_id": customer_id,
        "actor": pair.actor,
        "now": pair.now,
    }
    state = selectors.customer_of(customer_id).state
    if state == CustomerState.CLOSED:
        return
    if services.active().exists():
        identity.activate_customer(**at)
        return
    if services.exclude(state=ServiceState.TERMINATED).exists():
        return
    served_once = services.filter(activated_at__isnull=False).exists()
    if served_once and state in {CustomerState.LEAD, CustomerState.PROSPECT}:
        identity.activate_customer(**at)
    identity.rest_customer(**at)
