"""Units, roles and the people who hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.identity.enums import UnitKind, UserKind
from apps.identity.models import (
    Customer,
    Invitation,
    Membership,
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
from dotmac.core.permissions import catalogue, is_grantable, is_whole

HOLDERS_MAX = 500


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

    @property
    def pk(self) -> int:
        return self.id


def active_staff() -> QuerySet[User]:
    """Colleagues who may be given work, by name."""
    rows = User.objects.filter(kind=UserKind.STAFF, is_active=True)
    return rows.order_by("name", "pk")


def default_unit() -> OrganisationUnit:
    """The operator itself, the root of the tree (made by `sync_roles`)."""
    return OrganisationUnit.objects.get(kind=UnitKind.OPERATOR)


def units_visible_to(actor: Actor, permission: str) -> QuerySet[OrganisationUnit]:
    """The units that the permission reaches."""
    scope = actor.scope(permission)
    units = OrganisationUnit.objects.order_by("pk")
    return units if scope.everything else units.filter(pk__in=scope.unit_ids)


def roles() -> QuerySet[Role]:
    return Role.objects.all()


def roles_visible_to(actor: Actor, permission: str) -> QuerySet[Role]:
    """Roles are the same everywhere: who may see staff at all sees them all."""
    return Role.objects.all() if actor.may(permission) else Role.objects.none()


def permissions_of_roles(role_ids: Iterable[int]) -> dict[int, list[str]]:
    """The permissions of each role, sorted, in one statement."""
    rows = RolePermission.objects.filter(role_id__in=list(role_ids))
    held: dict[int, list[str]] = {}
    for role_id, name in rows.order_by("permission").values_list(
        "role_id", "permission"
    ):
        held.setdefault(role_id, []).append(name)
    return held


def permissions_held(role_id: int) -> list[tuple[str, str]]:
    """The permissions of a role with their meaning."""
    rows = RolePermission.objects.filter(role_id=role_id).order_by("permission")
    meanings = catalogue()
    names = rows.values_list("permission", flat=True)
    return [(name, meanings.get(name, "")) for name in names]


def roles_within(actor: Actor, permission: str) -> list[Role]:
    """Roles that hold nothing beyond what the actor holds, so may be given.

    `permission` is the one that gives: where it does not reach the operator as a
    whole, what is about the whole is no part of the gift.
    """
    is_top = actor.scope(permission).everything
    found = list(Role.objects.order_by("pk"))
    held = permissions_of_roles([role.pk for role in found])
    return [
        role
        for role in found
        if not any(
            is_grantable(name)
            and (is_top or not is_whole(name))
            and not actor.scope(name)
            for name in held.get(role.pk, ())
        )
    ]


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


def assignments_of(user_id: int) -> QuerySet[RoleAssignment]:
    """The roles of a member of staff, each with its unit."""
    rows = RoleAssignment.objects.filter(user_id=user_id)
    return rows.select_related("role", "unit").order_by("role__name", "unit__name")


def holders_of(role_id: int, among: QuerySet[User]) -> QuerySet[RoleAssignment]:
    """Who of these people holds the role, and where."""
    rows = RoleAssignment.objects.filter(role_id=role_id, user__in=among.values("pk"))
    return rows.select_related("user", "unit").order_by("user__username")[:HOLDERS_MAX]


def assignments_in(unit_id: int, among: QuerySet[User]) -> QuerySet[RoleAssignment]:
    """Which of these people hold which role in the unit itself."""
    rows = RoleAssignment.objects.filter(unit_id=unit_id, user__in=among.values("pk"))
    return rows.select_related("user", "role").order_by("user__username")[:HOLDERS_MAX]


def people_visible_to(actor: Actor, permission: str) -> QuerySet[User]:
    """Staff and portal users whom the permission reaches."""
    if actor.scope(permission).everything:
        return User.objects.all()
    customers = Customer.objects.visible_to(actor, permission)
    members = Membership.objects.filter(customer__in=customers.values("pk"))
    staff = staff_visible_to(actor, permission)
    return User.objects.filter(
        Q(pk__in=members.values("user_id")) | Q(pk__in=staff.values("pk"))
    )


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
