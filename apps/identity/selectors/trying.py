"""What a rule would have done to the past week, before it is switched on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.identity.enums import StepOutcome
from apps.identity.models import AccessDecision, AccessRule, AccessRuleStep
from apps.identity.rules.policy import Rule, amount_facts
from dotmac.core.actors import Actor
from dotmac.core.expressions import Verdict
from dotmac.core.money import Money

SPAN = timedelta(days=7)
CHUNK = 1_000
DECISIONS_MAX = 200_000
EXAMPLES_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The rule against what was let through in the past week."""

    looked_at: int
    asked: int
    refused: int
    erred: int
    people: tuple[tuple[str, int], ...]
    permissions: tuple[tuple[str, int], ...]
    examples: tuple[AccessDecision, ...]
    capped: bool


def try_rule(
    rule: AccessRule, *, now: datetime, step: AccessRuleStep | None = None
) -> Trial:
    """Ask the rule about every act that was granted, in chunks, newest first.

    With a step, the text that is asked for in it.
    """
    text = _text(rule, step)
    looked_at = asked = erred = 0
    people: Counter[str] = Counter()
    permissions: Counter[str] = Counter()
    examples: list[AccessDecision] = []
    for decision in _granted_since(now - SPAN):
        looked_at += 1
        if not _is_asked(text, decision):
            continue
        asked += 1
        verdict = text.verdict(_facts(decision))
        erred += verdict is Verdict.ERROR
        if text.refuses(verdict):
            people[decision.actor_label] += 1
            permissions[decision.permission] += 1
            if len(examples) < EXAMPLES_MAX:
                examples.append(decision)
    return Trial(
        looked_at=looked_at,
        asked=asked,
        refused=people.total(),
        erred=erred,
        people=tuple(people.most_common(EXAMPLES_MAX)),
        permissions=tuple(permissions.most_common(EXAMPLES_MAX)),
        examples=tuple(examples),
        capped=looked_at >= DECISIONS_MAX,
    )


def _text(rule: AccessRule, step: AccessRuleStep | None) -> Rule:
    asked = {} if step is None else step.values
    return Rule(
        slug=rule.slug,
        effect=asked.get("effect", rule.effect),
        permissions=tuple(asked.get("permissions", rule.permissions)),
        expression=asked.get("expression", rule.expression),
    )


def rules_visible_to(actor: Actor, permission: str) -> QuerySet[AccessRule]:
    """The rules, for whom the permission reaches the whole operator."""
    rows = AccessRule.objects.all()
    return rows if actor.scope(permission).everything else rows.none()


def waiting_step(rule_id: int) -> AccessRuleStep | None:
    """What was asked for the rule and is not decided yet."""
    return steps_of(rule_id).filter(outcome=StepOutcome.ASKED).first()


def steps_of(rule_id: int) -> QuerySet[AccessRuleStep]:
    """What was asked and decided for a rule, newest first."""
    rows = AccessRuleStep.objects.filter(rule_id=rule_id)
    return rows.select_related("asked_by", "decided_by").order_by("-pk")


def waiting_steps(actor: Actor, permission: str) -> QuerySet[AccessRuleStep]:
    """What waits for somebody else than the actor."""
    rows = AccessRuleStep.objects.filter(outcome=StepOutcome.ASKED)
    if not actor.scope(permission).everything:
        return rows.none()
    return rows.exclude(asked_by_id=actor.id)


def decisions_visible_to(actor: Actor, permission: str) -> QuerySet[AccessDecision]:
    """What was decided; for whom the permission reaches the whole operator."""
    rows = AccessDecision.objects.all()
    return rows if actor.scope(permission).everything else rows.none()


def _granted_since(start: datetime) -> Iterator[AccessDecision]:
    before: int | None = None
    for _ in range(DECISIONS_MAX // CHUNK):
        rows = AccessDecision.objects.filter(granted=True, at__gte=start)
        if before is not None:
            rows = rows.filter(pk__lt=before)
        chunk = list(rows.order_by("-pk")[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        before = chunk[-1].pk


def _is_asked(rule: Rule, decision: AccessDecision) -> bool:
    has_amount = decision.amount_minor is not None
    return rule.speaks_of(decision.permission) and (has_amount or not rule.weighs)


def _facts(decision: AccessDecision) -> dict[str, object]:
    amount = None
    if decision.amount_minor is not None:
        amount = Money(decision.amount_minor, decision.currency)
    return {**decision.facts, "action": decision.permission, **amount_facts(amount)}
