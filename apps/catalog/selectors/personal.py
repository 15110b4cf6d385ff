"""What catalog, and the network below it, hold about a customer."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from apps.catalog.models import (
    Order,
    OrderItem,
    ProvisioningStep,
    Service,
    ServicePlanPeriod,
)
from apps.network import selectors as network
from dotmac.core.personal import Held, rows_of


def held_of(customer_id: int) -> Iterable[Held]:
    """Orders, services with their plans, and what their access accounts did."""
    mine = Service.objects.filter(customer_id=customer_id)
    yield Held("catalog.orders", rows_of(
        Order.objects.filter(customer_id=customer_id), "reference", "state",
        "placed_at", "fulfilled_at",
    ))  # fmt: skip
    yield Held("catalog.order_items", rows_of(
        OrderItem.objects.filter(order__customer_id=customer_id),
        reference=F("order__reference"), plan_name=F("plan__name"),
        service_reference=F("service__reference"),
    ))  # fmt: skip
    yield Held("catalog.services", rows_of(
        mine, "reference", "state", "activated_at", "terminated_at", "ends_date",
        plan_name=F("plan__name"), place=F("location__label"), account=F("access_id"),
    ))  # fmt: skip
    yield Held("catalog.plans_over_time", rows_of(
        ServicePlanPeriod.objects.filter(service__in=mine), "start_date", "end_date",
        service_reference=F("service__reference"), plan_name=F("plan__name"),
    ))  # fmt: skip
    yield Held("catalog.provisioning", rows_of(
        ProvisioningStep.objects.filter(job__service__in=mine), "number", "name",
        "state", "answer", "started_at", "finished_at",
        service_reference=F("job__service__reference"),
    ))  # fmt: skip
    yield from network.held_about(account_ids_of(customer_id))


def account_ids_of(customer_id: int) -> list[int]:
    """The access accounts of all services that the customer ever had."""
    mine = Service.objects.filter(customer_id=customer_id, access__isnull=False)
    return list(mine.order_by("access_id").values_list("access_id", flat=True))
