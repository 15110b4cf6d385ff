"""Plans, what they cost when, and who has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import operations, selectors
from apps.catalog.console.forms import NewPlanForm, PriceForm
from apps.catalog.console.states import price_text
from apps.catalog.enums import PlanBilling, PlanState
from apps.catalog.models import Plan, PlanPrice
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
    Tile,
    detail_url,
    list_url,
    register_screen,
    state_of,
)
from dotmac.core.console.render import rate_text


def _speed(plan: Plan) -> str:
    profile = plan.profile
    return (
        f"{rate_text(profile.down_kbps * 1000)} / {rate_text(profile.up_kbps * 1000)}"
    )


@register_screen
class PlanList(ListScreen):
    slug = "plans"
    title = gettext_lazy("Plans")
    permission = "catalog.view_plan"
    icon = "packages"
    menu = "customers"
    menu_order = 40
    empty = gettext_lazy("No plan yet. Create one, then say what it costs.")
    columns = (
        Column(gettext_lazy("Plan"), "name"),
        Column(gettext_lazy("Short name"), "slug", "code", phone=False),
        Column(gettext_lazy("Speed down / up"), _speed),
        Column(gettext_lazy("A month"), "price"),
        Column(gettext_lazy("Services"), "service_count", "number"),
        Column(gettext_lazy("Billing"), "get_billing_display", phone=False),
        Column(gettext_lazy("State"), "state", "state"),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=PlanState.choices
        ),
        ChoiceFilter(
            name="billing", label=gettext_lazy("Billing"), choices=PlanBilling.choices
        ),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("New plan"),
                url=list_url("plans/new"),
                icon="plus",
                tone="primary",
                permission="catalog.manage_plan",
            ),
        )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Plan]:
        return selectors.plans()

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        ids = [row.pk for row in rows]
        prices = selectors.current_prices(ids, page.today)
        counts = selectors.service_counts(ids, page.actor)
        for row in rows:
            row.price = ", ".join(map(price_text, prices.get(row.pk, ())))
            row.service_count = counts.get(row.pk, 0)
        return rows


@register_screen
class NewPlan(FormScreen):
    slug = "plans/new"
    title = gettext_lazy("New plan")
    permission = "catalog.manage_plan"
    form = NewPlanForm
    submit_label = gettext_lazy("Create")
    intro = gettext_lazy("It can be ordered once it has a price.")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        plan = operations.create_plan(**data, actor=page.actor, now=page.now)
        return Done(
            _("%s is created. Say what it costs.") % plan.name,
            detail_url("plans", plan.pk),
        )


def _set_price(plan: Plan, data: dict[str, Any], page: Page) -> str:
    price = operations.set_price(
        plan_id=plan.pk,
        currency=data["currency"].upper(),
        amount=data["amount"],
        valid_from=data["valid_from"],
        actor=page.actor,
        now=page.now,
    )
    return _("%(price)s from %(day)s.") % {
        "price": price_text(price),
        "day": price.valid_from,
    }


def _retire(plan: Plan, data: dict[str, Any], page: Page) -> str:
    operations.retire_plan(plan_id=plan.pk, actor=page.actor, now=page.now)
    return _("The plan is sold no more. Services that have it keep it.")


@register_screen
class PlanDetail(DetailScreen):
    slug = "plans"
    title = gettext_lazy("Plan")
    permission = "catalog.view_plan"
    icon = "packages"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)
    actions = (
        Action(
            slug="price",
            label=gettext_lazy("Set a price"),
            permission="catalog.manage_plan",
            form=PriceForm,
            icon="tag",
            tone="primary",
            initial=lambda _plan, page: {
                "currency": settings.OPERATOR_CURRENCY,
                "valid_from": page.today,
            },
            run=_set_price,
        ),
        Action(
            slug="retire",
            label=gettext_lazy("Retire"),
            permission="catalog.manage_plan",
            confirm=gettext_lazy("Nobody can order it any more."),
            icon="archive",
            tone="danger",
            shown=lambda plan: plan.state == PlanState.ACTIVE,
            run=_retire,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Plan]:
        return selectors.plans()

    def subheading(self, row: Plan, page: Page) -> str:
        return row.description

    def state(self, row: Plan, page: Page) -> State:
        return state_of(row.state)

    def tiles(self, row: Plan, page: Page) -> Sequence[Tile]:
        prices = selectors.current_prices([row.pk], page.today).get(row.pk, [])
        return [
            Tile(label=_("Speed down / up"), value=_speed(row), why=row.profile.name),
            Tile(
                label=_("A month"),
                value=", ".join(map(price_text, prices)) or _("No price today"),
                tone="" if prices else "warn",
            ),
            Tile(
                label=_("Services"),
                value=selectors.service_counts([row.pk], page.actor).get(row.pk, 0),
                kind="number",
                url=list_url("services", plan=row.pk),
                why=_("Not terminated."),
            ),
        ]

    def overview(self, row: Plan, page: Page) -> Sequence[Panel]:
        return [
            TablePanel(
                title=_("Prices"),
                columns=(
                    Column(_("A month"), price_text),
                    Column(_("From"), "valid_from", "date"),
                    Column(_("Until"), "valid_to", "date"),
                    Column(_("State"), lambda price: _standing(price, page), "state"),
                ),
                rows=selectors.prices_of(row.pk),
                empty=_("No price yet: the plan cannot be ordered."),
                note=_("A price is superseded by a later one, never edited."),
            ),
            FactsPanel(
                title=_("Plan"),
                facts=[
                    Fact(_("Short name"), row.slug, "code"),
                    Fact(_("Billing"), row.get_billing_display()),
                    Fact(_("Tax class"), row.tax_class, "code"),
                    Fact(_("Addresses from"), row.pool or _("The NAS")),
                    Fact(_("Speed"), row.profile.name),
                ],
            ),
        ]


def _standing(price: PlanPrice, page: Page) -> State:
    if price.valid_from > page.today:
        return State(_("To come"), "busy", "clock")
    if price.valid_to is not None and price.valid_to <= page.today:
        return State(_("Over"), "quiet", "archive")
    return State(_("Today"), "good", "circle-check")
