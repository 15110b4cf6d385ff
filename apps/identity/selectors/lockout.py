"""Whether somebody could still change the rules under a given set of them.

It takes one who asks and one who approves; both must see the rules, and be able to
come in. Where nobody else could approve, who asked may: so one more person never
takes the way back away, and one less may.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q

from apps.identity.enums import RuleState, SessionFace, UnitKind, UserKind
from apps.identity.models import (
    AccessRule,
    RoleAssignment,
    RolePermission,
    Session,
    UnitGrant,
    User,
)
from apps.identity.rules.policy import Rule, judge
from apps.identity.selectors.factors import able_to_come_in
from apps.identity.selectors.rights import rights_of

ASKING = ("identity.manage_rules", "identity.manage_roles", "identity.view_rule")
APPROVING = ("identity.approve_rule", "identity.view_rule")
KEYS = frozenset((*ASKING, *APPROVING))
PEOPLE_MAX = 50
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
    """True when one could ask, and one approve, from some place at some hour.

    The places are those that the rules name, and those where they were last.
    """
    relevant = _relevant(rules)
    return not relevant or (
        _somebody_could(ASKING, relevant) and _somebody_could(APPROVING, relevant)
    )


def others_could_approve(*, besides: int | None) -> bool:
    """Whether another person could approve under the rules that are on."""
    return _somebody_could(APPROVING, _relevant(rules_on()), besides=besides)


def _relevant(rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if any(map(rule.speaks_of, KEYS))]


def _somebody_could(
    keys: tuple[str, ...], rules: list[Rule], *, besides: int | None = None
) -> bool:
    return any(
        all(judge(rules, facts, key).rule is None for key in keys)
        for person in _holders(keys, besides)
        for facts in _circumstances(person, rules)
    )


def _holders(keys: tuple[str, ...], besides: int | None) -> Iterator[User]:
    """Staff who hold all the keys for the whole operator and can come in."""
    roles = RolePermission.objects.filter(permission=keys[0]).values("role_id")
    by_role = RoleAssignment.objects.filter(
        unit__kind=UnitKind.OPERATOR, role__in=roles
    )
    by_grant = UnitGrant.objects.filter(
        content_object__kind=UnitKind.OPERATOR, permission__codename=keys[0]
    )
    people = User.objects.filter(
        Q(pk__in=by_role.values("user_id")) | Q(pk__in=by_grant.values("user_id")),
        kind=UserKind.STAFF,
        is_active=True,
    ).exclude(pk=besides or 0)
    for user in able_to_come_in(people).order_by("pk")[:PEOPLE_MAX]:
        scopes = rights_of(user).scopes
        if all(key in scopes and scopes[key].everything for key in keys):
            yield user


def _circumstances(someone: User, rules: list[Rule]) -> Iterator[dict[str, Any]]:
    """Signed in a minute ago with a fresh code, at every hour of the week."""
    person = {
        "actor.id": someone.pk,
        "actor.username": someone.username,
        "actor.kind": str(someone.kind),
        "actor.roles": sorted(rights_of(someone).roles),
        "actor.mfa_age_s": 30,
        "actor.session_age_s": 60,
        "actor.api_key": False,
    }
    for address in _addresses(someone, rules):
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


def _addresses(someone: User, rules: list[Rule]) -> list[str]:
    named = [address for rule in rules for address in _NETWORK.findall(rule.expression)]
    latest = Session.objects.filter(user=someone, address__isnull=False)
    used = latest.order_by("-pk").values_list("address", flat=True)[:5]
    found = [*map(str, used), *named, *_ELSEWHERE]
    return list(dict.fromkeys(found))[:ADDRESSES_MAX]
