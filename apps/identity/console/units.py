"""Organisation units: the operator, its branches and its resellers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.access_forms import UnitForm, UnitZoneForm
from apps.identity.enums import UnitKind
from apps.identity.models import OrganisationUnit
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    ChoiceFilter,
    Column,
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

_VIEW, _CREATE = "identity.view_unit", "identity.create_unit"
_CHANGE = "identity.change_unit"
_STAFF = "identity.view_staff"
BELOW_MAX = 200


@register_screen
class UnitList(ListScreen):
    slug = "units"
    title = gettext_lazy("Organisation")
    permission = _VIEW
    icon = "hierarchy"
    menu = "system"
    menu_order = 70
    intro = gettext_lazy(
        "Customers belong to a unit; a role that is held in a unit reaches it and all"
        " units below it."
    )
    ordering = ("pk",)
    columns = (
        Column(gettext_lazy("Name"), "name", to="units"),
        Column(gettext_lazy("Kind"), "get_kind_display"),
        Column(gettext_lazy("Below"), "parent.name"),
    )
    filters = (
        ChoiceFilter(name="kind", label=gettext_lazy("Kind"), choices=UnitKind.choices),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("New unit"),
                url=list_url("units/new"),
                icon="plus",
                tone="primary",
                permission=_CREATE,
            ),
        )

    def rows(self, actor: Actor, permission: str) -> QuerySet[OrganisationUnit]:
        rows = selectors.units_visible_to(actor, permission)
        return rows.select_related("parent")


@register_screen
class NewUnit(FormScreen):
    slug = "units/new"
    title = gettext_lazy("New unit")
    permission = _CREATE
    form = UnitForm
    intro = gettext_lazy(
        "A unit never moves afterwards: its place decides what its people may see."
    )
    submit_label = gettext_lazy("Make the unit")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        unit = operations.create_unit(**data, actor=page.actor, now=page.now)
        said = _("%s is there. Give somebody a role in it.") % unit.name
        return Done(said, detail_url("units", unit.pk))


def _zone_in_force(unit: OrganisationUnit) -> State:
    """The clock, and which unit or setting it comes from."""
    found = selectors.zones_of_units([unit.pk])[unit.pk]
    if found.source_id is None:
        why = _("The setting OPERATOR_TIME_ZONE says so.")
    elif found.source_id == unit.pk:
        why = _("Its own.")
    else:
        why = _("That of %s, above.") % found.source
    return State(found.zone.key, "quiet", "clock", why=why)


def _change_zone(unit: OrganisationUnit, data: dict[str, Any], page: Page) -> str:
    operations.change_unit(unit_id=unit.pk, **data, actor=page.actor, now=page.now)
    zone = selectors.zones_of_units([unit.pk])[unit.pk].zone
    return _("Its clock is %s. Usage is cut by it from now on.") % zone.key


@register_screen
class UnitDetail(DetailScreen):
    slug = "units"
    title = gettext_lazy("Unit")
    permission = _VIEW
    tabs = (
        Tab(slug="unit", label=gettext_lazy("Unit"), build="overview", order=1),
        Tab(
            slug="people",
            label=gettext_lazy("Who works here"),
            build="people",
            permission=_STAFF,
            order=2,
        ),
    )

    actions = (
        Action(
            slug="zone",
            label=gettext_lazy("Set the time zone"),
            submit=gettext_lazy("Save"),
            permission=_CHANGE,
            icon="clock",
            form=UnitZoneForm,
            initial=lambda unit, _page: {"time_zone": unit.time_zone},
            run=_change_zone,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[OrganisationUnit]:
        rows = selectors.units_visible_to(actor, permission)
        return rows.select_related("parent")

    def heading(self, row: OrganisationUnit) -> str:
        return row.name

    def links(self, row: OrganisationUnit, page: Page) -> Sequence[Button]:
        new = f"{list_url('units/new')}?parent_id={row.pk}"
        return (
            Button(label=_("New unit below"), url=new, icon="plus", permission=_CREATE),
        )

    def overview(self, row: OrganisationUnit, page: Page) -> Sequence[Panel]:
        below = selectors.units_visible_to(page.actor, _VIEW).filter(parent=row)
        return [
            FactsPanel(
                title=_("Unit"),
                facts=[
                    Fact(_("Kind"), row.get_kind_display()),
                    Fact(_("Below"), row.parent.name if row.parent else ""),
                    Fact(_("Time zone"), _zone_in_force(row), "state"),
                    Fact(_("Made"), row.created_at, "datetime"),
                ],
            ),
            TablePanel(
                title=_("Directly below"),
                columns=(
                    Column(_("Name"), "name", to="units"),
                    Column(_("Kind"), "get_kind_display"),
                ),
                rows=below[:BELOW_MAX],
                empty=_("No unit."),
            ),
        ]

    def people(self, row: OrganisationUnit, page: Page) -> Sequence[Panel]:
        staff = selectors.staff_visible_to(page.actor, _STAFF)
        return [
            TablePanel(
                title=_("Roles that are held here"),
                columns=(
                    Column(_("Who"), "user.name"),
                    Column(_("Sign-in name"), "user.username", "code"),
                    Column(_("Role"), "role.name"),
                ),
                rows=selectors.assignments_in(row.pk, among=staff),
                empty=_("Nobody; those of the units above reach it too."),
            )
        ]
