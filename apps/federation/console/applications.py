"""Tools of the operator that let people in by DotMac."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.federation import operations, selectors
from apps.federation.console.forms import ApplicationFields, NewApplicationForm
from apps.federation.console.panels import to_enter
from apps.federation.models import Application
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    Column,
    DetailScreen,
    Done,
    Fact,
    FormScreen,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    TemplatePanel,
    detail_url,
    register_screen,
)

VIEW = "federation.view_application"


def state_of_application(row: Application) -> State:
    if row.is_active:
        return State(_("On"), "good", "circle-check")
    return State(_("Off"), "quiet", "circle-off", why=_("Nobody is let through."))


def _kind(row: Application) -> str:
    return _("on people's machines") if row.is_public else _("on a server")


def _is_off(row: Application) -> bool:
    return not row.is_active


def _is_on(row: Application) -> bool:
    return row.is_active


def _has_secret(row: Application) -> bool:
    return not row.is_public


def _values(row: Application, page: Page) -> dict[str, Any]:
    return {
        "name": row.name,
        "return_addresses": "\n".join(row.return_addresses),
        "leave_addresses": "\n".join(row.leave_addresses),
        "asks_consent": row.asks_consent,
    }


def _change(row: Application, data: dict[str, Any], page: Page) -> str:
    operations.change_application(
        application_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("Saved.")


def _switch_on(row: Application, data: dict[str, Any], page: Page) -> str:
    operations.switch_application(
        application_id=row.pk, on=True, actor=page.actor, now=page.now
    )
    return _("People are let through to it.")


def _switch_off(row: Application, data: dict[str, Any], page: Page) -> str:
    operations.switch_application(
        application_id=row.pk, on=False, actor=page.actor, now=page.now
    )
    return _("Nobody is let through any more, and its tokens are over.")


def _renew(row: Application, data: dict[str, Any], page: Page) -> Done:
    made = operations.renew_application_secret(
        application_id=row.pk, actor=page.actor, now=page.now
    )
    return _shown_once(made, _("The secret is new; the old one is over."))


def _shown_once(made: operations.NewSecret, says: str) -> Done:
    panels: list[Panel] = [
        to_enter(
            made.row.name,
            [(_("Client id"), made.row.client_id), (_("Issuer"), settings.BASE_URL)],
        )
    ]
    if made.secret:
        panels.append(
            TemplatePanel(
                title=_("Client secret"),
                name="ui/shown_once.html",
                context={"value": made.secret},
            )
        )
    return Done(says, detail_url("applications", made.row.pk), panels)


@register_screen
class ApplicationList(ListScreen):
    slug = "applications"
    title = gettext_lazy("Applications")
    permission = VIEW
    icon = "layout-grid"
    menu = "system"
    menu_order = 76
    intro = gettext_lazy(
        "Other tools of yours that people enter with their DotMac sign-in."
    )
    empty = gettext_lazy("None yet. Grafana, NetBox and others can use this sign-in.")
    columns = (
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("State"), state_of_application, "state"),
        Column(gettext_lazy("Client id"), "client_id", "code"),
        Column(gettext_lazy("Runs"), _kind, phone=False),
        Column(gettext_lazy("Added"), "created_at", "date", phone=False),
    )
    buttons = (
        Button(
            label=gettext_lazy("New application"),
            url="applications/new",
            icon="plus",
            tone="primary",
            permission="federation.register_application",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Application]:
        return selectors.applications_visible_to(actor, permission)


@register_screen
class NewApplication(FormScreen):
    slug = "applications/new"
    title = gettext_lazy("New application")
    permission = "federation.register_application"
    icon = "layout-grid"
    form = NewApplicationForm
    submit_label = gettext_lazy("Register")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        made = operations.register_application(**data, actor=page.actor, now=page.now)
        return _shown_once(made, _("The application is registered."))


@register_screen
class ApplicationDetail(DetailScreen):
    slug = "applications"
    title = gettext_lazy("Application")
    permission = VIEW
    icon = "layout-grid"
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),
        Tab(slug="people", label=gettext_lazy("People"), build="people"),
    )
    actions = (
        Action(
            slug="change",
            label=gettext_lazy("Change"),
            submit=gettext_lazy("Save"),
            permission="federation.change_application",
            icon="edit",
            form=ApplicationFields,
            initial=_values,
            run=_change,
            order=10,
        ),
        Action(
            slug="renew-secret",
            label=gettext_lazy("New secret"),
            permission="federation.renew_application_secret",
            icon="key",
            confirm=gettext_lazy("The old secret is over at once."),
            shown=_has_secret,
            run=_renew,
            order=20,
        ),
        Action(
            slug="switch-on",
            label=gettext_lazy("Switch on"),
            permission="federation.switch_application",
            icon="player-play",
            tone="primary",
            confirm=gettext_lazy("People are let through to it."),
            shown=_is_off,
            run=_switch_on,
            order=30,
        ),
        Action(
            slug="switch-off",
            label=gettext_lazy("Switch off"),
            permission="federation.switch_application",
            icon="player-pause",
            tone="danger",
            confirm=gettext_lazy("Its tokens end, and people are asked anew later."),
            shown=_is_on,
            run=_switch_off,
            order=30,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Application]:
        return selectors.applications_visible_to(actor, permission)

    def heading(self, row: Application) -> str:
        return row.name

    def state(self, row: Application, page: Page) -> State:
        return state_of_application(row)

    def facts(self, row: Application, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("Client id"), row.client_id, "code"),
            Fact(_("Runs"), _kind(row)),
            Fact(_("Asks people first"), row.asks_consent, "bool"),
        ]

    def overview(self, row: Application, page: Page) -> Sequence[Panel]:
        document = selectors.discovery_document()
        return [
            to_enter(
                _("Where people go"),
                [
                    *((_("Back to"), to) for to in row.return_addresses),
                    *((_("After signing out"), to) for to in row.leave_addresses),
                ],
            ),
            to_enter(
                _("To be entered at the application"),
                [
                    (_("Issuer"), document["issuer"]),
                    (_("Authorisation"), document["authorization_endpoint"]),
                    (_("Token"), document["token_endpoint"]),
                    (_("User information"), document["userinfo_endpoint"]),
                    (_("Keys"), document["jwks_uri"]),
                    (_("Scopes"), " ".join(document["scopes_supported"])),
                ],
                _("Most need the issuer alone. PKCE with S256 is required."),
            ),
        ]

    def people(self, row: Application, page: Page) -> Sequence[Panel]:
        return [
            TablePanel(
                title=_("Who agreed to use it"),
                columns=(
                    Column(_("Sign-in name"), "user.username", "code"),
                    Column(_("Tells"), lambda one: ", ".join(one.scopes)),
                    Column(_("Since"), "created_at", "datetime"),
                ),
                rows=selectors.people_of_application(row.pk),
                empty=_("Nobody yet."),
            )
        ]
