"""The life of a rule: draft, trial, on, off; what is on changes by four eyes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from apps.identity.enums import RuleEffect, RuleState
from apps.identity.errors import (
    PolicyLocksOut,
    RuleStateRefused,
    RuleTaken,
    StepOpen,
)
from apps.identity.models import AccessRule
from apps.identity.operations.way_back import one_at_a_time
from apps.identity.rules.policy import LANGUAGE, Rule, covers, uses_amount
from apps.identity.selectors.lockout import rules_on, somebody_could_change
from apps.identity.selectors.trying import waiting_step
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.permissions import carries_amount, catalogue
from dotmac.core.refs import SubjectRef

RULES_MAX = 100
_PATTERNS_MAX = 50
# What may be changed by hand: a rule that is on changes by approval.
IDLE = (RuleState.DRAFT, RuleState.TRIAL, RuleState.OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """What a person writes when writing a rule."""

    name: str
    why: str
    effect: str
    permissions: tuple[str, ...]
    expression: str

    def values(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "why": self.why,
            "effect": self.effect,
            "permissions": list(self.permissions),
            "expression": self.expression,
        }


@transaction.atomic
def create_rule(
    *,
    name: str,
    why: str,
    effect: str,
    permissions: Iterable[str],
    expression: str,
    actor: Actor,
    now: datetime,
) -> AccessRule:
    """A draft, which refuses nobody yet.

    Refused: an expression that does not compile (with line and column), patterns
    that match no permission, an expression about amounts for permissions that
    carry none, and a rule under which no owner could change the rules.
    """
    text = checked(
        name=name, why=why, effect=effect, permissions=permissions,
        expression=expression,
    )  # fmt: skip
    if AccessRule.objects.count() >= RULES_MAX:
        raise InvalidInput(f"At most {RULES_MAX} rules.", field="name")
    refuse_lockout(text, slug="new")
    with refusing(identity_accessrule_slug_key=lambda: RuleTaken(field="name")):
        rule = AccessRule.objects.create(
            slug=slugify(text.name)[:60],
            changed_by=actor.label,
            created_at=now,
            updated_at=now,
            **text.values(),
        )
    record("create_rule", rule, actor, now, **text.values())
    return rule


@transaction.atomic
def change_rule(
    *,
    rule_id: int,
    name: str,
    why: str,
    effect: str,
    permissions: Iterable[str],
    expression: str,
    actor: Actor,
    now: datetime,
) -> AccessRule:
    """Another text for a rule that is not on; equal values change nothing.

    Refused while somebody is asked to approve it: what is approved is what was read.
    """
    rule = locked_rule(rule_id)
    text = checked(
        name=name, why=why, effect=effect, permissions=permissions,
        expression=expression,
    )  # fmt: skip
    if rule.state == RuleState.ON:
        raise RuleStateRefused("The rule is on: ask for the change, another approves.")
    if waiting_step(rule_id) is not None:
        raise StepOpen
    refuse_lockout(text, slug=rule.slug, besides=rule_id)
    write_text(rule, text, actor=actor, now=now)
    return rule


@transaction.atomic
def set_rule_state(
    *, rule_id: int, state: str, actor: Actor, now: datetime
) -> AccessRule:
    """Between draft and trial; neither refuses anybody. Repeatable.

    A trial is evaluated with every act, and counted.
    """
    rule = locked_rule(rule_id)
    if state not in {RuleState.DRAFT, RuleState.TRIAL}:
        raise InvalidInput("Draft or trial; the rest needs approval.", field="state")
    if rule.state == state:
        return rule
    if rule.state == RuleState.ON:
        raise RuleStateRefused("The rule is on: ask to switch it off first.")

    before, rule.state = rule.state, state
    rule.changed_by = actor.label
    rule.store("state", "changed_by", now=now)
    record("set_rule_state", rule, actor, now, state=[before, state])
    return rule


@transaction.atomic
def delete_rule(*, rule_id: int, actor: Actor, now: datetime) -> None:
    """Forget a rule that is not on."""
    rule = locked_rule(rule_id)
    if rule.state == RuleState.ON:
        raise RuleStateRefused("The rule is on: ask to switch it off first.")

    record("delete_rule", rule, actor, now)
    rule.delete()


# What steps.py uses as well -----------------------------------------------------


def locked_rule(rule_id: int) -> AccessRule:
    rule = AccessRule.objects.locked().filter(pk=rule_id).first()
    if rule is None:
        raise NotFound
    return rule


def checked(
    *, name: str, why: str, effect: str, permissions: Iterable[str], expression: str
) -> RuleText:
    """The text in its stored form; raises what names the wrong field."""
    words, reason = " ".join(name.split()), " ".join(why.split())
    if not slugify(words) or len(words) > 120:
        raise InvalidInput("Give a name of at most 120 characters.", field="name")
    if not reason or len(reason) > 300:
        raise InvalidInput("Say why, in at most 300 characters.", field="why")
    if effect not in RuleEffect.values:
        raise InvalidInput("deny or require.", field="effect")
    patterns = tuple(dict.fromkeys(permissions))
    if not 0 < len(patterns) <= _PATTERNS_MAX:
        raise InvalidInput(f"1 to {_PATTERNS_MAX} patterns.", field="permissions")
    LANGUAGE.compile(expression)
    for pattern in patterns:
        _check_pattern(pattern, expression)
    return RuleText(
        name=words, why=reason, effect=effect, permissions=patterns,
        expression=expression,
    )  # fmt: skip


def _check_pattern(pattern: str, expression: str) -> None:
    matching = [name for name in catalogue() if covers((pattern,), name)]
    if not matching or len(pattern) > 100:
        raise InvalidInput(
            f"{pattern[:100]} matches no permission.", field="permissions"
        )
    without = [name for name in matching if not carries_amount(name)]
    if without and uses_amount(expression):
        raise InvalidInput(
            f"{without[0]} carries no amount, so a rule about amounts never asks it.",
            field="permissions",
        )


def refuse_lockout(text: RuleText, *, slug: str, besides: int | None = None) -> None:
    """Raise PolicyLocksOut when, with this rule on, nobody could change rules."""
    one_at_a_time()
    rule = Rule(
        slug=slug,
        effect=text.effect,
        permissions=text.permissions,
        expression=text.expression,
    )
    if not somebody_could_change([*rules_on(besides=besides), rule]):
        raise PolicyLocksOut(field="expression")


def write_text(
    rule: AccessRule, text: RuleText, *, actor: Actor, now: datetime
) -> None:
    """Change the row where something differs, and record it."""
    changes = {
        field: [getattr(rule, field), value]
        for field, value in text.values().items()
        if getattr(rule, field) != value
    }
    if not changes:
        return
    for field, (_, value) in changes.items():
        setattr(rule, field, value)
    rule.changed_by = actor.label
    rule.store(*changes, "changed_by", now=now)
    record("change_rule", rule, actor, now, **changes)


def record(
    verb: str, rule: AccessRule, actor: Actor, now: datetime, **changes: object
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "rule", rule.pk, rule.slug),
        actor=actor,
        now=now,
        changes=changes,
    )
