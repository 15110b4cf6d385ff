"""Services as people and other apps see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from apps.catalog.enums import ServiceState, ShownState
from apps.catalog.errors import UnknownService
from apps.catalog.models import Order, OrderItem, Service
from apps.catalog.rules.lifecycle import shown_state
from apps.identity import selectors as identity
from apps.network import selectors as network
from apps.network.enums import HoldEffect
from apps.network.selectors import AccountView, HoldView
from dotmac.core.actors import Actor

VIEWS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """One service with what its access account says."""

    id: int
    reference: str
    state: str
    customer_id: int
    customer_reference: str
    customer_name: str
    plan_id: int
    plan_slug: str
    plan_name: str
    down_kbps: int
    up_kbps: int
    location_id: int | None
    login: str | None
    access_id: int | None
    holds: Sequence[HoldView]
    addresses: Sequence[str]
    online: bool
    expires_at: datetime | None
    activated_at: datetime | None
    active_from_date: date | None
    terminated_at: datetime | None
    ends_date: date | None
    created_at: datetime
    updated_at: datetime

    @property
    def down_bps(self) -> int:
        return self.down_kbps * 1000

    @property
    def up_bps(self) -> int:
        return self.up_kbps * 1000


def services_visible_to(actor: Actor, permission: str) -> QuerySet[Service]:
    """The services of the customers that the permission reaches."""
    rows = Service.objects.select_related("customer", "plan__profile")
    return identity.of_visible_customers(rows, actor, permission)


def account_ids_visible_to(actor: Actor, permission: str) -> QuerySet[Service, Any]:
    """The access accounts of these customers: network does not know whose they are."""
    held = Service.objects.filter(access_id__isnull=False)
    rows = identity.of_visible_customers(held, actor, permission)
    return rows.order_by().values("access_id")


def orders_visible_to(actor: Actor, permission: str) -> QuerySet[Order]:
    """The orders of the customers that the permission reaches."""
    rows = Order.objects.select_related("customer")
    return identity.of_visible_customers(rows, actor, permission)


def find_service(
    *, reference: str | None = None, id: int | None = None  # noqa: A002
) -> Service | None:
    """The service with this reference or id, or None."""
    rows = Service.objects.select_related("customer", "plan__profile")
    if reference is not None:
        return rows.filter(reference=reference.strip().upper()).first()
    return rows.filter(pk=id or 0).first()


def in_shown_state(state: str, *, now: datetime) -> Q:
    """Services that people see in this state; raises ValueError for another word.

    Said by conditions that indexes serve; `views_of` asks network's own function.
    """
    if state not in ShownState.values:
        raise ValueError(_("One of %s.") % ", ".join(ShownState.values))
    if state != ServiceState.ACTIVE and state in ServiceState.values:
        return Q(state=state)
    rejected = Q(network.held_with(HoldEffect.REJECT, account_column="access_id"))
    walled = Q(
        network.held_with(HoldEffect.WALLED_GARDEN, account_column="access_id")
    ) | Q(access__expires_at__lte=now)
    slowed = Q(network.held_with(HoldEffect.THROTTLE, account_column="access_id"))
    conditions = {
        ShownState.SUSPENDED: rejected,
        ShownState.WALLED_GARDEN: walled & ~rejected,
        ShownState.THROTTLED: slowed & ~walled & ~rejected,
        ShownState.ACTIVE: ~slowed & ~walled & ~rejected,
    }
    return Q(state=ServiceState.ACTIVE) & conditions[ShownState(state)]


def with_login(login: str) -> Q:
    """The service that has this login, or waits for it."""
    return Q(login=login) | Q(access__login=login)


def items_of_orders(order_ids: Iterable[int]) -> dict[int, list[OrderItem]]:
    """The items of these orders; one query."""
    found: dict[int, list[OrderItem]] = {}
    rows = OrderItem.objects.filter(order_id__in=list(order_ids)).order_by("pk")
    for item in rows:
        found.setdefault(item.order_id, []).append(item)
    return found


def service_view(service_id: int) -> ServiceView:
    """One service as people see it; raises UnknownService."""
    found = service_views([service_id])
    if not found:
        raise UnknownService
    return found[service_id]


def service_views(ids: Iterable[int]) -> dict[int, ServiceView]:
    """Services as people see them, by id: the same few statements for any number."""
    wanted = list(ids)[:VIEWS_MAX]
    rows = Service.objects.select_related("customer", "plan__profile").filter(
        pk__in=wanted
    )
    return views_of(list(rows))


def views_of(services: Sequence[Service]) -> dict[int, ServiceView]:
    """Views of rows that were read with customer and plan."""
    accounts = network.account_views(
        [row.access_id for row in services if row.access_id is not None]
    )
    return {
        row.pk: _view(row, accounts.get(row.access_id) if row.access_id else None)
        for row in services
    }


def active_services_of(customer_ids: Iterable[int]) -> QuerySet[Service]:
    """The active services of these customers, suspended ones included."""
    return Service.objects.active().filter(customer_id__in=list(customer_ids))


def service_counts(plan_ids: Iterable[int], actor: Actor) -> dict[int, int]:
    """How many services within reach, not terminated, each plan has; one query."""
    rows = services_visible_to(actor, "catalog.view_service")
    rows = rows.select_related(None).filter(plan_id__in=list(plan_ids))
    living = rows.exclude(state=ServiceState.TERMINATED)
    counted = living.values("plan_id").annotate(found=Count("pk"))
    return dict(counted.values_list("plan_id", "found"))


def service_ids_of_accounts(account_ids: Iterable[int]) -> dict[int, int]:
    """Which service an access account belongs to: account id to service id."""
    rows = Service.objects.filter(access_id__in=list(account_ids))
    return dict(rows.values_list("access_id", "pk"))


def account_ids_of_services(services: QuerySet[Service]) -> list[int]:
    """The access accounts of a bounded set of services."""
    rows = services.filter(access_id__isnull=False).values_list("access_id", flat=True)
    return list(rows[:VIEWS_MAX])


def _view(service: Service, account: AccountView | None) -> ServiceView:
    return ServiceView(
        id=service.pk,
        reference=service.reference,
        state=shown_state(service.state, account.state if account else None),
        customer_id=service.customer_id,
        customer_reference=service.customer.reference,
        customer_name=service.customer.name,
        plan_id=service.plan_id,
        plan_slug=service.plan.slug,
        plan_name=service.plan.name,
        down_kbps=service.plan.profile.down_kbps,
        up_kbps=service.plan.profile.up_kbps,
        location_id=service.location_id,
        login=account.login if account else service.login,
        access_id=service.access_id,
        holds=account.holds if account else [],
        addresses=account.addresses if account else [],
        online=account.online if account else False,
        expires_at=account.expires_at if account else None,
        activated_at=service.activated_at,
        active_from_date=service.active_from_date,
        terminated_at=service.terminated_at,
        ends_date=service.ends_date,
        created_at=service.created_at,
        updated_at=service.updated_at,
    )
