"""Who may do a thing to a customer and why; what a person may do and whence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.identity.enums import RuleState, UserKind
from apps.identity.models import (
    AccessRule,
    Customer,
    User,
)
from apps.identity.rules.policy import covers
from apps.identity.rules.roles import permissions_of_rights, rights_with
from apps.identity.selectors.trying import rules_visible_to
from dotmac.core.actors import Actor
from dotmac.core.db import fetch_dicts
from dotmac.core.permissions import catalogue, is_grantable, is_whole

PATHS_MAX = 500
_DEPTH_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way by which a person reaches a customer with a permission.

    `how` is role, unit_grant, customer_grant or membership; `through` names the
    role or the rights, `where` the unit or the customer.
    """

    user_id: int
    username: str
    name: str
    kind: str
    how: str
    through: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One permission of one person: where it reaches and whence it comes."""

    permission: str
    meaning: str
    how: str
    through: str
    where: str
    # Held in a part of the operator, though it is about the whole: reaches nothing.
    idle: bool = False


_WHO = """
    WITH RECURSIVE above (id, parent_id, kind, depth) AS (
        SELECT id, parent_id, kind, 0 FROM identity_organisationunit
         WHERE id = %(unit)s
        UNION ALL
        SELECT unit.id, unit.parent_id, unit.kind, above.depth + 1
          FROM above JOIN identity_organisationunit unit ON unit.id = above.parent_id
         WHERE above.depth < %(depth)s),
    paths AS (
        SELECT assigned.user_id, 'role' AS how, role.name AS through,
               unit.name AS place
          FROM identity_rolepermission rights
          JOIN identity_role role ON role.id = rights.role_id
          JOIN identity_roleassignment assigned ON assigned.role_id = role.id
          JOIN above ON above.id = assigned.unit_id
          JOIN identity_organisationunit unit ON unit.id = above.id
         WHERE rights.permission = %(permission)s
           AND (above.kind = 'operator' OR NOT %(whole)s)
        UNION ALL
        SELECT granted.user_id, 'unit_grant', '', unit.name
          FROM identity_unitgrant granted
          JOIN auth_permission permission ON permission.id = granted.permission_id
          JOIN above ON above.id = granted.content_object_id
          JOIN identity_organisationunit unit ON unit.id = above.id
         WHERE permission.codename = %(permission)s
           AND (above.kind = 'operator' OR NOT %(whole)s)
        UNION ALL
        SELECT granted.user_id, 'customer_grant', '', %(name)s
          FROM identity_customergrant granted
          JOIN auth_permission permission ON permission.id = granted.permission_id
         WHERE permission.codename = %(permission)s AND NOT %(whole)s
           AND granted.content_object_id = %(customer)s
        UNION ALL
        SELECT member.user_id, 'membership', member.rights, %(name)s
          FROM identity_membership member
         WHERE member.customer_id = %(customer)s AND member.rights = ANY(%(rights)s))
    SELECT person.id AS user_id, person.username, person.name, person.kind,
           paths.how, paths.through, paths.place AS "where"
      FROM paths JOIN identity_user person ON person.id = paths.user_id
     WHERE person.is_active
     ORDER BY person.kind DESC, person.username, paths.how, paths.place
     LIMIT %(limit)s
"""


def who_may(permission: str, customer: Customer) -> list[Path]:
    """Everybody whom the permission lets reach the customer, with every path.

    Rules may refuse some of them for the moment: see `rules_about`.
    """
    rows = fetch_dicts(
        _WHO,
        {
            "permission": permission,
            "customer": customer.pk,
            "name": customer.name,
            "unit": customer.unit_id,
            "rights": rights_with(permission) if is_grantable(permission) else [],
            "whole": is_whole(permission),
            "depth": _DEPTH_MAX,
            "limit": PATHS_MAX,
        },
    )
    return [Path(**row) for row in rows]


# What the viewer's permission reaches: the rest of a person's is not shown.
_UNITS_REACHED = "(%(everything)s OR unit.id = ANY(%(units)s))"
_CUSTOMERS_REACHED = """(%(everything)s OR customer.unit_id = ANY(%(units)s)
        OR customer.id = ANY(%(customers)s))"""
_OF_STAFF = f"""
    SELECT rights.permission, 'role' AS how, role.name AS through,
           unit.name AS "where", unit.kind AS unit_kind
      FROM identity_roleassignment assigned
      JOIN identity_role role ON role.id = assigned.role_id
      JOIN identity_rolepermission rights ON rights.role_id = role.id
      JOIN identity_organisationunit unit ON unit.id = assigned.unit_id
     WHERE assigned.user_id = %(user)s AND {_UNITS_REACHED}
    UNION ALL
    SELECT permission.codename, 'unit_grant', '', unit.name, unit.kind
      FROM identity_unitgrant granted
      JOIN auth_permission permission ON permission.id = granted.permission_id
      JOIN identity_organisationunit unit ON unit.id = granted.content_object_id
     WHERE granted.user_id = %(user)s AND {_UNITS_REACHED}
    UNION ALL
    (SELECT permission.codename, 'customer_grant', '',
            customer.reference || ' ' || customer.name, 'customer'
       FROM identity_customergrant granted
       JOIN auth_permission permission ON permission.id = granted.permission_id
       JOIN identity_customer customer ON customer.id = granted.content_object_id
      WHERE granted.user_id = %(user)s AND {_CUSTOMERS_REACHED}
      ORDER BY granted.id LIMIT %(limit)s)
"""  # noqa: S608  # nosec B608 - made of the constants above
_OF_CUSTOMER = f"""
    SELECT member.rights, customer.reference || ' ' || customer.name AS "where"
      FROM identity_membership member
      JOIN identity_customer customer ON customer.id = member.customer_id
     WHERE member.user_id = %(user)s AND {_CUSTOMERS_REACHED}
     ORDER BY customer.id LIMIT %(limit)s
"""  # noqa: S608  # nosec B608 - made of the constants above


def what_may(user: User, viewer: Actor, permission: str) -> list[Held]:
    """What a person holds within the viewer's reach, and from where.

    Somebody may act for customers, or work in units, that are not the viewer's.
    """
    scope = viewer.scope(permission)
    given = {
        "user": user.pk,
        "limit": PATHS_MAX,
        "everything": scope.everything,
        "units": list(scope.unit_ids),
        "customers": list(scope.named_customers()),
    }
    if user.kind == UserKind.STAFF:
        found = [_held(row) for row in fetch_dicts(_OF_STAFF, given)]
    else:
        found = [
            _held({"permission": name, "how": "membership", "through": row["rights"],
                   "where": row["where"], "unit_kind": "customer"})
            for row in fetch_dicts(_OF_CUSTOMER, given)
            for name in permissions_of_rights(row["rights"])
            if is_grantable(name)
        ]  # fmt: skip
    return sorted(found, key=lambda held: (held.permission, held.how, held.where))


def _held(row: dict[str, Any]) -> Held:
    name = row["permission"]
    return Held(
        permission=name,
        meaning=catalogue().get(name, ""),
        how=row["how"],
        through=row["through"],
        where=row["where"],
        idle=is_whole(name) and row["unit_kind"] != "operator",
    )


def rules_about(permissions: Iterable[str], viewer: Actor) -> list[AccessRule]:
    """The rules, on or on trial, that speak of one of the permissions.

    For those who may see rules: a condition tells what an attacker must fulfil.
    """
    names = list(permissions)
    rows = rules_visible_to(viewer, "identity.view_rule").filter(
        state__in=(RuleState.ON, RuleState.TRIAL)
    )
    return [
        row
        for row in rows.order_by("slug")
        if any(covers(tuple(row.permissions), name) for name in names)
    ]
