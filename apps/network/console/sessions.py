"""Sessions on line, and what NASes were asked and answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console.disconnecting import DISCONNECT_CHOSEN, BatchFilter
from apps.network.console.states import coa_state
from apps.network.enums import CoaKind, CoaState
from apps.network.models import CoaRequest, Nas, SessionLive
from apps.network.selectors import SessionView
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    ChoiceFilter,
    Column,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    Filter,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    register_screen,
    state_of,
)

NAS_MAX = 200
LIST_POLL_S = 10
PAGE_POLL_S = 5
ROWS_MAX = 25
# Filters by place: name, label, who may see the names, the field, and the names.
PLACES = (
    ("site", gettext_lazy("Site"), "network.view_site", "nas__site_id", selectors.sites),
    ("pool", gettext_lazy("Pool"), "network.view_pool", "account__pool_id",
     selectors.address_pools),
    ("vlan-group", gettext_lazy("VLAN group"), "network.view_vlan",
     "account__vlan__group_id", selectors.vlan_groups),
)  # fmt: skip


def uptime(session: SessionLive | SessionView) -> int:
    """Seconds on line: to the end, or until now."""
    end = session.stopped_at or timezone.now()
    passed = (end - session.started_at).total_seconds()
    return max(session.seconds, int(passed))


def session_state(session: SessionLive) -> State:
    if session.stopped_at is None:
        return state_of("online")
    return state_of("offline", session.cause)


def disconnect(session: SessionLive, data: dict[str, Any], page: Page) -> Done:
    """The page of the session shows the NAS's answer when it comes."""
    request = operations.disconnect_session(
        session_key=session.session_key, generation=session.generation,
        actor=page.actor, now=page.now,
    )  # fmt: skip
    return Done(
        _("%(nas)s is being asked to end the session. Its answer appears here.")
        % {"nas": session.nas.name if session.nas else _("The NAS")},
        detail_url("coa-requests", request.pk),
    )


DISCONNECT = Action(
    slug="disconnect",
    label=gettext_lazy("Disconnect"),
    permission="network.disconnect_session",
    icon="plug-x",
    tone="danger",
    confirm=gettext_lazy("The subscriber's equipment may connect again at once."),
    shown=lambda session: session.stopped_at is None,
    run=disconnect,
)


def address_of(session: SessionLive) -> str:
    """What people look for first: IPv4, else whatever it has of IPv6."""
    words = (
        session.framed_address,
        session.framed_ipv6,
        session.framed_ipv6_prefix,
        session.delegated_prefix,
    )
    return next((str(word) for word in words if word is not None), "")


def nas_choices() -> list[tuple[int, str]]:
    return list(Nas.objects.order_by("name").values_list("pk", "name")[:NAS_MAX])


def named(rows: QuerySet[Any]) -> list[tuple[int, str]]:
    return list(rows.order_by("name").values_list("pk", "name")[:NAS_MAX])


SESSION_COLUMNS = (
    Column(gettext_lazy("Login"), "login", to="sessions"),
    Column(gettext_lazy("Address"), address_of, "code"),
    Column(gettext_lazy("Since"), "started_at", "datetime", phone=False),
    Column(gettext_lazy("Time on line"), uptime, "duration"),
    Column(gettext_lazy("Sent"), "octets_in", "bytes", phone=False),
    Column(gettext_lazy("Received"), "octets_out", "bytes"),
)
COA_COLUMNS = (
    Column(
        gettext_lazy("Request"),
        lambda row: f"{row.get_kind_display()} #{row.pk}",
        to="coa-requests",
    ),
    Column(gettext_lazy("Login"), "login"),
    Column(gettext_lazy("State"), coa_state, "state"),
    Column(gettext_lazy("Answer"), "answer", "long"),
    Column(gettext_lazy("Why"), "reason", phone=False),
    Column(gettext_lazy("Asked"), "created_at", "datetime"),
)


@register_screen
class SessionList(ListScreen):
    slug = "sessions"
    title = gettext_lazy("Sessions on line")
    permission = "network.view_session"
    icon = "plug-connected"
    menu = "network"
    menu_order = 10
    poll_s = LIST_POLL_S
    search_hint = gettext_lazy("Whole login, address or prefix")
    empty = gettext_lazy("Nobody is on line. Sessions appear when accounting starts.")
    ordering = ("-started_at", "-pk")
    actions = (DISCONNECT,)
    bulk = (DISCONNECT_CHOSEN,)
    columns = (
        *SESSION_COLUMNS[:1],
        Column(gettext_lazy("NAS"), "nas.name", to="nas", to_id="nas_id"),
        *SESSION_COLUMNS[1:],
    )
    filters = (ChoiceFilter(name="nas", label=gettext_lazy("NAS"), field="nas_id",
                            choices=nas_choices),
               IdFilter(name="account", label=gettext_lazy("Account"),
                        field="account_id"))  # fmt: skip

    def all_filters(self, page: Page) -> Sequence[Filter]:
        """Those by what only the operator's own staff sees as well."""
        more = []
        for name, label, permission, field, rows in PLACES:
            if page.may(permission):
                choices = named(rows(page.actor))
                more.append(
                    ChoiceFilter(name=name, label=label, field=field, choices=choices)
                )
        return [*self.filters, *more]

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.live_sessions(actor, permission).filter(stopped_at=None)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = selectors.sessions_at(rows, text)
        if found is not None:
            return found
        return rows.filter(account__in=selectors.accounts_of_login(text).values("pk"))


@register_screen
class SessionDetail(DetailScreen):
    slug = "sessions"
    title = gettext_lazy("Session")
    permission = "network.view_session"
    icon = "plug-connected"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)
    actions = (DISCONNECT,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.live_sessions(actor, permission)

    def heading(self, row: SessionLive) -> str:
        return row.login

    def subheading(self, row: SessionLive, page: Page) -> str:
        return row.acct_session_id

    def state(self, row: SessionLive, page: Page) -> State:
        return session_state(row)

    def polls(self, row: SessionLive) -> int:
        return PAGE_POLL_S

    def tiles(self, row: SessionLive, page: Page) -> Sequence[Tile]:
        return [
            Tile(label=_("Time on line"), value=uptime(row), kind="duration"),
            Tile(label=_("Sent"), value=row.octets_in, kind="bytes"),
            Tile(label=_("Received"), value=row.octets_out, kind="bytes"),
        ]

    def facts(self, row: SessionLive, page: Page) -> Sequence[Fact]:
        account = detail_url("accounts", row.account_id) if row.account_id else ""
        nas = detail_url("nas", row.nas_id) if row.nas_id else ""
        return [
            Fact(_("Login"), row.login, "code", url=account),
            Fact(_("NAS"), row.nas.name if row.nas else "", url=nas),
            Fact(_("Address"), address_of(row), "code"),
        ]

    def overview(self, row: SessionLive, page: Page) -> Sequence[Panel]:
        asked = selectors.coa_requests(page.actor).filter(
            session_key=row.session_key, generation=row.generation
        )
        return [
            FactsPanel(
                title=_("Session"),
                facts=[
                    Fact(_("Session id"), row.acct_session_id, "code"),
                    Fact(_("MAC address"), row.mac, "code"),
                    Fact(_("Port"), row.nas_port),
                    Fact(_("Circuit"), row.circuit),
                    Fact(_("IPv6 address"), row.framed_ipv6, "code"),
                    Fact(_("IPv6 prefix of the line"), row.framed_ipv6_prefix, "code"),
                    Fact(_("Delegated prefix"), row.delegated_prefix, "code"),
                    Fact(_("Started"), row.started_at, "datetime"),
                    Fact(_("Last heard of"), row.heard_at, "datetime"),
                    Fact(_("Ended"), row.stopped_at, "datetime"),
                    Fact(_("Cause of the end"), row.cause),
                    Fact(_("Generation"), row.generation, "number"),
                ],
            ),
            TablePanel(
                title=_("What the NAS was asked, and answered"),
                columns=COA_COLUMNS,
                rows=asked.order_by("-pk")[:ROWS_MAX],
                empty=_("Nothing yet."),
            ),
        ]


@register_screen
class CoaRequestList(ListScreen):
    slug = "coa-requests"
    title = gettext_lazy("Disconnects and changes")
    permission = "network.view_session"
    icon = "plug-x"
    menu = "network"
    menu_order = 60
    poll_s = LIST_POLL_S
    search_hint = gettext_lazy("Whole login")
    empty = gettext_lazy(
        "No NAS was asked yet. Holds, changes and the Disconnect button ask."
    )
    columns = (
        *COA_COLUMNS[:2],
        Column(gettext_lazy("NAS"), "nas.name", to="nas", to_id="nas_id"),
        *COA_COLUMNS[2:],
        Column(gettext_lazy("Tries"), "attempts", "number", phone=False),
    )
    filters = (
        ChoiceFilter(name="state", label=gettext_lazy("State"), choices=CoaState.choices),
        ChoiceFilter(name="kind", label=gettext_lazy("Kind"), choices=CoaKind.choices),
        IdFilter(name="nas", label=gettext_lazy("NAS"), field="nas_id"),
        IdFilter(name="account", label=gettext_lazy("Account"), field="account_id"),
        BatchFilter(name="batch", label=gettext_lazy("Asked together")),
    )  # fmt: skip

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.coa_requests(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        mine = selectors.accounts_of_login(text).values("pk")
        return rows.filter(Q(account__in=mine))


@register_screen
class CoaRequestDetail(DetailScreen):
    slug = "coa-requests"
    title = gettext_lazy("Request to a NAS")
    permission = "network.view_session"
    icon = "plug-x"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.coa_requests(actor, permission)

    def heading(self, row: CoaRequest) -> str:
        return f"{row.get_kind_display()} #{row.pk}"

    def subheading(self, row: CoaRequest, page: Page) -> str:
        return row.login

    def state(self, row: CoaRequest, page: Page) -> State:
        return coa_state(row)

    def polls(self, row: CoaRequest) -> int:
        return PAGE_POLL_S if row.answered_at is None else 0

    def overview(self, row: CoaRequest, page: Page) -> Sequence[Panel]:
        sent = [Fact(name, str(value)) for name, value in row.attributes.items()]
        return [
            FactsPanel(
                title=_("Course"),
                facts=[
                    Fact(_("Why"), row.reason),
                    Fact(_("Asked by"), row.actor_label),
                    Fact(_("NAS"), row.nas.name),
                    Fact(_("Session id"), row.acct_session_id, "code"),
                    Fact(_("Not before"), row.not_before, "datetime"),
                    Fact(_("Sent"), row.sent_at, "datetime"),
                    Fact(_("Answered"), row.answered_at, "datetime"),
                    Fact(_("Answer"), row.answer),
                    Fact(_("Tries"), row.attempts, "number"),
                ],
            ),
            *([FactsPanel(title=_("Attributes sent"), facts=sent)] if sent else []),
        ]
