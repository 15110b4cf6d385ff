"""What a customer asked for."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.catalog.enums import OrderState
from dotmac.core.models import Record


class OrderQuerySet(models.QuerySet["Order"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Order(Record):
    """One customer's wish, with its items."""

    reference = models.CharField(max_length=20)
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=16, choices=OrderState, default=OrderState.ACCEPTED
    )
    placed_at = models.DateTimeField()
    fulfilled_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint("reference", name="catalog_order_reference_unique"),
            models.CheckConstraint(
                name="catalog_order_state_known",
                condition=Q(state__in=OrderState.values),
            ),
            models.CheckConstraint(
                name="catalog_order_fulfilled_has_time",
                condition=~Q(state=OrderState.FULFILLED)
                | Q(fulfilled_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.reference


class OrderItem(Record):
    """One plan of an order, and the service that came of it."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    plan = models.ForeignKey("catalog.Plan", models.PROTECT, related_name="+")
    service = models.OneToOneField("catalog.Service", models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.order_id}: {self.service_id}"
