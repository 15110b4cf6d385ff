"""Units, roles and the people who hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from apps.identity.enums import UnitKind, UserKind
from apps.identity.models import (
    Invitation,
    OrganisationUnit,
    Passkey,
    Role,
    RoleAssignment,
    RolePermission,
    TotpDevice,
    User,
)
from apps.identity.rules.tokens import digest_of
from dotmac.core.actors import Actor
from dotmac.core.permissions import catalogue

_DEPTH_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """One member of staff with the roles held and where."""

    id: int
    username: str
    name: str
    email: str
    active: bool
    enrolled: bool
    roles: tuple[str, ...]
    created_at: datetime


def default_unit() -> OrganisationUnit:
    """The operator itself, the root of the tree (made by `sync_roles`)."""
    return OrganisationUnit.objects.get(kind=UnitKind.OPERATOR)


def unit_subtree(roots: Iterable[int]) -> dict[int, frozenset[int]]:
    """Each unit with the ids of itself and of all below it."""
    wanted = sorted(set(roots))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE tree (root, id, depth) AS (
                SELECT id, id, 0 FROM identity_organisationunit WHERE id = ANY(%s)
                UNION ALL
                SELECT tree.root, unit.id, tree.depth + 1
                  FROM tree JOIN identity_organisationunit unit
                    ON unit.parent_id = tree.id
                 WHERE tree.depth < %s)
            SELECT root, array_agg(id) FROM tree GROUP BY root
            """,
            [wanted, _DEPTH_MAX],
        )
        return {root: frozenset(ids) for root, ids in cursor.fetchall()}


def units_visible_to(actor: Actor, permission: str) -> QuerySet[OrganisationUnit]:
    """The units that the permission reaches."""
    scope = actor.scope(permission)
    units = OrganisationUnit.objects.order_by("pk")
    return units if scope.everything else units.filter(pk__in=scope.unit_ids)


def roles() -> QuerySet[Role]:
    return Role.objects.all()


def permissions_held(role_id: int) -> list[tuple[str, str]]:
    """The permissions of a role with their meaning."""
    rows = RolePermission.objects.filter(role_id=role_id).order_by("permission")
    meanings = catalogue()
    names = rows.values_list("permission", flat=True)
    return [(name, meanings.get(name, "")) for name in names]


def roles_within(actor: Actor) -> list[Role]:
    """Roles that hold nothing beyond what the actor holds, so may be given.

    Who gives and takes roles may give any.
    """
    found = list(Role.objects.order_by("pk"))
    if actor.may("identity.manage_roles"):
        return found
    beyond = RolePermission.objects.exclude(permission__in=list(actor.scopes))
    greater = set(beyond.values_list("role_id", flat=True))
    return [role for role in found if role.pk not in greater]


def person(user_id: int | None) -> User | None:
    """The active user of an actor."""
    return User.objects.filter(pk=user_id or 0, is_active=True).first()


def find_user(*, username: str) -> User | None:
    return User.objects.filter(username=username.lower()).first()


def invited_user(*, token: str, now: datetime) -> User | None:
    """Whom a one-time link is for, while it works."""
    open_rows = Invitation.objects.filter(
        digest=digest_of(token), used_at=None, revoked_at=None, expires_at__gt=now
    )
    row = open_rows.select_related("user").filter(user__is_active=True).first()
    return row.user if row is not None else None


def staff_visible_to(actor: Actor, permission: str) -> QuerySet[User]:
    """Staff who hold a role within the units that the permission reaches."""
    scope = actor.scope(permission)
    staff = User.objects.filter(kind=UserKind.STAFF)
    if scope.everything:
        return staff
    held = RoleAssignment.objects.filter(
        user_id=OuterRef("pk"), unit_id__in=scope.unit_ids
    )
    return staff.filter(Exists(held))


def staff_members(users: Iterable[User]) -> list[StaffMember]:
    """What a page of staff shows, in three statements for any number of rows."""
    people = list(users)
    ids = [user.pk for user in people]
    held: dict[int, list[str]] = {}
    for row in RoleAssignment.objects.filter(user_id__in=ids).select_related(
        "role", "unit"
    ):
        held.setdefault(row.user_id, []).append(f"{row.role.name} ({row.unit.name})")
    devices = TotpDevice.objects.filter(user_id__in=ids, confirmed=True)
    keys = Passkey.objects.filter(user_id__in=ids)
    enrolled = {
        *devices.values_list("user_id", flat=True),
        *keys.values_list("user_id", flat=True),
    }
    return [
        StaffMember(
            id=user.pk,
            username=user.username,
            name=user.name,
            email=user.email,
            active=user.is_active,
            enrolled=user.pk in enrolled,
            roles=tuple(sorted(held.get(user.pk, ()))),
            created_at=user.created_at,
        )
        for user in people
    ]
