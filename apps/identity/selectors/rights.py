"""What a person holds, and the rules of the moment: one statement a request.

Nothing here is cached, so a right that was taken away, or a rule that was
switched on, acts on the next request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from apps.identity.enums import UserKind
from apps.identity.models import User
from apps.identity.rules.policy import Rule
from apps.identity.rules.roles import permissions_of_rights
from dotmac.core.actors import NOTHING, Scope
from dotmac.core.permissions import is_grantable, is_whole

UNIT_DEPTH_MAX = 32


@dataclass(frozen=True, slots=True)
class Rights:
    """Scopes by permission, the slugs of the roles held, and the rules."""

    scopes: dict[str, Scope] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()


# Rows of four kinds in one answer. Roles and the two grant tables of
# django-guardian are joined by UNION; the subtree of each unit named there is
# told once, however many permissions reach it.
_STAFF = """
    WITH RECURSIVE held AS (
        SELECT rights.permission, assigned.unit_id, NULL::bigint AS customer_id
          FROM identity_roleassignment assigned
          JOIN identity_rolepermission rights ON rights.role_id = assigned.role_id
         WHERE assigned.user_id = %(user)s
        UNION
        SELECT permission.codename, granted.content_object_id, NULL
          FROM identity_unitgrant granted
          JOIN auth_permission permission ON permission.id = granted.permission_id
         WHERE granted.user_id = %(user)s
        UNION ALL
        SELECT permission.codename, NULL, granted.content_object_id
          FROM identity_customergrant granted
          JOIN auth_permission permission ON permission.id = granted.permission_id
         WHERE granted.user_id = %(user)s),
    roots AS (
        SELECT unit.id, unit.kind = 'operator' AS whole
          FROM identity_organisationunit unit
         WHERE unit.id IN (SELECT unit_id FROM held)),
    tree (root, id, depth) AS (
        SELECT id, id, 0 FROM roots WHERE NOT whole
        UNION ALL
        SELECT tree.root, unit.id, tree.depth + 1
          FROM tree
          JOIN identity_organisationunit unit ON unit.parent_id = tree.id
         WHERE tree.depth < %(depth)s)
    SELECT 'held', held.permission, coalesce(bool_or(roots.whole), false),
           array_agg(DISTINCT roots.id)
               FILTER (WHERE roots.id IS NOT NULL AND NOT roots.whole),
           array_agg(held.customer_id) FILTER (WHERE held.customer_id IS NOT NULL),
           NULL
      FROM held LEFT JOIN roots ON roots.id = held.unit_id
     GROUP BY held.permission
    UNION ALL
    SELECT 'tree', root::text, false, array_agg(id), NULL, NULL
      FROM tree GROUP BY root
    UNION ALL
    SELECT 'role', role.slug, false, NULL, NULL, NULL
      FROM identity_roleassignment assigned
      JOIN identity_role role ON role.id = assigned.role_id
     WHERE assigned.user_id = %(user)s
"""
_CUSTOMER = """
    SELECT 'member', rights, false, NULL::bigint[], array_agg(customer_id), NULL::text
      FROM identity_membership WHERE user_id = %(user)s GROUP BY rights
"""
_RULES = """
    UNION ALL
    SELECT 'rule', slug, false, NULL, NULL,
           json_build_array(effect, permissions, expression, state, why)::text
      FROM identity_accessrule WHERE state IN ('on', 'trial')
"""


def rights_of(user: User) -> Rights:
    """Everything that decides what this person may do now."""
    is_staff = user.kind == UserKind.STAFF
    statement = (_STAFF if is_staff else _CUSTOMER) + _RULES
    with connection.cursor() as cursor:
        cursor.execute(statement, {"user": user.pk, "depth": UNIT_DEPTH_MAX})
        rows = cursor.fetchall()
    return _rights(rows)


def _rights(rows: Iterable[tuple[Any, ...]]) -> Rights:
    by_kind: dict[str, list[tuple[Any, ...]]] = {
        kind: [] for kind in ("held", "tree", "role", "member", "rule")
    }
    for kind, *rest in rows:
        by_kind[kind].append(tuple(rest))
    below = {int(root): frozenset(ids) for root, _, ids, _, _ in by_kind["tree"]}
    scopes = {
        permission: Scope(
            everything=whole,
            unit_ids=_joined(below, units or ()),
            customer_ids=frozenset(customers or ()),
        )
        for permission, whole, units, customers, _ in by_kind["held"]
        # What is about the operator as a whole is not reached from a part of it.
        if whole or not is_whole(permission)
    }
    for rights, _, _, customers, _ in by_kind["member"]:
        own = Scope(customer_ids=frozenset(customers))
        for permission in permissions_of_rights(rights):
            if is_grantable(permission):
                scopes[permission] = scopes.get(permission, NOTHING) | own
    return Rights(
        scopes=scopes,
        roles=frozenset(row[0] for row in by_kind["role"]),
        rules=tuple(_rule(slug, text) for slug, _, _, _, text in by_kind["rule"]),
    )


def _joined(below: dict[int, frozenset[int]], units: Iterable[int]) -> frozenset[int]:
    """The units with all below them; most people have one root."""
    found = [below[unit] for unit in units]
    return found[0] if len(found) == 1 else frozenset().union(*found)


def _rule(slug: str, text: str) -> Rule:
    effect, permissions, expression, state, why = json.loads(text)
    return Rule(
        slug=slug,
        effect=effect,
        permissions=tuple(permissions),
        expression=expression,
        state=state,
        why=why,
    )
