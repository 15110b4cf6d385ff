"""Rules: written, tried against the past week, switched on by four eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.access_forms import RuleForm
from apps.identity.console.explaining import rule_state
from apps.identity.console.rule_actions import ACTIONS, asked_panels
from apps.identity.enums import RuleState, RuleStep
from apps.identity.models import AccessRule, AccessRuleStep
from apps.identity.rules.policy import FACTS
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    ChoiceFilter,
    Column,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    HomeContribution,
    HomeNeed,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    TextPanel,
    detail_url,
    list_url,
    register_home,
    register_screen,
)

_VIEW, _MANAGE = "identity.view_rule", "identity.manage_rules"
_APPROVE = "identity.approve_rule"
WAITING_MAX = 100


_NAMES = format_lazy(
    "{says} {names}.",
    says=gettext_lazy("A condition may name"),
    names=", ".join(FACTS),
)


@register_screen
class RuleList(ListScreen):
    slug = "access-rules"
    title = gettext_lazy("Rules")
    permission = _VIEW
    icon = "shield-check"
    menu = "system"
    menu_order = 73
    intro = gettext_lazy(
        "A rule takes permissions away for the moment: by place, hour, second factor"
        " or amount. It never widens what anybody may see."
    )
    empty = gettext_lazy("No rule yet: roles alone decide.")
    columns = (
        Column(gettext_lazy("Rule"), "name", to="access-rules"),
        Column(gettext_lazy("Effect"), "get_effect_display", phone=False),
        Column(gettext_lazy("Speaks of"), lambda row: ", ".join(row.permissions)),
        Column(gettext_lazy("State"), rule_state, "state"),
        Column(gettext_lazy("Changed by"), "changed_by", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=RuleState.choices
        ),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(label=_("Decisions"), url=list_url("decisions"), icon="list-check"),
            Button(
                label=_("New rule"),
                url=list_url("access-rules/new"),
                icon="plus",
                tone="primary",
                permission=_MANAGE,
            ),
        )

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessRule]:
        return selectors.rules_visible_to(actor, permission)


@register_screen
class NewRule(FormScreen):
    slug = "access-rules/new"
    title = gettext_lazy("New rule")
    permission = _MANAGE
    form = RuleForm
    intro = _NAMES
    submit_label = gettext_lazy("Save as a draft")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        rule = operations.create_rule(**data, actor=page.actor, now=page.now)
        said = _("The draft is saved; it refuses nobody yet. Try it.")
        return Done(said, detail_url("access-rules", rule.pk, tab="try"))


def _step_state(step: AccessRuleStep) -> State:
    tones = {"asked": "busy", "approved": "good", "declined": "quiet"}
    why = _("Nobody else could approve.") if step.alone else ""
    return State(step.get_outcome_display(), tones[step.outcome], "users", why=why)


@register_screen
class RuleDetail(DetailScreen):
    slug = "access-rules"
    title = gettext_lazy("Rule")
    permission = _VIEW
    actions = ACTIONS
    tabs = (
        Tab(slug="rule", label=gettext_lazy("Rule"), build="text", order=1),
        Tab(slug="try", label=gettext_lazy("Try it"), build="trial", order=2),
        Tab(slug="steps", label=gettext_lazy("Approvals"), build="steps", order=3),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessRule]:
        return selectors.rules_visible_to(actor, permission)

    def heading(self, row: AccessRule) -> str:
        return row.name

    def subheading(self, row: AccessRule, page: Page) -> str:
        waiting = selectors.waiting_step(row.pk)
        if waiting is None:
            return row.why
        asked = _("Waits for approval: %s") % waiting.get_step_display()
        return f"{row.why} · {asked}"

    def state(self, row: AccessRule, page: Page) -> State:
        return rule_state(row)

    def text(self, row: AccessRule, page: Page) -> Sequence[Panel]:
        return [
            TextPanel(title=row.get_effect_display(), text=row.expression),
            FactsPanel(
                title=_("What it is about"),
                facts=[
                    Fact(_("Speaks of"), ", ".join(row.permissions)),
                    Fact(_("The refused person reads"), row.why),
                    Fact(_("Changed by"), row.changed_by),
                    Fact(_("Changed"), row.updated_at, "datetime"),
                ],
                wide=False,
            ),
            FactsPanel(
                title=_("Facts that a condition may name"),
                facts=[Fact(name, _kind(kind)) for name, kind in FACTS.items()],
                wide=False,
                note=_(
                    "Also in_network(request.address, '192.0.2.0/24'), size, contains,"
                    " startsWith, endsWith, all and exists. Hours are the operator's;"
                    " Monday is 1. Somebody without a second factor has an age of"
                    " 2147483647 seconds."
                ),
            ),
        ]

    def trial(self, row: AccessRule, page: Page) -> Sequence[Panel]:
        step = selectors.waiting_step(row.pk)
        if step is not None and step.step != RuleStep.CHANGE:
            step = None
        found = selectors.try_rule(row, now=page.now, step=step)
        title = _("Against what was let through in the past week")
        asked = _("With the text that is asked for, against the past week")
        return [
            FactsPanel(
                title=title if step is None else asked,
                note=_tried_note(found),
                facts=[
                    Fact(_("Looked at"), found.looked_at, "number"),
                    Fact(_("Asked"), found.asked, "number"),
                    Fact(_("Would have been refused"), found.refused, "number"),
                    Fact(_("Erred, so refused"), found.erred, "number"),
                ],
            ),
            _counts(_("By person"), found.people),
            _counts(_("By permission"), found.permissions),
            TablePanel(
                title=_("The latest of them"),
                columns=(
                    Column(_("When"), "at", "datetime", to="decisions"),
                    Column(_("Who"), "actor_label", "code"),
                    Column(_("Permission"), "permission", "code"),
                ),
                rows=found.examples,
                empty=_("Nobody would have been refused."),
            ),
        ]

    def steps(self, row: AccessRule, page: Page) -> Sequence[Panel]:
        return [
            *asked_panels(row, page),
            TablePanel(
                title=_("What was asked and decided"),
                columns=(
                    Column(_("Asked"), "asked_at", "datetime"),
                    Column(_("By"), "asked_by.username", "code"),
                    Column(_("What"), "get_step_display"),
                    Column(_("Outcome"), _step_state, "state",
                           why=lambda step: _step_state(step).why),
                    Column(_("Decided by"), "decided_by.username", "code"),
                ),
                rows=selectors.steps_of(row.pk)[:WAITING_MAX],
                empty=_("Nothing was asked yet."),
            ),
        ]  # fmt: skip


def _tried_note(found: selectors.Trial) -> str:
    if not found.capped:
        return ""
    return _("There were more: only the newest %s were looked at.") % found.looked_at


def _kind(kind: str) -> str:
    words = {
        "text": _("text"),
        "number": _("whole number"),
        "decimal": _("decimal, such as 50000.0"),
        "truth": _("true or false"),
        "texts": _("list of texts"),
    }
    return str(words[kind])


def _counts(title: str, pairs: Sequence[tuple[str, int]]) -> Panel:
    return TablePanel(
        title=title,
        columns=(
            Column(_("Name"), lambda pair: pair[0], "code"),
            Column(_("Times"), lambda pair: pair[1], "number"),
        ),
        rows=pairs,
        empty=_("None."),
        wide=False,
    )


def _needs(page: Page) -> Sequence[HomeNeed]:
    waiting = selectors.waiting_steps(page.actor, _APPROVE)[:WAITING_MAX].count()
    return [
        HomeNeed(
            label=_("Rules that wait for your approval"),
            count=waiting,
            url=list_url("access-rules"),
            icon="shield-exclamation",
        )
    ]


register_home(
    HomeContribution(app="identity.rules", permission=_APPROVE, order=15, needs=_needs)
)
