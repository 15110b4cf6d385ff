"""Who can see this, and why; what can this person do; and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import selectors
from apps.identity.console.access_forms import permissions_by_app
from apps.identity.models import AccessDecision, AccessRule, Customer, User
from dotmac.core.actors import OUT_OF_REACH, STEP_UP, Actor
from dotmac.core.console import (
    Button,
    ChoiceFilter,
    Column,
    DateFilter,
    DetailScreen,
    Fact,
    FactsPanel,
    HubContribution,
    ListScreen,
    Page,
    PageScreen,
    Panel,
    State,
    Tab,
    TablePanel,
    TemplatePanel,
    TextFilter,
    TextPanel,
    detail_url,
    list_url,
    register_hub,
    register_screen,
    state_of,
)
from dotmac.core.money import Money
from dotmac.core.permissions import catalogue, is_grantable

_VIEW = "identity.view_access"
_HOW = {
    "role": gettext_lazy("role"),
    "unit_grant": gettext_lazy("granted on the unit"),
    "customer_grant": gettext_lazy("granted on this customer"),
    "membership": gettext_lazy("acts for the customer"),
}


def _by(path: Any) -> str:
    how = str(_HOW[path.how])
    return f"{how}: {path.through}" if path.through else how


def _who_columns() -> tuple[Column, ...]:
    return (
        Column(_("Who"), "name"),
        Column(_("Sign-in name"), "username", "code"),
        Column(_("By"), _by),
        Column(_("Where"), "where"),
    )


def rule_state(rule: AccessRule) -> State:
    tones = {
        "on": ("good", "circle-check"),
        "trial": ("busy", "test-pipe"),
        "draft": ("quiet", "pencil"),
        "off": ("quiet", "circle-off"),
    }
    tone, icon = tones[rule.state]
    return State(rule.get_state_display(), tone, icon)


def rules_panel(permissions: Sequence[str], page: Page) -> TablePanel:
    """The rules that may refuse it for the moment, for whom rules are shown."""
    return TablePanel(
        permission="identity.view_rule",
        title=_("Rules that may refuse it for the moment"),
        columns=(
            Column(_("Rule"), "name", to=_rule_url),
            Column(_("Effect"), "get_effect_display"),
            Column(_("Condition"), "expression", "long"),
            Column(_("State"), rule_state, "state"),
        ),
        rows=selectors.rules_about(permissions, page.actor),
        empty=_("No rule speaks of it."),
    )


def _rule_url(rule: AccessRule) -> str:
    return detail_url("access-rules", rule.pk)


def rights_panels(user: User, page: Page) -> list[Panel]:
    """What a person holds, each with its source, and the rules about it."""
    held = selectors.what_may(user, page.actor, _VIEW)
    part = "" if page.actor.scope(_VIEW).everything else _("Within your reach.")
    return [
        TablePanel(
            title=_("What this person can do"),
            note=part,
            columns=(
                Column(_("What"), "meaning"),
                Column(_("Permission"), "permission", "code", phone=False),
                Column(_("By"), _by),
                Column(_("Where"), "where"),
                Column(_("Reaches"), _reaches, "state"),
            ),
            rows=held,
            empty=_("Nothing."),
        ),
        rules_panel([one.permission for one in held], page),
    ]


def _reaches(held: selectors.Held) -> State:
    if held.idle:
        why = _("It is about the whole operator, and was given in a part of it.")
        return State(_("Nothing"), "warn", "alert-triangle", why=why)
    return State(_("Yes"), "good", "check")


@register_screen
class WhoCan(PageScreen):
    """Choose a permission and a customer; the address can be passed on."""

    slug = "access"
    title = gettext_lazy("Who can see this, and why")
    permission = _VIEW
    icon = "lock-access"
    menu = "system"
    menu_order = 72

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("What can this person do"),
                url=list_url("access-of"),
                icon="user-question",
            ),
        )

    def panels(self, page: Page) -> Sequence[Panel]:
        name = page.query.get("permission", "")[:100]
        text = page.query.get("customer", "").strip().upper()[:24].replace("\x00", "")
        form = TemplatePanel(
            name="identity/who_form.html",
            context={
                "groups": permissions_by_app(),
                "permission": name or "identity.view_customer",
                "customer": text,
            },
        )
        if not text or not is_grantable(name):
            return [form]
        visible = selectors.customers_visible_to(page.actor, _VIEW)
        customer = visible.filter(reference=text).first()
        if customer is None:
            missing = TablePanel(title=text, empty=_("There is no such customer."))
            return [form, missing]
        return [form, *who_panels(name, customer, page)]


def who_panels(permission: str, customer: Customer, page: Page) -> list[Panel]:
    """Everybody who may, with each path, and the rules that speak of it."""
    meaning = catalogue().get(permission, permission)
    return [
        TablePanel(
            title=f"{customer.name}: {meaning}",
            columns=_who_columns(),
            rows=selectors.who_may(permission, customer),
            empty=_("Nobody."),
        ),
        rules_panel([permission], page),
    ]


@register_screen
class WhatCan(PageScreen):
    """All that one person may do, staff or customer."""

    slug = "access-of"
    title = gettext_lazy("What can this person do")
    permission = _VIEW
    icon = "user-question"

    def panels(self, page: Page) -> Sequence[Panel]:
        text = page.query.get("user", "").strip().lower()[:150].replace("\x00", "")
        form = TemplatePanel(name="identity/what_form.html", context={"username": text})
        if not text:
            return [form]
        people = selectors.people_visible_to(page.actor, _VIEW)
        person = people.filter(username=text).first()
        if person is None:
            return [form, TablePanel(title=text, empty=_("There is nobody like that."))]
        return [form, *rights_panels(person, page)]


def _customer_tab(customer: Customer, page: Page) -> Sequence[Panel]:
    return who_panels("identity.view_customer", customer, page)


register_hub(
    HubContribution(
        app="identity.access",
        order=95,
        tabs=(
            Tab(
                slug="access",
                label=gettext_lazy("Who can see this"),
                build=_customer_tab,
                permission=_VIEW,
                order=95,
            ),
        ),
    )
)


# Decisions -------------------------------------------------------------------


def _verdict(decision: AccessDecision) -> State:
    if decision.granted:
        return State(_("Let through"), "good", "circle-check")
    return state_of("refused", why=_reason(decision))


def _reason(decision: AccessDecision) -> str:
    if decision.granted:
        return ""
    if decision.rule == STEP_UP:
        return _("The second factor was shown too long ago.")
    if decision.rule == OUT_OF_REACH:
        return _("There was nothing like that within reach.")
    if decision.rule:
        return _("The rule %s refused it.") % decision.rule
    return _("The permission was not held.")


@register_screen
class DecisionList(ListScreen):
    slug = "decisions"
    title = gettext_lazy("Access decisions")
    permission = "identity.view_rule"
    intro = gettext_lazy(
        "What was let through and refused in the past eight days. Looking at things"
        " is written down once an hour for each place; opening a form is no act."
    )
    empty = gettext_lazy("Nothing was decided yet.")
    columns = (
        Column(gettext_lazy("When"), "at", "datetime", to="decisions"),
        Column(gettext_lazy("Who"), "actor_label", "code"),
        Column(gettext_lazy("Permission"), "permission", "code"),
        Column(gettext_lazy("Verdict"), _verdict, "state"),
        Column(gettext_lazy("Because of"), _reason, phone=False),
        Column(gettext_lazy("Address"),
               lambda row: row.facts.get("request.address", ""), "code", phone=False),
    )  # fmt: skip
    filters = (
        ChoiceFilter(
            name="granted",
            label=gettext_lazy("Verdict"),
            choices=(
                ("true", gettext_lazy("Let through")),
                ("false", gettext_lazy("Refused")),
            ),
            apply=lambda rows, value: rows.filter(granted=value == "true"),
        ),
        TextFilter(name="permission", label=gettext_lazy("Permission")),
        TextFilter(name="who", label=gettext_lazy("Sign-in name"), field="actor_label"),
        DateFilter(name="from", label=gettext_lazy("From"), field="at__date__gte"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessDecision]:
        return selectors.decisions_visible_to(actor, permission)


@register_screen
class DecisionDetail(DetailScreen):
    slug = "decisions"
    title = gettext_lazy("Decision")
    permission = "identity.view_rule"
    tabs = (Tab(slug="why", label=gettext_lazy("Why"), build="explained"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessDecision]:
        return selectors.decisions_visible_to(actor, permission)

    def heading(self, row: AccessDecision) -> str:
        return f"{row.actor_label}: {row.permission}"

    def state(self, row: AccessDecision, page: Page) -> State:
        return _verdict(row)

    def explained(self, row: AccessDecision, page: Page) -> Sequence[Panel]:
        amount = Money(row.amount_minor or 0, row.currency) if row.currency else None
        facts = [Fact(name, _plain(value)) for name, value in sorted(row.facts.items())]
        panels: list[Panel] = [
            FactsPanel(
                title=_("The act"),
                facts=[
                    Fact(_("When"), row.at, "datetime"),
                    Fact(_("What"), catalogue().get(row.permission, row.permission)),
                    Fact(_("Amount"), amount, "money"),
                    Fact(_("Because"), _reason(row)),
                    Fact(_("Rules on trial against it"), ", ".join(row.would_refuse)),
                    Fact(_("Rules that erred"), ", ".join(row.erred)),
                    Fact(_("Request"), row.request_id, "code"),
                ],
                wide=False,
            ),
            FactsPanel(title=_("What the rules saw"), facts=facts, wide=False),
        ]
        rule = selectors.rules_visible_to(page.actor, self.permission)
        named = rule.filter(slug=row.rule).first() if row.rule else None
        if named is not None:
            panels.append(
                TextPanel(
                    title=_("The rule %s as it stands today") % named.name,
                    text=named.expression,
                )
            )
        return panels


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
