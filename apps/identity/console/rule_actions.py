"""What people may do to a rule; what is on changes by four eyes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.access_forms import RuleForm, StepForm, rule_values
from apps.identity.enums import RuleEffect, RuleState, RuleStep
from apps.identity.models import AccessRule, AccessRuleStep
from dotmac.core.console import (
    Action,
    Button,
    ChangesPanel,
    Done,
    Page,
    Panel,
    TextPanel,
    detail_url,
    list_url,
)

_MANAGE, _APPROVE = "identity.manage_rules", "identity.approve_rule"


def asked_panels(rule: AccessRule, page: Page) -> list[Panel]:
    """What the approver approves: the new text beside the old one, and a way to try."""
    step = selectors.waiting_step(rule.pk)
    if step is None:
        return []
    try_it = Button(
        label=_("Try it"),
        url=detail_url("access-rules", rule.pk, tab="try"),
        icon="test-pipe",
    )
    title = step.get_step_display()
    if step.step == RuleStep.CHANGE:
        changes = _before_and_after(rule, step)
        empty = _("The text stays as it is.")
        return [
            ChangesPanel(title=title, changes=changes, empty=empty, buttons=(try_it,))
        ]
    speaks_of = "\n".join(rule.permissions)
    text = f"{rule.get_effect_display()}\n{speaks_of}\n\n{rule.expression}"
    return [TextPanel(title=title, text=text, note=rule.why, buttons=(try_it,))]


def _before_and_after(
    rule: AccessRule, step: AccessRuleStep
) -> list[tuple[str, str, str]]:
    before, effects = rule_values(rule), dict(RuleEffect.choices)
    after = {**step.values, "permissions": "\n".join(step.values["permissions"])}
    for values in (before, after):
        values["effect"] = str(effects[values["effect"]])
    return [
        (str(field.label), before[name], after[name])
        for name, field in RuleForm.base_fields.items()
        if before[name] != after[name]
    ]


def _change(rule: AccessRule, data: dict[str, Any], page: Page) -> str:
    if rule.state == RuleState.ON:
        operations.ask_rule_step(
            rule_id=rule.pk, step=RuleStep.CHANGE, text=data, actor=page.actor,
            now=page.now,
        )  # fmt: skip
        return _("Asked. A colleague has to approve the change.")
    operations.change_rule(rule_id=rule.pk, **data, actor=page.actor, now=page.now)
    return _("Saved.")


def _as_it_is(rule: AccessRule, page: Page) -> dict[str, Any]:
    return rule_values(rule)


def _to(state: str) -> Any:
    def run(rule: AccessRule, data: dict[str, Any], page: Page) -> str:
        operations.set_rule_state(
            rule_id=rule.pk, state=state, actor=page.actor, now=page.now
        )
        return _("Done.")

    return run


def _ask(step: RuleStep) -> Any:
    def run(rule: AccessRule, data: dict[str, Any], page: Page) -> str:
        operations.ask_rule_step(
            rule_id=rule.pk, step=step, actor=page.actor, now=page.now
        )
        return _("Asked. A colleague has to approve it.")

    return run


def _approve(rule: AccessRule, data: dict[str, Any], page: Page) -> str:
    done = operations.approve_rule_step(**data, actor=page.actor, now=page.now)
    if done.alone:
        return _("Done, and written down as decided alone: nobody else could approve.")
    return _("Done. It holds from everybody's next click on.")


def _decline(rule: AccessRule, data: dict[str, Any], page: Page) -> str:
    operations.decline_rule_step(**data, actor=page.actor, now=page.now)
    return _("Declined; the rule stays as it is.")


def _withdraw(rule: AccessRule, data: dict[str, Any], page: Page) -> str:
    operations.withdraw_rule_step(**data, actor=page.actor, now=page.now)
    return _("Withdrawn; the rule stays as it is.")


def _delete(rule: AccessRule, data: dict[str, Any], page: Page) -> Done:
    operations.delete_rule(rule_id=rule.pk, actor=page.actor, now=page.now)
    return Done(_("The rule is gone."), list_url("access-rules"))


def _is_on(rule: AccessRule) -> bool:
    return rule.state == RuleState.ON


def _is_idle(rule: AccessRule) -> bool:
    return rule.state != RuleState.ON


def _waits(rule: AccessRule) -> bool:
    return selectors.waiting_step(rule.pk) is not None


ACTIONS = (
    Action(
        slug="approve",
        label=gettext_lazy("Approve"),
        permission=_APPROVE,
        icon="check",
        tone="primary",
        form=StepForm,
        shows=asked_panels,
        shown=_waits,
        run=_approve,
        order=10,
    ),
    Action(
        slug="decline",
        label=gettext_lazy("Decline"),
        permission=_APPROVE,
        icon="x",
        form=StepForm,
        shows=asked_panels,
        shown=_waits,
        run=_decline,
        order=11,
    ),
    Action(
        slug="withdraw",
        label=gettext_lazy("Withdraw"),
        permission=_MANAGE,
        icon="arrow-back-up",
        form=StepForm,
        shows=asked_panels,
        shown=_waits,
        run=_withdraw,
        order=12,
    ),
    Action(
        slug="switch-on",
        label=gettext_lazy("Switch on"),
        permission=_MANAGE,
        icon="shield-check",
        confirm=gettext_lazy(
            "A colleague has to approve it before it refuses anybody."
        ),
        shown=_is_idle,
        run=_ask(RuleStep.SWITCH_ON),
        order=20,
    ),
    Action(
        slug="switch-off",
        label=gettext_lazy("Switch off"),
        permission=_MANAGE,
        icon="shield-off",
        tone="danger",
        confirm=gettext_lazy("A colleague has to approve it; until then it stays on."),
        shown=_is_on,
        run=_ask(RuleStep.SWITCH_OFF),
        order=20,
    ),
    Action(
        slug="trial",
        label=gettext_lazy("Put on trial"),
        permission=_MANAGE,
        icon="test-pipe",
        confirm=gettext_lazy(
            "It is asked with every act and counted; nobody is refused."
        ),
        shown=lambda rule: rule.state in {RuleState.DRAFT, RuleState.OFF},
        run=_to(RuleState.TRIAL),
        order=30,
    ),
    Action(
        slug="draft",
        label=gettext_lazy("Back to a draft"),
        permission=_MANAGE,
        icon="pencil",
        shown=lambda rule: rule.state in {RuleState.TRIAL, RuleState.OFF},
        run=_to(RuleState.DRAFT),
        order=31,
    ),
    Action(
        slug="change",
        label=gettext_lazy("Change"),
        submit=gettext_lazy("Save"),
        permission=_MANAGE,
        icon="edit",
        form=RuleForm,
        initial=_as_it_is,
        run=_change,
        order=40,
    ),
    Action(
        slug="delete",
        label=gettext_lazy("Delete"),
        permission=_MANAGE,
        icon="trash",
        tone="danger",
        confirm=gettext_lazy("The rule is forgotten. The audit keeps what it was."),
        shown=_is_idle,
        run=_delete,
        order=90,
    ),
)
