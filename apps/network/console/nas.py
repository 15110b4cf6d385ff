"""Access servers: list, page, and a form that shows the secret once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console import nas_attributes, nas_health, nas_secrets
from apps.network.console.choices import named_choices
from apps.network.console.disconnecting import DISCONNECT_ALL
from apps.network.console.nas_secrets import sharing, shown_once
from apps.network.console.sessions import COA_COLUMNS, SESSION_COLUMNS
from apps.network.console.states import nas_signs, nas_state
from apps.network.enums import DEFAULT_VENDOR
from apps.network.models import Nas, Site
from apps.network.operations.nas_secrets import new_secret
from apps.network.rules.addressing import parsed_address
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    ChoiceFilter,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    detail_url,
    list_url,
    register_screen,
)

ROWS_MAX = 25


class NasFields(ConsoleForm):
    """What may be said about a NAS."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    address = forms.CharField(
        label=gettext_lazy("Source address"),
        max_length=39,
        help_text=gettext_lazy("RADIUS knows the NAS by it."),
    )
    vendor = forms.ChoiceField(label=gettext_lazy("Vendor"), initial=DEFAULT_VENDOR)
    site_id = forms.TypedChoiceField(
        label=gettext_lazy("Site"), required=False, coerce=int, empty_value=None
    )
    coa_port = forms.IntegerField(
        label=gettext_lazy("CoA port"), initial=3799, min_value=1, max_value=65535
    )
    walled_pool = forms.CharField(
        label=gettext_lazy("Pool of the walled garden"),
        max_length=64,
        initial="walled",
        help_text=gettext_lazy("Its name on the NAS."),
    )
    redirect_url = forms.CharField(
        label=gettext_lazy("Page of the walled garden"),
        max_length=200,
        required=False,
        help_text=gettext_lazy(
            "Where browsers are sent, if the NAS can be told. It must be reachable there."
        ),
    )
    require_message_authenticator = forms.BooleanField(
        label=gettext_lazy("Require Message-Authenticator"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Leave on unless the firmware is old."),
    )
    ipoe = forms.BooleanField(
        label=gettext_lazy("Lets devices and lines in without a password"),
        required=False,
        help_text=gettext_lazy(
            "For DHCP (IPoE): accounts that name a MAC address, a circuit or a remote id."
        ),
    )

    def arrange(self) -> None:
        self.fields["vendor"].choices = selectors.vendor_choices()  # type: ignore[attr-defined]
        site_id = self.row.site_id if self.row is not None else None
        sites = named_choices(Site.objects.all(), site_id, empty=True)
        self.fields["site_id"].choices = sites  # type: ignore[attr-defined]


class NewNasForm(NasFields):
    secret = forms.CharField(
        label=gettext_lazy("Secret"),
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Left empty, a random one is made and shown once."),
    )


class ChangeNasForm(NasFields):
    enabled = forms.BooleanField(
        label=gettext_lazy("Enabled"),
        required=False,
        help_text=gettext_lazy("A disabled NAS gets no answer."),
    )
    counts_32_bits = forms.BooleanField(
        label=gettext_lazy("Counters of 32 bits"),
        required=False,
        help_text=gettext_lazy(
            "Only for a NAS that sends no gigawords: a counter that falls while time"
            " goes on has overflowed once."
        ),
    )


def change(nas: Nas, data: dict[str, Any], page: Page) -> str:
    operations.change_nas(nas_id=nas.pk, changes=data, actor=page.actor, now=page.now)
    return _("The NAS was changed.")


def renew_secret(nas: Nas, data: dict[str, Any], page: Page) -> Done:
    clear = new_secret()
    operations.change_nas(
        nas_id=nas.pk, changes={"secret": clear}, actor=page.actor, now=page.now
    )
    return shown_once(nas, clear, _("The NAS has a new secret."), _ENTER_IT)


# Said of a secret that counts already.
_ENTER_IT = gettext_lazy(
    "Enter it in the NAS: RADIUS understands the NAS by no other one."
)


def values_of(nas: Nas, page: Page) -> dict[str, Any]:
    return {name: getattr(nas, name) for name in ChangeNasForm.base_fields}


@register_screen
class NasList(ListScreen):
    slug = "nas"
    title = gettext_lazy("NAS")
    permission = "network.view_nas"
    icon = "router"
    menu = "network"
    menu_order = 20
    search_hint = gettext_lazy("Name or address")
    empty = gettext_lazy("No NAS yet. Add the first one: RADIUS answers it at once.")
    columns = (
        Column(gettext_lazy("NAS"), "name"),
        Column(gettext_lazy("Address"), "address", "code"),
        Column(gettext_lazy("Vendor"), "vendor_label"),
        Column(gettext_lazy("Site"), "site.name", to="sites", to_id="site_id"),
        Column(gettext_lazy("State"), nas_state, "state"),
        Column(gettext_lazy("Signs"), nas_signs, "state"),
        *nas_health.COLUMNS,
    )
    filters = (
        ChoiceFilter(
            name="vendor",
            label=gettext_lazy("Vendor"),
            choices=selectors.vendor_choices,
        ),
        ChoiceFilter(
            name="signs",
            label=gettext_lazy("Message-Authenticator"),
            choices=(
                ("required", gettext_lazy("Required")),
                ("excused", gettext_lazy("Excused")),
            ),
            apply=lambda rows, value: rows.filter(
                require_message_authenticator=value == "required"
            ),
        ),
        nas_health.FILTER,
    )
    buttons = (
        Button(
            label=gettext_lazy("New NAS"),
            url="nas/new",
            icon="plus",
            tone="primary",
            permission="network.create_nas",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.nas_list(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        try:
            return rows.filter(address=str(parsed_address(text)))
        except MalformedText:
            return rows.filter(Q(name__istartswith=text))


@register_screen
class NasDetail(DetailScreen):
    slug = "nas"
    title = gettext_lazy("NAS")
    permission = "network.view_nas"
    icon = "router"
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),
        Tab(
            slug="attributes",
            label=gettext_lazy("Attributes"),
            build=nas_attributes.panels,
        ),
        Tab(
            slug="sessions",
            label=gettext_lazy("Sessions"),
            build="sessions",
            permission="network.view_session",
        ),
        Tab(
            slug="requests",
            label=gettext_lazy("Disconnects"),
            build="requests",
            permission="network.view_session",
        ),
    )
    actions = (
        Action(
            slug="change",
            label=gettext_lazy("Change"),
            permission="network.change_nas",
            form=ChangeNasForm,
            initial=values_of,
            icon="pencil",
            run=change,
        ),
        *nas_secrets.ACTIONS,
        Action(
            slug="renew-secret",
            label=gettext_lazy("New secret at once"),
            permission="network.change_nas",
            icon="key",
            tone="danger",
            confirm=gettext_lazy(
                "RADIUS stops understanding the NAS until you enter the new secret there."
            ),
            shown=lambda nas: not nas_secrets.is_changing(nas),
            run=renew_secret,
        ),
        *nas_attributes.ACTIONS,
        DISCONNECT_ALL,
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.nas_list(actor, permission)

    def subheading(self, row: Nas, page: Page) -> str:
        return str(row.address)

    def state(self, row: Nas, page: Page) -> State:
        return nas_state(row)

    def facts(self, row: Nas, page: Page) -> Sequence[Fact]:
        site_url = detail_url("sites", row.site_id) if row.site_id else ""
        return [
            Fact(_("Address"), row.address, "code"),
            Fact(_("Vendor"), row.vendor_label),  # type: ignore[attr-defined]
            Fact(_("Site"), row.site.name if row.site else "", url=site_url),
            Fact(_("CoA port"), row.coa_port),
        ]

    def overview(self, row: Nas, page: Page) -> Sequence[Panel]:
        return [
            FactsPanel(
                title=_("RADIUS"),
                facts=[
                    Fact(_("Message-Authenticator"), nas_signs(row), "state"),
                    Fact(_("Devices and lines without a password"), row.ipoe, "bool"),
                    Fact(_("Counters of 32 bits"), row.counts_32_bits, "bool"),
                    Fact(_("Pool of the walled garden"), row.walled_pool, "code"),
                    Fact(_("Page of the walled garden"), row.redirect_url),
                    sharing(row),
                    Fact(_("Rebooted"), row.rebooted_at, "datetime"),
                    Fact(_("Added"), row.created_at, "datetime"),
                    Fact(_("Changed"), row.updated_at, "datetime"),
                ],
            ),
            nas_health.panel(row),
            *nas_secrets.panels(row, page),
        ]

    def sessions(self, row: Nas, page: Page) -> Sequence[Panel]:
        live = selectors.live_sessions(page.actor).filter(nas=row, stopped_at=None)
        return [
            TablePanel(
                title=_("On line"),
                columns=SESSION_COLUMNS,
                rows=live.order_by("-started_at", "-pk")[:ROWS_MAX],
                empty=_("Nobody is connected through this NAS."),
                more_url=list_url("sessions", nas=row.pk),
            )
        ]

    def requests(self, row: Nas, page: Page) -> Sequence[Panel]:
        asked = selectors.coa_requests(page.actor).filter(nas=row)
        return [
            TablePanel(
                title=_("What it was asked, and answered"),
                columns=COA_COLUMNS,
                rows=asked.order_by("-pk")[:ROWS_MAX],
                empty=_("It was never asked to end or change a session."),
                more_url=list_url("coa-requests", nas=row.pk),
            )
        ]


@register_screen
class NewNas(FormScreen):
    slug = "nas/new"
    title = gettext_lazy("New NAS")
    permission = "network.create_nas"
    icon = "router"
    form = NewNasForm
    submit_label = gettext_lazy("Add NAS")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        given = data.pop("secret") or None
        nas = operations.create_nas(
            **data, secret=given, actor=page.actor, now=page.now
        )
        told = _("The NAS was added.")
        if given is None:
            return shown_once(nas, selectors.nas_secret(nas.pk), told, _ENTER_IT)
        return Done(told, detail_url("nas", nas.pk))
