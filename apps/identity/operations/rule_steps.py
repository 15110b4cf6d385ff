"""Four eyes: what changes a rule that is on is asked by one, approved by another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.identity.enums import RuleState, RuleStep, StepOutcome
from apps.identity.errors import (
    NotTheAsker,
    RuleStateRefused,
    SamePerson,
    StepDecided,
    StepOpen,
)
from apps.identity.models import AccessRule, AccessRuleStep
from apps.identity.operations.access_rules import (
    RuleText,
    checked,
    locked_rule,
    record,
    refuse_lockout,
    write_text,
)
from apps.identity.selectors.lockout import others_could_approve
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound


@transaction.atomic
def ask_rule_step(
    *,
    rule_id: int,
    step: str,
    text: dict[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> AccessRuleStep:
    """Ask to switch a rule on or off, or to change it while it is on.

    Refused where the rule's state makes no sense of it, while another step waits,
    and for a text that could not be saved.
    """
    rule = locked_rule(rule_id)
    if step not in RuleStep.values:
        raise InvalidInput("switch_on, switch_off or change.", field="step")
    if (rule.state == RuleState.ON) == (step == RuleStep.SWITCH_ON):
        raise RuleStateRefused
    values = checked(**(text or {})).values() if step == RuleStep.CHANGE else {}
    _refuse_lockout(rule, step, values)

    with refusing(identity_accessrulestep_one_open=StepOpen):
        asked = AccessRuleStep.objects.create(
            rule=rule,
            step=step,
            values=values,
            asked_by_id=actor.id,
            asked_at=now,
            created_at=now,
            updated_at=now,
        )
    record("ask_rule_step", rule, actor, now, step=step, **values)
    return asked


@transaction.atomic
def approve_rule_step(*, step_id: int, actor: Actor, now: datetime) -> AccessRuleStep:
    """Do what was asked. Repeating it changes nothing.

    Refused to the person who asked, unless nobody else could approve under the
    rules of now: then it is done and marked as decided alone. Refused also when it
    would lock everybody out by now.
    """
    asked = _locked_step(step_id)
    if asked.outcome == StepOutcome.APPROVED:
        return asked
    if asked.outcome != StepOutcome.ASKED:
        raise StepDecided
    alone = asked.asked_by_id is not None and asked.asked_by_id == actor.id
    if alone and others_could_approve(besides=actor.id):
        raise SamePerson
    rule = locked_rule(asked.rule_id)
    _refuse_lockout(rule, asked.step, asked.values)

    _carry_out(rule, asked, actor=actor, now=now)
    _decide(asked, StepOutcome.APPROVED, alone=alone, actor=actor, now=now)
    record("approve_rule_step", rule, actor, now, step=asked.step, alone=alone)
    return asked


@transaction.atomic
def decline_rule_step(*, step_id: int, actor: Actor, now: datetime) -> AccessRuleStep:
    """Leave the rule as it is. Repeating it changes nothing."""
    return _leave(_locked_step(step_id), "decline_rule_step", actor, now)


@transaction.atomic
def withdraw_rule_step(*, step_id: int, actor: Actor, now: datetime) -> AccessRuleStep:
    """Take back what one asked for oneself, without the right to approve.

    Repeating it changes nothing.
    """
    asked = _locked_step(step_id)
    if asked.asked_by_id != actor.id:
        raise NotTheAsker
    return _leave(asked, "withdraw_rule_step", actor, now)


def _leave(
    asked: AccessRuleStep, verb: str, actor: Actor, now: datetime
) -> AccessRuleStep:
    if asked.outcome == StepOutcome.DECLINED:
        return asked
    if asked.outcome != StepOutcome.ASKED:
        raise StepDecided

    _decide(asked, StepOutcome.DECLINED, alone=False, actor=actor, now=now)
    record(verb, locked_rule(asked.rule_id), actor, now, step=asked.step)
    return asked


def _locked_step(step_id: int) -> AccessRuleStep:
    """The rule's row first: asking takes it before the step exists."""
    found = AccessRuleStep.objects.filter(pk=step_id).first()
    if found is None:
        raise NotFound
    locked_rule(found.rule_id)
    return AccessRuleStep.objects.select_for_update(no_key=True).get(pk=step_id)


def _refuse_lockout(rule: AccessRule, step: str, values: dict[str, Any]) -> None:
    if step == RuleStep.SWITCH_OFF:
        return
    text = RuleText(
        name=rule.name,
        why=rule.why,
        effect=values.get("effect", rule.effect),
        permissions=tuple(values.get("permissions", rule.permissions)),
        expression=values.get("expression", rule.expression),
    )
    # What was saved long ago may name a permission that is gone.
    checked(**text.values())
    refuse_lockout(text, slug=rule.slug, besides=rule.pk)


def _carry_out(
    rule: AccessRule, asked: AccessRuleStep, *, actor: Actor, now: datetime
) -> None:
    if asked.step == RuleStep.CHANGE:
        write_text(rule, _text(asked.values), actor=actor, now=now)
        return
    on = asked.step == RuleStep.SWITCH_ON
    rule.state = RuleState.ON if on else RuleState.OFF
    rule.changed_by = actor.label
    rule.store("state", "changed_by", now=now)


def _text(values: dict[str, Any]) -> RuleText:
    permissions: Iterable[str] = values["permissions"]
    return RuleText(**{**values, "permissions": tuple(permissions)})


def _decide(
    asked: AccessRuleStep,
    outcome: StepOutcome,
    *,
    alone: bool,
    actor: Actor,
    now: datetime,
) -> None:
    asked.outcome, asked.alone = outcome, alone
    asked.decided_by_id, asked.decided_at = actor.id, now
    asked.store("outcome", "alone", "decided_by", "decided_at", now=now)
