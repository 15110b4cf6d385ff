"""Whether somebody could still change the rules under a given set of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from apps.identity.enums import RuleState, SessionFace, UnitKind, UserKind
from apps.identity.models import AccessRule, RoleAssignment, Session, User
from apps.identity.rules.policy import Rule, judge
from apps.identity.selectors.rights import rights_of

# Without these three nobody could take a rule back.
KEYS = ("identity.manage_rules", "identity.manage_roles", "identity.approve_rule")
OWNERS_MAX = 50
ADDRESSES_MAX = 20
_NETWORK = re.compile(r"""in_network\([^,]*,\s*['"]([^'"/]+)""")
_ELSEWHERE = ("127.0.0.1", "203.0.113.7", "2001:db8::7")


def rules_on(*, besides: int | None = None) -> list[Rule]:
    """The rules that are on, as the engine reads them."""
    rows = AccessRule.objects.filter(state=RuleState.ON).exclude(pk=besides or 0)
    return [
        Rule(
            slug=row.slug,
            effect=row.effect,
            permissions=tuple(row.permissions),
            expression=row.expression,
        )
        for row in rows
    ]


def somebody_could_change(rules: Iterable[Rule]) -> bool:
    """True when an active owner could, from some place at some hour.

    The places are those that the rules name, and those where owners were last.
    """
    relevant = [rule for rule in rules if any(map(rule.speaks_of, KEYS))]
    if not relevant:
        return True
    return any(
        all(judge(relevant, facts, key).rule is None for key in KEYS)
        for owner in _owners()
        for facts in _circumstances(owner, relevant)
    )


def _owners() -> Iterator[User]:
    at_the_top = RoleAssignment.objects.filter(unit__kind=UnitKind.OPERATOR)
    people = User.objects.filter(
        kind=UserKind.STAFF, is_active=True, pk__in=at_the_top.values("user_id")
    ).order_by("pk")
    for user in people[:OWNERS_MAX]:
        scopes = rights_of(user).scopes
        if all(key in scopes and scopes[key].everything for key in KEYS):
            yield user


def _circumstances(owner: User, rules: list[Rule]) -> Iterator[dict[str, Any]]:
    """Signed in a minute ago with a fresh code, at every hour of the week."""
    person = {
        "actor.id": owner.pk,
        "actor.username": owner.username,
        "actor.kind": str(owner.kind),
        "actor.roles": sorted(rights_of(owner).roles),
        "actor.mfa_age_s": 30,
        "actor.session_age_s": 60,
        "actor.api_key": False,
    }
    for address in _addresses(owner, rules):
        for face in (SessionFace.CONSOLE, SessionFace.API):
            for weekday in range(1, 8):
                for hour in range(24):
                    yield {
                        **person,
                        "actor.face": str(face),
                        "request.address": address,
                        "request.weekday": weekday,
                        "request.hour": hour,
                        "request.minute_of_day": hour * 60 + 30,
                    }


def _addresses(owner: User, rules: list[Rule]) -> list[str]:
    named = [address for rule in rules for address in _NETWORK.findall(rule.expression)]
    latest = Session.objects.filter(user=owner, address__isnull=False)
    used = latest.order_by("-pk").values_list("address", flat=True)[:5]
    found = [*map(str, used), *named, *_ELSEWHERE]
    return list(dict.fromkeys(found))[:ADDRESSES_MAX]
