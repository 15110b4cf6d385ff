"""Access accounts: state and why, holds, addresses, sessions, usage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console import account_changes, handles
from apps.network.console.attempts import ATTEMPT_COLUMNS
from apps.network.console.sessions import COA_COLUMNS, uptime
from apps.network.console.states import account_state, last_seen_words
from apps.network.console.usage import usage_chart, windows_panel
from apps.network.enums import HoldEffect, HoldReason
from apps.network.models import AccessAccount
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    ChartPanel,
    Column,
    ConsoleForm,
    DetailScreen,
    Fact,
    FactsPanel,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    list_url,
    register_screen,
    series_url,
)
from dotmac.core.console.panels import Chart
from dotmac.core.console.render import rate_text

ROWS_MAX = 25
RANGES = {"24h": 1, "7d": 7, "30d": 30}
RANGE_LABELS = (
    ("24h", gettext_lazy("24 h")),
    ("7d", gettext_lazy("7 days")),
    ("30d", gettext_lazy("30 days")),
)


class HoldForm(ConsoleForm):
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=HoldReason.choices)
    effect = forms.ChoiceField(label=gettext_lazy("Effect"), choices=HoldEffect.choices)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Staff see it as the why of the state."),
    )


class LiftForm(ConsoleForm):
    reason = forms.ChoiceField(label=gettext_lazy("Reason"))

    def arrange(self) -> None:
        view = selectors.account_view(self.row.pk)
        labels = dict(HoldReason.choices)
        choices = [(hold.reason, labels[hold.reason]) for hold in view.holds]
        self.fields["reason"].choices = choices  # type: ignore[attr-defined]


def place(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    operations.place_hold(account_id=account.pk, **data, actor=page.actor, now=page.now)
    return _("The account is held. Running sessions follow in a few seconds.")


def lift(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    operations.lift_hold(
        account_id=account.pk, reason=data["reason"], actor=page.actor, now=page.now
    )
    return _("The hold was lifted. Holds for other reasons stay.")


def disconnect(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    queued = operations.request_disconnects(
        account_id=account.pk, actor=page.actor, now=page.now, reason="asked by staff"
    )
    if not queued:
        return _("There is no session to end, or its end is on the way.")
    return _("The NAS is being asked to end it. Its answer appears under Disconnects.")


@register_screen
class AccountList(ListScreen):
    slug = "accounts"
    title = gettext_lazy("Access accounts")
    permission = "network.view_account"
    icon = "plug"
    menu = "network"
    menu_order = 15
    search_hint = gettext_lazy("Login, from its beginning")
    empty = gettext_lazy("No account yet. Provisioning a service opens one.")
    columns = (
        Column(gettext_lazy("Login"), "login"),
        Column(gettext_lazy("State"), lambda row: account_state(row.view), "state"),
        Column(gettext_lazy("Speed"), "profile.name"),
        Column(
            gettext_lazy("Addresses"), lambda row: ", ".join(row.view.addresses), "code"
        ),
        Column(gettext_lazy("Last seen"), "view.last_seen_at", "datetime", phone=False),
    )
    filters = (
        IdFilter(name="profile", label=gettext_lazy("Speed"), field="profile_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.accounts(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(login__startswith=text)

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        views = selectors.account_views([row.pk for row in rows], at=page.now)
        for row in rows:
            row.view = views[row.pk]
        return rows


@register_screen
class AccountDetail(DetailScreen):
    slug = "accounts"
    title = gettext_lazy("Access account")
    permission = "network.view_account"
    icon = "plug"
    poll_s = 10
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),
        Tab(
            slug="usage",
            label=gettext_lazy("Usage"),
            build="usage",
            permission="network.view_usage",
        ),
        Tab(
            slug="sessions",
            label=gettext_lazy("Sessions"),
            build="sessions",
            permission="network.view_session",
        ),
    )
    actions = (
        Action(
            slug="hold",
            label=gettext_lazy("Hold"),
            permission="network.place_hold",
            form=HoldForm,
            icon="player-pause",
            tone="danger",
            shown=lambda account: account.closed_at is None,
            run=place,
        ),
        Action(
            slug="lift",
            label=gettext_lazy("Lift a hold"),
            permission="network.lift_hold",
            form=LiftForm,
            icon="player-play",
            shown=lambda account: bool(selectors.account_view(account.pk).holds),
            run=lift,
        ),
        Action(
            slug="disconnect",
            label=gettext_lazy("Disconnect"),
            permission="network.disconnect_session",
            confirm=gettext_lazy("The subscriber's equipment may connect again at once."),
            icon="plug-x",
            shown=lambda account: selectors.account_view(account.pk).session is not None,
            run=disconnect,
        ),
        *account_changes.ACTIONS,
        *handles.ACTIONS,
    )  # fmt: skip

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.accounts(actor, permission)

    def links(self, row: AccessAccount, page: Page) -> Sequence[Button]:
        return [
            Button(
                label=_("Explain a login"),
                url=list_url("login-attempts/explain", login=row.login),
                icon="help",
                permission="network.view_session",
            )
        ]

    def subheading(self, row: AccessAccount, page: Page) -> str:
        return row.get_kind_display()

    def state(self, row: AccessAccount, page: Page) -> State:
        return account_state(selectors.account_view(row.pk, at=page.now))

    def tiles(self, row: AccessAccount, page: Page) -> Sequence[Tile]:
        view = selectors.account_view(row.pk, at=page.now)
        speed = f"{rate_text(view.down_kbps * 1000)} / {rate_text(view.up_kbps * 1000)}"
        return [
            Tile(label=_("Speed down / up"), value=speed, why=view.profile_name),
            Tile(label=_("Addresses"), value=", ".join(view.addresses), kind="code"),
            Tile(label=_("Last seen"), value=last_seen_words(view)),
        ]

    def overview(self, row: AccessAccount, page: Page) -> Sequence[Panel]:
        view = selectors.account_view(row.pk, at=page.now)
        asked = selectors.coa_requests(page.actor).filter(account=row)
        session_url = detail_url("sessions", view.session.id) if view.session else ""
        return [
            TablePanel(
                title=_("Holds"),
                columns=(
                    Column(_("Reason"), lambda h: h.reason.replace("_", " ")),
                    Column(_("Effect"), lambda h: h.effect.replace("_", " ")),
                    Column(_("Note"), "note", "long"),
                    Column(_("Since"), "placed_at", "datetime"),
                ),
                rows=view.holds,
                empty=_("Nothing holds it."),
            ),
            FactsPanel(
                title=_("Access"),
                facts=[
                    Fact(_("Login"), view.login, "code"),
                    Fact(_("Pool"), view.pool_name),
                    Fact(_("VLAN"), view.vid),
                    Fact(_("Sessions at once"), view.sessions_max),
                    Fact(_("Locked to MAC address"), view.mac_lock, "code"),
                    Fact(_("Expires"), view.expires_at, "datetime"),
                    Fact(_("Closed"), view.closed_at, "datetime"),
                    Fact(_("Session"), _("Open") if session_url else "", url=session_url),
                ],
            ),
            handles.panel(row),
            TablePanel(
                title=_("What the NAS was asked, and answered"),
                permission="network.view_session",
                columns=COA_COLUMNS,
                rows=asked.order_by("-pk")[:ROWS_MAX],
                empty=_("Nothing yet."),
                more_url=list_url("coa-requests", account=row.pk),
            ),
        ]  # fmt: skip

    def sessions(self, row: AccessAccount, page: Page) -> Sequence[Panel]:
        return [
            TablePanel(
                title=_("Latest sessions"),
                columns=(
                    Column(_("Started"), "started_at", "datetime"),
                    Column(_("Ended"), "stopped_at", "datetime"),
                    Column(_("NAS"), "nas_name", to="nas", to_id="nas_id"),
                    Column(_("Address"), "framed_address", "code"),
                    Column(_("Time on line"), uptime, "duration"),
                    Column(_("Sent"), "octets_in", "bytes"),
                    Column(_("Received"), "octets_out", "bytes"),
                    Column(_("Cause of the end"), "cause"),
                ),
                rows=selectors.sessions_of([row.pk], limit=ROWS_MAX, at=page.now),
                empty=_("It was never on line."),
            ),
            TablePanel(
                title=_("Login attempts, and why they ended as they did"),
                columns=ATTEMPT_COLUMNS,
                rows=selectors.access_attempts(page.actor)
                .filter(account=row)
                .order_by("-decided_at", "-pk")[:ROWS_MAX],
                empty=_("None in the last month."),
                more_url=list_url("login-attempts", account=row.pk),
            ),
        ]

    def usage(self, row: AccessAccount, page: Page) -> Sequence[Panel]:
        chosen = page.query.get("range", "24h")
        return [
            windows_panel(row.pk, page.now, settings.OPERATOR_ZONE),
            ChartPanel(
                title=_("Usage"),
                chart=self._usage(row, chosen, page),
                source=series_url(self.slug, row.pk, "usage"),
                ranges=RANGE_LABELS,
                range=chosen if chosen in RANGES else "24h",
                empty=_("No usage in this time."),
            ),
        ]

    def series(self, name: str, row: AccessAccount, page: Page) -> Chart | None:
        if name != "usage" or not page.may("network.view_usage"):
            return None
        return self._usage(row, page.query.get("range", "24h"), page)

    def _usage(self, row: AccessAccount, chosen: str, page: Page) -> Chart:
        days = RANGES.get(chosen, 1)
        return usage_chart([row.pk], page.now - timedelta(days=days), page.now)
