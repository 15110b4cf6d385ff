"""Services: the list, and one with its state, access, steps, sessions and usage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import operations, selectors
from apps.catalog.console import acts
from apps.catalog.console.states import service_state, shown_step
from apps.catalog.console.usage import usage_chart, windows_panel
from apps.catalog.enums import ServiceState, ShownState
from apps.catalog.models import Service
from apps.identity import selectors as identity
from apps.network import selectors as network
from apps.network.selectors import SessionView
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Chart,
    ChartPanel,
    ChoiceFilter,
    Column,
    DetailScreen,
    Fact,
    FactsPanel,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    StepsPanel,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    register_screen,
    series_url,
    state_of,
)
from dotmac.core.console.render import rate_text

SESSIONS_MAX = 25
RANGES = {"24h": 1, "7d": 7, "30d": 30}
RANGE_LABELS = (
    ("24h", gettext_lazy("24 h")),
    ("7d", gettext_lazy("7 days")),
    ("30d", gettext_lazy("30 days")),
)


def _why(service: Any) -> str:
    return str(service_state(service.view).why)


def _seen_as(rows: QuerySet[Service], state: str) -> QuerySet[Service]:
    return rows.filter(selectors.in_shown_state(state, now=timezone.now()))


@register_screen
class ServiceList(ListScreen):
    slug = "services"
    title = gettext_lazy("Services")
    permission = "catalog.view_service"
    icon = "router"
    menu = "customers"
    menu_order = 20
    search_hint = gettext_lazy("Reference or whole login")
    empty = gettext_lazy("No service yet. Order one on a customer's page.")
    columns = (
        Column(gettext_lazy("Service"), "reference", "code"),
        Column(
            gettext_lazy("Customer"),
            "customer.name",
            to="customers",
            to_id="customer_id",
        ),
        Column(
            gettext_lazy("Plan"), "plan.name", to="plans", to_id="plan_id", phone=False
        ),
        Column(gettext_lazy("State"), "view.state", "state", why=_why),
        Column(gettext_lazy("Login"), "view.login", "code", phone=False),
        Column(
            gettext_lazy("Addresses"),
            lambda row: ", ".join(row.view.addresses),
            "code",
            phone=False,
        ),
        Column(gettext_lazy("On line"), "view.online", "bool"),
        Column(gettext_lazy("Active from"), "active_from_date", "date", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state",
            label=gettext_lazy("State"),
            choices=ShownState.choices,
            apply=_seen_as,
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
        IdFilter(name="plan", label=gettext_lazy("Plan"), field="plan_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Service]:
        return selectors.services_visible_to(actor, permission)

    def search(self, rows: QuerySet[Service], text: str) -> QuerySet[Service]:
        by_reference = Q(reference=text.strip().upper())
        return rows.filter(by_reference | selectors.with_login(text.strip()))

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        views = selectors.views_of(rows)
        for row in rows:
            row.view = views[row.pk]
        return rows


@register_screen
class ServiceDetail(DetailScreen):
    slug = "services"
    title = gettext_lazy("Service")
    permission = "catalog.view_service"
    icon = "router"
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),
        Tab(
            slug="provisioning",
            label=gettext_lazy("Provisioning"),
            build="provisioning",
        ),
        Tab(slug="sessions", label=gettext_lazy("Sessions"), build="sessions"),
        Tab(slug="usage", label=gettext_lazy("Usage"), build="usage"),
        Tab(
            slug="credentials",
            label=gettext_lazy("Password"),
            build="credentials",
            permission="catalog.reveal_credentials",
        ),
    )
    actions = (
        acts.PROVISION,
        acts.RETRY,
        acts.RESUME,
        acts.GIVE_UP,
        acts.SUSPEND,
        acts.EXTEND,
        acts.TERMINATE,
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Service]:
        return selectors.services_visible_to(actor, permission)

    def subheading(self, row: Service, page: Page) -> str:
        return row.plan.name

    def state(self, row: Service, page: Page) -> State:
        return service_state(selectors.service_view(row.pk))

    def polls(self, row: Service) -> int:
        return 3 if row.state == ServiceState.PROVISIONING else 15

    def facts(self, row: Service, page: Page) -> Sequence[Fact]:
        customer = f"{row.customer.name} ({row.customer.reference})"
        return [
            Fact(_("Customer"), customer, url=detail_url("customers", row.customer_id)),
            Fact(_("Plan"), row.plan.name, url=detail_url("plans", row.plan_id)),
        ]

    def tiles(self, row: Service, page: Page) -> Sequence[Tile]:
        view = selectors.service_view(row.pk)
        speed = f"{rate_text(view.down_bps)} / {rate_text(view.up_bps)}"
        return [
            Tile(label=_("Login"), value=view.login, kind="code"),
            Tile(label=_("Addresses"), value=", ".join(view.addresses), kind="code"),
            Tile(
                label=_("On line"),
                value=_("Yes") if view.online else _("No"),
                tone="good" if view.online else "",
            ),
            Tile(label=_("Speed down / up"), value=speed),
        ]

    def overview(self, row: Service, page: Page) -> Sequence[Panel]:
        view = selectors.service_view(row.pk)
        account_url = detail_url("accounts", view.access_id) if view.access_id else ""
        if not page.may("network.view_account"):
            account_url = ""
        return [
            TablePanel(
                title=_("Holds"),
                columns=(
                    Column(_("Reason"), lambda hold: hold.reason.replace("_", " ")),
                    Column(_("Effect"), lambda hold: hold.effect.replace("_", " ")),
                    Column(_("Note"), "note", "long"),
                    Column(_("Since"), "placed_at", "datetime"),
                ),
                rows=view.holds,
                empty=_("Nothing holds it."),
            ),
            FactsPanel(
                title=_("Service"),
                facts=[
                    Fact(_("Access account"), view.login, "code", url=account_url),
                    Fact(_("Ordered"), view.created_at, "datetime"),
                    Fact(_("Activated"), view.activated_at, "datetime"),
                    Fact(_("Billed from"), view.active_from_date, "date"),
                    Fact(_("Expires"), view.expires_at, "datetime"),
                    Fact(_("Terminated"), view.terminated_at, "datetime"),
                    Fact(_("First day not held"), view.ends_date, "date"),
                ],
            ),
        ]

    def provisioning(self, row: Service, page: Page) -> Sequence[Panel]:
        job = selectors.latest_provisioning_of(row.pk)
        if job is None:
            return [
                StepsPanel(title=_("Provisioning"), note=_("It has not begun yet."))
            ]
        return [
            StepsPanel(
                title=_("Provisioning"),
                steps=[shown_step(step) for step in selectors.steps_of(job.pk)],
            ),
            FactsPanel(
                title=_("Job"),
                facts=[
                    Fact(_("State"), state_of(job.state), "state", why=job.job.error),
                    Fact(
                        _("Details"),
                        str(job.job),
                        url=detail_url("provisioning", job.pk),
                    ),
                ],
            ),
        ]

    def sessions(self, row: Service, page: Page) -> Sequence[Panel]:
        accounts = [row.access_id] if row.access_id else []
        found = network.sessions_of(accounts, limit=SESSIONS_MAX, at=page.now)
        return [
            TablePanel(
                title=_("Latest sessions"),
                columns=(
                    Column(_("Started"), "started_at", "datetime"),
                    Column(_("State"), _session_state, "state", why=lambda s: s.cause),
                    Column(_("Address"), "framed_address", "code"),
                    Column(_("NAS"), "nas_name", phone=False),
                    Column(_("Lasted"), "seconds", "duration"),
                    Column(_("Down"), "octets_out", "bytes"),
                    Column(_("Up"), "octets_in", "bytes", phone=False),
                ),
                rows=found,
                empty=_("No session yet: the first appears when accounting starts."),
            )
        ]

    def usage(self, row: Service, page: Page) -> Sequence[Panel]:
        chosen = _range(page)
        zone = identity.zone_of_customer(row.customer_id)
        return [
            windows_panel(row, page.now, zone),
            ChartPanel(
                title=_("Usage by hour"),
                chart=usage_chart(row, RANGES[chosen], page.now),
                source=series_url(self.slug, row.pk, "usage", range=chosen),
                ranges=RANGE_LABELS,
                range=chosen,
                empty=_("No usage was counted in this time."),
            ),
        ]

    def series(self, name: str, row: Service, page: Page) -> Chart | None:
        days = RANGES[_range(page)]
        return usage_chart(row, days, page.now) if name == "usage" else None

    def credentials(self, row: Service, page: Page) -> Sequence[Panel]:
        if row.state == ServiceState.TERMINATED:
            return [FactsPanel(title=_("Password"), note=_("The service has ended."))]
        found = operations.reveal_credentials(
            service_id=row.pk, actor=page.actor, now=page.now
        )
        return [
            FactsPanel(
                title=_("Password"),
                facts=[
                    Fact(_("Login"), found.login, "code"),
                    Fact(_("Password"), found.password, "code"),
                ],
                note=_("The audit log says that you looked."),
            )
        ]


def _session_state(session: SessionView) -> str:
    return "online" if session.online else "offline"


def _range(page: Page) -> str:
    chosen = page.query.get("range", "24h")
    return chosen if chosen in RANGES else "24h"
