"""The customer's line on the customer page: live session, usage, past sessions.

network knows no customers and catalog no packets; the page that joins them is
the shell's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.analytics import selectors as analytics
from apps.network import selectors as network
from apps.network.selectors import SessionView
from dotmac.core.console import (
    Button,
    Chart,
    ChartPanel,
    Column,
    Fact,
    FactsPanel,
    HubContribution,
    Page,
    Panel,
    Tab,
    TablePanel,
    action_url,
    register_hub,
    registry,
    series_url,
    state_of,
)
from dotmac.core.console.render import duration_text

LIVE_MAX = 3
_VIEW = "network.view_session"


def overview(customer_id: int, page: Page) -> Sequence[Panel]:
    """What is on line now, and the usage of the chosen range."""
    if not page.may(_VIEW):
        return []
    accounts = analytics.account_ids_of(customer_id)
    if not accounts:
        return []
    sessions = network.sessions_of(accounts, at=page.now)
    live = [session for session in sessions if session.online][:LIVE_MAX]
    cards: list[Panel] = [_live_card(session, page) for session in live]
    if not live:
        cards = [_silent_card(sessions)]
    return [*cards, _usage_panel(customer_id, accounts, page)]


def _live_card(session: SessionView, page: Page) -> Panel:
    lasted = duration_text((page.now - session.started_at).total_seconds())
    why = _("Heard of %(when)s, by %(nas)s.") % {
        "when": session.heard_at.strftime("%H:%M:%S UTC"),
        "nas": session.nas_name or _("an unknown NAS"),
    }
    return FactsPanel(
        title=_("Live session"),
        buttons=_disconnect(session),
        facts=[
            Fact(_("State"), state_of("online"), "state", why=why),
            Fact(_("For"), lasted),
            Fact(_("Login"), session.login, "code"),
            Fact(_("Address"), session.framed_address, "code"),
            Fact(_("NAS"), session.nas_name),
            Fact(_("MAC address"), session.mac, "code"),
            Fact(_("Down"), session.octets_out, "bytes"),
            Fact(_("Up"), session.octets_in, "bytes"),
        ],
    )


def _disconnect(session: SessionView) -> Sequence[Button]:
    """The button of the sessions screen, where that screen can disconnect."""
    screen = registry.details.get("sessions")
    names = [action.slug for action in screen.all_actions()] if screen else []
    if "disconnect" not in names:
        return ()
    return (
        Button(
            label=_("Disconnect"),
            url=action_url("sessions", session.id, "disconnect"),
            icon="plug-x",
            tone="danger",
            permission="network.disconnect_session",
        ),
    )


def _silent_card(sessions: Sequence[SessionView]) -> Panel:
    if not sessions:
        why = _("No NAS has reported a session of this customer yet.")
        state = Fact(_("State"), state_of("offline"), "state", why=why)
        return FactsPanel(title=_("Live session"), facts=[state])
    last = sessions[0]
    why = _("The NAS fell silent.") if last.stopped_at is None else last.cause
    return FactsPanel(
        title=_("Live session"),
        facts=[
            Fact(_("State"), state_of("offline"), "state", why=why),
            Fact(_("Last seen"), last.heard_at, "datetime"),
            Fact(_("Login"), last.login, "code"),
            Fact(_("NAS"), last.nas_name),
        ],
    )


def _usage_panel(customer_id: int, accounts: Sequence[int], page: Page) -> Panel:
    name, span = analytics.chosen_range(page.query.get("range", ""))
    return ChartPanel(
        title=_("Usage by hour"),
        chart=analytics.usage_chart(accounts, page.now, span),
        source=series_url("customers", customer_id, "usage", range=name),
        ranges=[(value, label) for value, label, _span in analytics.USAGE_RANGES],
        range=name,
        empty=_("No usage was counted in this time."),
    )


def series(name: str, customer_id: int, page: Page) -> Chart | None:
    """Numbers of the usage graph, for those who may see sessions."""
    if name != "usage" or not page.may(_VIEW):
        return None
    _name, span = analytics.chosen_range(page.query.get("range", ""))
    accounts = analytics.account_ids_of(customer_id)
    return analytics.usage_chart(accounts, page.now, span)


def sessions_tab(customer: Any, page: Page) -> Sequence[Panel]:
    """The latest sessions, open and past."""
    sessions = network.sessions_of(analytics.account_ids_of(customer.pk), at=page.now)
    columns = (
        Column(_("Started"), "started_at", "datetime"),
        Column(_("Login"), "login", "code"),
        Column(_("State"), session_state, "state", why=lambda row: row.cause),
        Column(_("Address"), "framed_address", "code"),
        Column(_("NAS"), "nas_name", phone=False),
        Column(_("Lasted"), "seconds", "duration"),
        Column(_("Down"), "octets_out", "bytes"),
        Column(_("Up"), "octets_in", "bytes", phone=False),
    )
    return [
        TablePanel(
            title=_("Sessions"),
            columns=columns,
            rows=sessions,
            empty=_("No session yet: the first one appears when accounting starts."),
        )
    ]


def session_state(session: SessionView) -> str:
    return "online" if session.online else "offline"


register_hub(
    HubContribution(
        app="line",
        order=25,
        overview=overview,
        series=series,
        tabs=(
            Tab(
                slug="sessions",
                label=gettext_lazy("Sessions"),
                build=sessions_tab,
                permission=_VIEW,
                order=40,
            ),
        ),
    )
)
