"""The rules: what takes a held permission away for the moment.

Order has no effect, a refusal wins, an error refuses. Row scope never comes
from here: a rule speaks about actor, request, action and amount only, so it
takes a permission away for all rows alike and a list stays the filter of the
detail.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from apps.identity.enums import RuleEffect, RuleState
from dotmac.core.actors import Actor
from dotmac.core.expressions import ExpressionRefused, Kind, Language, Verdict
from dotmac.core.money import Money

# Longer ago than anybody works here: "younger than five minutes" is false of it.
NEVER_S = 2**31 - 1
_AMOUNT = "amount."
FACTS: dict[str, Kind] = {
    "actor.id": Kind.NUMBER,
    "actor.username": Kind.TEXT,
    "actor.kind": Kind.TEXT,
    "actor.roles": Kind.TEXTS,
    "actor.face": Kind.TEXT,
    "actor.mfa_age_s": Kind.NUMBER,
    "actor.session_age_s": Kind.NUMBER,
    "actor.api_key": Kind.TRUTH,
    "request.address": Kind.TEXT,
    "request.hour": Kind.NUMBER,
    "request.weekday": Kind.NUMBER,
    "request.minute_of_day": Kind.NUMBER,
    "action": Kind.TEXT,
    "amount.major": Kind.DECIMAL,
    "amount.minor": Kind.NUMBER,
    "amount.currency": Kind.TEXT,
}
LANGUAGE = Language(FACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it stands in its row."""

    slug: str
    effect: str
    permissions: tuple[str, ...]
    expression: str
    state: str = RuleState.ON
    why: str = ""

    def speaks_of(self, permission: str) -> bool:
        return covers(self.permissions, permission)

    @property
    def weighs(self) -> bool:
        """Whether it can be asked only where there is an amount."""
        return uses_amount(self.expression)

    def verdict(self, facts: Mapping[str, Any]) -> Verdict:
        """What the expression says; one that does not compile any more errs."""
        try:
            return LANGUAGE.compile(self.expression).evaluate(facts)
        except ExpressionRefused:
            return Verdict.ERROR

    def refuses(self, verdict: Verdict) -> bool:
        if self.effect == RuleEffect.DENY:
            return verdict is not Verdict.FALSE
        return verdict is not Verdict.TRUE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all the rules together say of one act."""

    rule: str | None = None
    would_refuse: tuple[str, ...] = ()
    erred: tuple[str, ...] = ()


ALLOWED = Outcome()


@lru_cache(maxsize=4096)
def covers(patterns: tuple[str, ...], permission: str) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns)


@lru_cache(maxsize=1024)
def uses_amount(expression: str) -> bool:
    """Whether the expression names the amount; one that is broken does not."""
    try:
        program = LANGUAGE.compile(expression)
    except ExpressionRefused:
        return False
    return any(name.startswith(_AMOUNT) for name in program.uses)


def judge(
    rules: Iterable[Rule],
    facts: Mapping[str, Any],
    permission: str,
    *,
    amount: Money | None = None,
) -> Outcome:
    """Ask every rule that speaks of the permission; the order has no effect.

    Rules about amounts are asked only where there is an amount.
    """
    facts = {**facts, "action": permission, **amount_facts(amount)}
    refused: list[str] = []
    trials: list[str] = []
    erred: list[str] = []
    for rule in rules:
        if not rule.speaks_of(permission) or (rule.weighs and amount is None):
            continue
        verdict = rule.verdict(facts)
        if verdict is Verdict.ERROR:
            erred.append(rule.slug)
        if rule.refuses(verdict):
            (refused if rule.state == RuleState.ON else trials).append(rule.slug)
    return Outcome(
        rule=min(refused, default=None),
        would_refuse=tuple(sorted(trials)),
        erred=tuple(sorted(erred)),
    )


# Facts -----------------------------------------------------------------------


def facts_of(actor: Actor, zone: tzinfo) -> dict[str, Any]:
    """What rules may know of an actor; what is not known is left out."""
    facts: dict[str, Any] = {
        "actor.username": str(actor.label),
        "actor.kind": str(actor.kind),
    }
    if actor.id is not None:
        facts["actor.id"] = actor.id
    if _is_address(actor.address):
        facts["request.address"] = actor.address
    came = actor.circumstances
    if came is None:
        return facts
    started = came.started_at or came.now
    facts |= {
        "actor.roles": sorted(came.roles),
        "actor.face": str(came.face),
        "actor.mfa_age_s": age_s(came.mfa_at, came.now),
        "actor.session_age_s": age_s(started, came.now),
        "actor.api_key": came.api_key_id is not None,
    }
    return facts | time_facts(came.now, zone)


def time_facts(now: datetime, zone: tzinfo) -> dict[str, int]:
    """The hour in the operator's time zone; Monday is 1, Sunday 7."""
    local = now.astimezone(zone)
    return {
        "request.hour": local.hour,
        "request.weekday": local.isoweekday(),
        "request.minute_of_day": local.hour * 60 + local.minute,
    }


def amount_facts(amount: Money | None) -> dict[str, Any]:
    if amount is None:
        return {}
    return {
        "amount.minor": amount.amount_minor,
        "amount.major": float(amount.plain()),
        "amount.currency": amount.currency,
    }


def age_s(then: datetime | None, now: datetime) -> int:
    """Whole seconds; never for what did not happen."""
    if then is None:
        return NEVER_S
    return max(0, min(NEVER_S, int((now - then).total_seconds())))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# One actor's rules -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One act that was decided, for the log of decisions."""

    permission: str
    granted: bool
    rule: str = ""
    amount: Money | None = None
    outcome: Outcome = ALLOWED


@dataclass(slots=True)
class RulePolicy:
    """The rules as loaded with one actor, each asked once for one act.

    `noted` is what was decided in this request.
    """

    rules: tuple[Rule, ...]
    zone: tzinfo
    noted: list[Note] = field(default_factory=list)
    _facts: dict[str, Any] | None = None
    _asked: dict[tuple[str, Money | None], Outcome] = field(default_factory=dict)

    def refusal(
        self, actor: Actor, permission: str, amount: Money | None = None
    ) -> str | None:
        if not self.rules:
            return None
        key = (permission, amount)
        if key not in self._asked:
            self._asked[key] = judge(
                self.rules, self.facts(actor), permission, amount=amount
            )
        return self._asked[key].rule

    def why(self, rule: str) -> str:
        return next((each.why for each in self.rules if each.slug == rule), "")

    def note(
        self,
        permission: str,
        *,
        granted: bool,
        rule: str = "",
        amount: Money | None = None,
    ) -> None:
        if len(self.noted) < NOTES_MAX:
            outcome = self._asked.get((permission, amount), ALLOWED)
            self.noted.append(
                Note(
                    permission=permission,
                    granted=granted,
                    rule=rule,
                    amount=amount,
                    outcome=outcome,
                )
            )

    def facts(self, actor: Actor) -> dict[str, Any]:
        if self._facts is None:
            self._facts = facts_of(actor, self.zone)
        return self._facts


# A request decides a handful of acts; a loop must not fill the memory.
NOTES_MAX = 50
