"""Address space as a tree with its utilisation; who holds and who held what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.network import operations, selectors
from apps.network.console.choices import CHOICES_MAX, named_choices
from apps.network.console.states import count_words
from apps.network.enums import PrefixKind
from apps.network.models import AddressAssignment, AddressPool, Prefix, Site, Vrf
from apps.network.rules.addressing import parsed_address
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    ChoiceFilter,
    Column,
    ConsoleForm,
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
    Tile,
    detail_url,
    list_url,
    register_screen,
    state_of,
)

ROWS_MAX = 100
INDENT = "\u2003"


def pool_choices() -> list[tuple[str, str]]:
    return named_choices(AddressPool.objects.all(), empty=True)


def vrf_choices() -> list[tuple[str, str]]:
    rows = Vrf.objects.order_by("pk").values_list("pk", "name")[:CHOICES_MAX]
    return [(str(pk), name) for pk, name in rows]


def decorated(rows: list[Prefix], page: Page) -> list[Any]:
    """The rows with their utilisation and their depth in the tree."""
    ids = [row.pk for row in rows]
    usages = selectors.prefix_usages(ids, at=page.now)
    depths = selectors.prefix_depths(ids)
    shown: list[Any] = list(rows)
    for row in shown:
        row.usage, row.depth = usages[row.pk], depths[row.pk]
    return shown


def held_words(row: Any) -> str:
    held = row.usage.held
    if row.kind == PrefixKind.CONTAINER:
        return ngettext("%(n)s network", "%(n)s networks", held) % {"n": held}
    return f"{held:,} / {count_words(row.usage.capacity)}"


PREFIX_COLUMNS = (
    Column(
        gettext_lazy("Prefix"), lambda row: INDENT * row.depth + str(row.cidr),
        to="prefixes",
    ),
    Column(gettext_lazy("Kind"), lambda row: row.get_kind_display()),
    Column(gettext_lazy("Used"), lambda row: row.usage.percent, "progress"),
    Column(gettext_lazy("Held"), held_words, align="right"),
    Column(gettext_lazy("Pool"), "pool.name", to="pools", to_id="pool_id"),
    Column(gettext_lazy("VRF"), "vrf.name", phone=False),
    Column(gettext_lazy("Description"), "description", phone=False),
)  # fmt: skip


def assignment_state(row: AddressAssignment, page_now: Any) -> State:
    if row.released_at is None:
        return state_of("assigned")
    if row.reusable and row.quarantined_until and row.quarantined_until > page_now:
        return state_of("quarantined")
    return state_of("released")


class PrefixForm(ConsoleForm):
    cidr = forms.CharField(
        label=gettext_lazy("Prefix"),
        max_length=43,
        help_text=gettext_lazy("192.0.2.0/24 or 2001:db8::/40"),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=PrefixKind.choices,
        initial=PrefixKind.NETWORK,
        help_text=gettext_lazy("Networks give out addresses, containers group them."),
    )
    vrf_id = forms.TypedChoiceField(label=gettext_lazy("VRF"), coerce=int)
    pool_id = forms.TypedChoiceField(
        label=gettext_lazy("Pool that it feeds"),
        required=False,
        coerce=int,
        empty_value=None,
    )
    site_id = forms.TypedChoiceField(
        label=gettext_lazy("Site"), required=False, coerce=int, empty_value=None
    )
    gateway = forms.CharField(
        label=gettext_lazy("Gateway"),
        max_length=39,
        required=False,
        help_text=gettext_lazy("Kept free. Empty: the first host."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=200, required=False
    )

    def arrange(self) -> None:
        fields: dict[str, Any] = self.fields
        fields["vrf_id"].choices = vrf_choices()
        fields["pool_id"].choices = pool_choices()
        fields["site_id"].choices = named_choices(Site.objects.all(), empty=True)

    def add_error(self, field: str | None, error: Any) -> None:
        """Operations name records by their field of the API: pool, not pool_id."""
        known = field if field in self.fields else f"{field}_id"
        super().add_error(known if field and known in self.fields else field, error)


@register_screen
class PrefixList(ListScreen):
    slug = "prefixes"
    title = gettext_lazy("Prefixes")
    permission = "network.view_prefix"
    icon = "sitemap"
    menu = "network"
    menu_order = 30
    ordering = ("vrf_id", "cidr", "pk")
    search_hint = gettext_lazy("An address inside")
    empty = gettext_lazy("No address space yet. Add a prefix that feeds a pool.")
    columns = PREFIX_COLUMNS
    filters = (
        ChoiceFilter(name="kind", label=gettext_lazy("Kind"), choices=PrefixKind.choices),
        ChoiceFilter(name="vrf", label=gettext_lazy("VRF"), field="vrf_id",
                     choices=vrf_choices),
        ChoiceFilter(name="pool", label=gettext_lazy("Pool"), field="pool_id",
                     choices=lambda: pool_choices()[1:]),
    )  # fmt: skip
    buttons = (
        Button(
            label=gettext_lazy("New prefix"),
            url="prefixes/new",
            icon="plus",
            tone="primary",
            permission="network.create_prefix",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.prefixes(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        try:
            inside = str(parsed_address(text))
        except MalformedText:
            return rows.none()
        return rows.filter(cidr__net_contains_or_equals=inside)

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        return decorated(rows, page)


@register_screen
class PrefixDetail(DetailScreen):
    slug = "prefixes"
    title = gettext_lazy("Prefix")
    permission = "network.view_prefix"
    icon = "sitemap"
    tabs = (
        Tab(slug="addresses", label=gettext_lazy("Addresses"), build="addresses"),
        Tab(slug="inside", label=gettext_lazy("Prefixes inside"), build="inside"),
        Tab(slug="history", label=gettext_lazy("Past holders"), build="history"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.prefixes(actor, permission)

    def subheading(self, row: Prefix, page: Page) -> str:
        return row.description

    def tiles(self, row: Prefix, page: Page) -> Sequence[Tile]:
        usage = selectors.prefix_usages([row.pk], at=page.now)[row.pk]
        return [
            Tile(label=_("Used"), value=usage.percent, kind="progress"),
            Tile(label=_("Held"), value=usage.held, kind="number"),
            Tile(
                label=_("Resting"),
                value=usage.resting,
                kind="number",
                why=_("Released a short while ago; the pool says how long."),
            ),
            Tile(label=_("Possible"), value=count_words(usage.capacity)),
        ]

    def facts(self, row: Prefix, page: Page) -> Sequence[Fact]:
        pool_url = detail_url("pools", row.pool_id) if row.pool_id else ""
        site_url = detail_url("sites", row.site_id) if row.site_id else ""
        return [
            Fact(_("Kind"), row.get_kind_display()),
            Fact(_("VRF"), row.vrf.name),
            Fact(_("Gateway"), row.gateway, "code"),
            Fact(_("Pool"), row.pool.name if row.pool else "", url=pool_url),
            Fact(_("Site"), row.site.name if row.site else "", url=site_url),
        ]

    def addresses(self, row: Prefix, page: Page) -> Sequence[Panel]:
        held = selectors.assignments(page.actor).filter(prefix=row, released_at=None)
        rows = list(held.order_by("address")[: ROWS_MAX + 1])
        more = _("The first %(n)s; search for an address to find the others.")
        return [
            TablePanel(
                title=_("Held now"),
                columns=(
                    Column(_("Address"), "address_text", "code"),
                    Column(_("Account"), "account.login", to="accounts",
                           to_id="account_id"),
                    Column(_("Since"), "assigned_at", "datetime"),
                ),
                rows=rows[:ROWS_MAX],
                empty=_("Nobody holds an address here."),
                note=more % {"n": ROWS_MAX} if len(rows) > ROWS_MAX else "",
            )
        ]  # fmt: skip

    def inside(self, row: Prefix, page: Page) -> Sequence[Panel]:
        near = selectors.prefixes(page.actor).filter(
            vrf=row.vrf, cidr__net_contained_or_equal=str(row.cidr)
        )
        rows = list(near.exclude(pk=row.pk).order_by("cidr", "pk")[:ROWS_MAX])
        return [
            TablePanel(
                title=_("Prefixes inside"),
                columns=PREFIX_COLUMNS,
                rows=decorated(rows, page),
                empty=_("None."),
            )
        ]

    def history(self, row: Prefix, page: Page) -> Sequence[Panel]:
        past = selectors.assignments(page.actor).filter(
            prefix=row, released_at__isnull=False
        )
        return [
            TablePanel(
                title=_("Past holders"),
                columns=(
                    Column(_("Address"), "address_text", "code"),
                    Column(_("Account"), "account.login", to="accounts",
                           to_id="account_id"),
                    Column(_("State"), lambda a: assignment_state(a, page.now), "state"),
                    Column(_("From"), "assigned_at", "datetime"),
                    Column(_("To"), "released_at", "datetime"),
                ),
                rows=past.order_by("-released_at", "-pk")[:ROWS_MAX],
                empty=_("Nobody before."),
            )
        ]  # fmt: skip

    def links(self, row: Prefix, page: Page) -> Sequence[Button]:
        if row.pool_id is None:
            return ()
        url = list_url("prefixes", pool=row.pool_id)
        return [Button(label=_("Prefixes of this pool"), url=url, icon="stack-2")]


@register_screen
class NewPrefix(FormScreen):
    slug = "prefixes/new"
    title = gettext_lazy("New prefix")
    permission = "network.create_prefix"
    icon = "sitemap"
    form = PrefixForm
    submit_label = gettext_lazy("Add prefix")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        data["gateway"] = data["gateway"] or None
        prefix = operations.create_prefix(**data, actor=page.actor, now=page.now)
        return Done(_("The prefix was added."), detail_url("prefixes", prefix.pk))
