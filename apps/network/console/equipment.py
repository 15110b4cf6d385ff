"""Sites and pools: lists, and a form for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console.choices import named_choices
from apps.network.console.disconnecting import DISCONNECT_ALL
from apps.network.console.sessions import SESSION_COLUMNS
from apps.network.console.states import count_words
from apps.network.enums import PoolMode, PoolUse
from apps.network.models import AddressPool, Site
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
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
    Tab,
    TablePanel,
    Tile,
    detail_url,
    list_url,
    register_screen,
)

ROWS_MAX = 50


def new_button(label: Any, slug: str, permission: str) -> Button:
    return Button(
        label=label, url=f"{slug}/new", icon="plus", tone="primary",
        permission=permission,
    )  # fmt: skip


class SiteForm(ConsoleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    city = forms.CharField(label=gettext_lazy("City"), max_length=100, required=False)
    latitude = forms.DecimalField(
        label=gettext_lazy("Latitude"), max_digits=9, decimal_places=6, required=False
    )
    longitude = forms.DecimalField(
        label=gettext_lazy("Longitude"), max_digits=9, decimal_places=6, required=False
    )


@register_screen
class SiteList(ListScreen):
    slug = "sites"
    title = gettext_lazy("Sites")
    permission = "network.view_site"
    icon = "building-broadcast-tower"
    menu = "network"
    menu_order = 70
    empty = gettext_lazy("No site yet. A site is a place where equipment stands.")
    columns = (
        Column(gettext_lazy("Site"), "name"),
        Column(gettext_lazy("City"), "city"),
        Column(gettext_lazy("Latitude"), "latitude", phone=False),
        Column(gettext_lazy("Longitude"), "longitude", phone=False),
    )
    buttons = (new_button(gettext_lazy("New site"), slug, "network.create_site"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.sites(actor, permission)


@register_screen
class SiteDetail(DetailScreen):
    slug = "sites"
    title = gettext_lazy("Site")
    permission = "network.view_site"
    icon = "building-broadcast-tower"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)
    actions = (DISCONNECT_ALL,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.sites(actor, permission)

    def subheading(self, row: Site, page: Page) -> str:
        return row.city

    def overview(self, row: Site, page: Page) -> Sequence[Panel]:
        place = ""
        if row.latitude is not None:
            place = f"{row.latitude}, {row.longitude}"
        nas = selectors.nas_list(page.actor).filter(site=row).order_by("name", "pk")
        return [
            FactsPanel(
                title=_("Place"),
                facts=[
                    Fact(_("City"), row.city),
                    Fact(_("Coordinates"), place, "code"),
                ],
            ),
            TablePanel(
                title=_("NAS here"),
                columns=(
                    Column(_("NAS"), "name", to="nas"),
                    Column(_("Address"), "address", "code"),
                ),
                rows=nas[:ROWS_MAX],
                empty=_("None."),
            ),
            TablePanel(
                title=_("On line here"),
                permission="network.view_session",
                columns=SESSION_COLUMNS,
                rows=selectors.live_sessions(page.actor)
                .filter(nas__site=row, stopped_at=None)
                .order_by("-started_at", "-pk")[:ROWS_MAX],
                empty=_("Nobody is connected through this site."),
                more_url=list_url("sessions", site=row.pk),
            ),
        ]


@register_screen
class NewSite(FormScreen):
    slug = "sites/new"
    title = gettext_lazy("New site")
    permission = "network.create_site"
    form = SiteForm

    def run(self, data: dict[str, Any], page: Page) -> Done:
        site = operations.create_site(**data, actor=page.actor, now=page.now)
        return Done(_("The site was added."), detail_url("sites", site.pk))


class PoolForm(ConsoleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=64)
    mode = forms.ChoiceField(
        label=gettext_lazy("Who gives out addresses"), choices=PoolMode.choices
    )
    framed_pool = forms.CharField(
        label=gettext_lazy("Pool on the NAS"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Its name there, where the NAS gives out addresses."),
    )
    quarantine_s = forms.IntegerField(
        label=gettext_lazy("Rest after release, seconds"), initial=3600, min_value=0
    )
    delegated_length = forms.IntegerField(
        label=gettext_lazy("Length of delegated prefixes"),
        required=False,
        min_value=1,
        max_value=128,
        help_text=gettext_lazy("For example 56. Empty: single addresses."),
    )
    use = forms.ChoiceField(
        label=gettext_lazy("What the subscriber gets"),
        required=False,
        choices=[
            ("", gettext_lazy("An address, or with a length a delegated prefix")),
            *PoolUse.choices,
        ],
    )
    with_v6_id = forms.TypedChoiceField(
        label=gettext_lazy("Pool of IPv6 that goes with it"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy("Who takes of this pool takes of that one as well."),
    )

    def arrange(self) -> None:
        pools = selectors.address_pools(self.page.actor).exclude(use=PoolUse.ROUTED)
        self.fields["with_v6_id"].choices = named_choices(pools, empty=True)  # type: ignore[attr-defined]


@register_screen
class PoolList(ListScreen):
    slug = "pools"
    title = gettext_lazy("Address pools")
    permission = "network.view_pool"
    icon = "stack-2"
    menu = "network"
    menu_order = 40
    empty = gettext_lazy("No pool yet. Add one, then a prefix that feeds it.")
    columns = (
        Column(gettext_lazy("Pool"), "name"),
        Column(gettext_lazy("Mode"), lambda pool: pool.get_mode_display()),
        Column(gettext_lazy("VRF"), "vrf.name", phone=False),
        Column(gettext_lazy("Free"), "free", align="right"),
        Column(gettext_lazy("Rest"), "quarantine_s", "duration", phone=False),
    )
    buttons = (new_button(gettext_lazy("New pool"), slug, "network.create_pool"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.address_pools(actor, permission)

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        free = selectors.free_address_counts([row.pk for row in rows], at=page.now)
        for row in rows:
            dotmac = row.mode == PoolMode.DOTMAC
            row.free = count_words(free[row.pk]) if dotmac else ""
        return rows


@register_screen
class PoolDetail(DetailScreen):
    slug = "pools"
    title = gettext_lazy("Address pool")
    permission = "network.view_pool"
    icon = "stack-2"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.address_pools(actor, permission)

    def subheading(self, row: AddressPool, page: Page) -> str:
        return row.get_mode_display()

    def tiles(self, row: AddressPool, page: Page) -> Sequence[Tile]:
        if row.mode != PoolMode.DOTMAC:
            return ()
        free = selectors.free_address_count(row.pk, at=page.now)
        tone = "" if free else "bad"
        return [Tile(label=_("Free now"), value=count_words(free), tone=tone)]

    def facts(self, row: AddressPool, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("VRF"), row.vrf.name),
            Fact(_("Pool on the NAS"), row.framed_pool, "code"),
            Fact(_("Rest after release"), row.quarantine_s, "duration"),
            Fact(_("Gives"), row.get_use_display()),
            Fact(_("Delegated length"), row.delegated_length),
            Fact(
                _("Goes with"),
                row.with_v6.name if row.with_v6 else "",
                url=detail_url("pools", row.with_v6_id) if row.with_v6_id else "",
            ),
        ]

    def overview(self, row: AddressPool, page: Page) -> Sequence[Panel]:
        mine = selectors.prefixes(page.actor).filter(pool=row).order_by("cidr")
        rows = list(mine[:ROWS_MAX])
        usage = selectors.prefix_usages([prefix.pk for prefix in rows], at=page.now)
        return [
            TablePanel(
                title=_("Prefixes"),
                columns=(
                    Column(_("Prefix"), "cidr", to="prefixes"),
                    Column(_("Held"), lambda p: usage[p.pk].held, "number"),
                    Column(
                        _("Possible"),
                        lambda p: count_words(usage[p.pk].capacity),
                        align="right",
                    ),
                    Column(_("Used"), lambda p: usage[p.pk].percent, "progress"),
                ),
                rows=rows,
                empty=_("No prefix feeds it yet."),
                buttons=[
                    Button(
                        label=_("Add a prefix"),
                        url=list_url("prefixes/new", pool_id=row.pk),
                        permission="network.create_prefix",
                    )
                ],
            )
        ]


@register_screen
class NewPool(FormScreen):
    slug = "pools/new"
    title = gettext_lazy("New address pool")
    permission = "network.create_pool"
    form = PoolForm

    def run(self, data: dict[str, Any], page: Page) -> Done:
        pool = operations.create_pool(**data, actor=page.actor, now=page.now)
        return Done(_("The pool was added."), detail_url("pools", pool.pk))
