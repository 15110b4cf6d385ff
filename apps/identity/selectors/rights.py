"""What a person holds, and the rules of the moment: one statement a request.

The rows are read on every request, so a right that was taken away, or a rule that
was switched on, acts on the next one. Kept is only how a text of rules reads as
rules: another text is another key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection

from apps.identity.enums import UserKind
from apps.identity.models import User
from apps.identity.rules.policy import Rule
from apps.identity.rules.roles import permissions_of_rights
from apps.identity.selectors.granted import GrantedTo
from dotmac.core.actors import NOTHING, Scope
from dotmac.core.permissions import is_grantable, is_whole

UNIT_DEPTH_MAX = 32
_TEXTS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Rights:
    """Scopes by permission, the slugs of the roles held, and the rules."""

    scopes: dict[str, Scope] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()


_RIGHTS = "SELECT held, rules FROM identity_rights(%s, %s, %s)"


def rights_of(user: User) -> Rights:
    """Everything that decides what this person may do now."""
    with connection.cursor() as cursor:
        is_staff = user.kind == UserKind.STAFF
        cursor.execute(_RIGHTS, [user.pk, is_staff, UNIT_DEPTH_MAX])
        [(held_text, rules_text)] = cursor.fetchall()
    return rights_from(user, held_text, rules_text)


def rights_from(user: User, held_text: str, rules_text: str | None) -> Rights:
    """What the two texts of `identity_rights` say of this person."""
    is_staff = user.kind == UserKind.STAFF
    held = json.loads(held_text)
    scopes: dict[str, Scope] = {}
    for names, scope in _parts(user.pk, held) if is_staff else _memberships(held):
        for name in names:
            before = scopes.get(name)
            scopes[name] = scope if before is None else before | scope
    return Rights(
        scopes=scopes,
        roles=frozenset(slug for slug, _, _ in held.get("roles") or ()),
        rules=_rules(rules_text) if rules_text else (),
    )


def _parts(user_id: int, held: dict[str, Any]) -> Iterator[tuple[Iterable[str], Scope]]:
    """Which permissions reach where, one source after the other."""
    below = {
        root: None if ids is None else frozenset(ids)
        for root, ids in held["below"] or ()
    }
    for _, units, permissions in held["roles"] or ():
        yield from _reached(permissions, _scope(below, units))
    for permission, units in held["units"] or ():
        yield from _reached([permission], _scope(below, units))
    for permission, permission_id in held["customers"] or ():
        granted = frozenset((GrantedTo(user_id, permission_id),))
        yield from _reached([permission], Scope(granted=granted))


def _reached(
    permissions: Iterable[str], scope: Scope
) -> Iterator[tuple[Iterable[str], Scope]]:
    """What is about the operator as a whole is not reached from a part of it."""
    if not scope.everything:
        permissions = [name for name in permissions if not is_whole(name)]
    yield permissions, scope


def _scope(below: dict[int, frozenset[int] | None], units: Iterable[int]) -> Scope:
    """The units with all below them; everything from the operator's top."""
    found = [below[unit] for unit in units]
    parts = [ids for ids in found if ids is not None]
    return Scope(
        everything=len(parts) < len(found),
        unit_ids=parts[0] if len(parts) == 1 else NOTHING.unit_ids.union(*parts),
    )


def _memberships(held: dict[str, Any]) -> Iterator[tuple[Iterable[str], Scope]]:
    for rights, customers in held["members"] or ():
        names = [name for name in permissions_of_rights(rights) if is_grantable(name)]
        yield names, Scope(customer_ids=frozenset(customers))


@lru_cache(maxsize=_TEXTS_KEPT)
def _rules(text: str) -> tuple[Rule, ...]:
    """Most requests are told the same rules as the one before."""
    return tuple(
        Rule(
            slug=slug,
            effect=effect,
            permissions=tuple(permissions),
            expression=expression,
            state=state,
            why=why,
        )
        for slug, effect, permissions, expression, state, why in json.loads(text)
    )
