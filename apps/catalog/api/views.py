"""Plans and orders. Services have a module of their own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import operations, selectors
from apps.catalog.api.serializers import (
    NewPlanSerializer,
    NewPriceSerializer,
    OrderSerializer,
    PlanSerializer,
    PriceSerializer,
)
from apps.catalog.enums import OrderState, PlanBilling, PlanState
from apps.catalog.models import Order, Plan
from apps.ops import selectors as ops
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin


class PlanViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What can be ordered, and for how much."""

    queryset = Plan.objects.none()
    serializer_class = PlanSerializer
    permission_by_action = {
        "list": "catalog.view_plan",
        "retrieve": "catalog.view_plan",
        "create": "catalog.manage_plan",
        "prices": "catalog.view_plan",
        "add_price": "catalog.manage_plan",
        "retire": "catalog.manage_plan",
    }
    filters = {
        "state": filters.exact("state", PlanState),
        "billing": filters.exact("billing", PlanBilling),
        "slug": filters.exact("slug"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Plan]:
        return selectors.plans()

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Prices of one page of plans are read at once."""
        given = args[0] if args else []
        shown = given if isinstance(given, list) else [given]
        today = ops.business_date(now=timezone.now())
        prices = selectors.current_prices([plan.pk for plan in shown], today)
        kwargs["context"] = {**self.get_serializer_context(), "prices": prices}
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=NewPlanSerializer, responses={201: PlanSerializer})
    def create(self, request: Request) -> Response:
        body = self.body(NewPlanSerializer)
        plan = operations.create_plan(
            profile_id=body.pop("profile"),
            pool_id=body.pop("pool", None),
            **body,
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(selectors.plans().get(pk=plan.pk), status=201)

    @extend_schema(responses=PriceSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def prices(self, request: Request, pk: str) -> Response:
        """All prices of the plan, past and to come."""
        found = selectors.prices_of(self.get_object().pk)
        return Response(PriceSerializer(found, many=True).data)

    @extend_schema(request=NewPriceSerializer, responses={201: PriceSerializer})
    @prices.mapping.post
    def add_price(self, request: Request, pk: str) -> Response:
        """A price from a day on; the one before it ends there."""
        price = operations.set_price(
            plan_id=self.get_object().pk,
            **self.body(NewPriceSerializer),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(PriceSerializer(price).data, status=201)

    @extend_schema(request=None, responses=PlanSerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """Sell it no more; who has it keeps it."""
        plan = operations.retire_plan(
            plan_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return self.answer(selectors.plans().get(pk=plan.pk))


class OrderViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """What customers asked for."""

    queryset = Order.objects.none()
    serializer_class = OrderSerializer
    permission_by_action = {
        "list": "catalog.view_order",
        "retrieve": "catalog.view_order",
    }
    filters = {
        "customer": filters.number("customer_id"),
        "state": filters.exact("state", OrderState),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Order]:
        return selectors.orders_visible_to(actor, permission)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Items of one page of orders are read at once."""
        given = args[0] if args else []
        shown = given if isinstance(given, list) else [given]
        items = selectors.items_of_orders([order.pk for order in shown])
        kwargs["context"] = {**self.get_serializer_context(), "items": items}
        return super().get_serializer(*args, **kwargs)
