"""Roles, and where they are held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from apps.identity.enums import UnitKind, UserKind
from apps.identity.errors import (
    BeyondOwnRights,
    LastOwner,
    NotStaff,
    UnknownRole,
    UnknownUnit,
)
from apps.identity.models import (
    Customer,
    OrganisationUnit,
    Role,
    RoleAssignment,
    RolePermission,
    User,
)
from apps.identity.operations.way_back import keeping_a_way_back
from apps.identity.rules.giving import covers_unit, held_beyond, missing_in_unit
from apps.identity.rules.roles import OWNER, ROLES, permissions_of_role
from apps.identity.selectors.factors import able_to_come_in
from apps.identity.selectors.rights import rights_of
from apps.identity.selectors.staff import default_unit
from apps.ops import operations as ops
from dotmac.core.actors import Actor, ActorKind
from dotmac.core.errors import NotFound
from dotmac.core.permissions import catalogue, is_grantable
from dotmac.core.refs import SubjectRef

_MANAGE = "identity.manage_roles"


@transaction.atomic
def sync_roles(*, operator_name: str, actor: Actor, now: datetime) -> int:
    """Make the operator's unit, the built-in roles and their permissions.

    Run after `migrate`; a repeat changes nothing. Returns how many role
    permissions were added or taken away.
    """
    unit, _ = OrganisationUnit.objects.get_or_create(
        kind=UnitKind.OPERATOR, defaults={"name": operator_name}
    )
    names = list(catalogue())
    changed = 0
    for rule in ROLES:
        role, _ = Role.objects.get_or_create(
            slug=rule.slug, defaults={"name": rule.name}
        )
        changed += _fill(role, permissions_of_role(rule, names))
    _sync_grantable(catalogue())
    if changed:
        ops.record(
            action="identity.sync_roles",
            subject=SubjectRef("identity", "unit", unit.pk, unit.name),
            actor=actor,
            now=now,
            changes={"role_permissions_changed": changed},
        )
    return changed


def _fill(role: Role, wanted: list[str]) -> int:
    held = RolePermission.objects.filter(role=role)
    present = set(held.values_list("permission", flat=True))
    gone = held.filter(permission__in=present - set(wanted)).delete()[0]
    added = RolePermission.objects.bulk_create(
        [
            RolePermission(role=role, permission=name)
            for name in wanted
            if name not in present
        ],
        ignore_conflicts=True,
    )
    return gone + len(added)


def _sync_grantable(meanings: dict[str, str]) -> None:
    """django-guardian grants rows of auth.Permission, one for each kind of object."""
    for model in (OrganisationUnit, Customer):
        kind = ContentType.objects.get_for_model(model)
        Permission.objects.bulk_create(
            [
                Permission(content_type=kind, codename=name, name=meaning[:255])
                for name, meaning in meanings.items()
            ],
            ignore_conflicts=True,
        )


@transaction.atomic
def assign_role(
    *, user_id: int, role_slug: str, unit_id: int, actor: Actor, now: datetime
) -> RoleAssignment:
    """Let a member of staff hold a role in a unit. Repeating it changes nothing.

    Refused where the actor does not manage roles, or does not hold there all that
    the role allows.
    """
    if not covers_unit(actor.scope(_MANAGE), unit_id):
        raise BeyondOwnRights(field="unit", missing=[_MANAGE])
    return hold_role(
        user_id=user_id, role_slug=role_slug, unit_id=unit_id, actor=actor, now=now
    )


def hold_role(
    *, user_id: int, role_slug: str, unit_id: int, actor: Actor, now: datetime
) -> RoleAssignment:
    """The row, with its refusals; for operations whose own permission was asked."""
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    if user.kind != UserKind.STAFF:
        raise NotStaff
    role = _role(role_slug)
    if not OrganisationUnit.objects.filter(pk=unit_id).exists():
        raise UnknownUnit(field="unit")
    _require_reach(actor, role, unit_id)

    assignment, created = RoleAssignment.objects.get_or_create(
        user=user, role=role, unit_id=unit_id
    )
    if created:
        _record("assign_role", user, assignment, actor=actor, now=now)
    return assignment


@transaction.atomic
def unassign_role(
    *, user_id: int, role_slug: str, unit_id: int, actor: Actor, now: datetime
) -> None:
    """Take a role away; harmless when not held.

    Refused for the last owner, for the last one whom the rules let change them,
    and beyond the actor's own rights.
    """
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    assignment = RoleAssignment.objects.filter(
        user=user, role=_role(role_slug), unit_id=unit_id
    ).first()
    if assignment is None:
        return
    _require_reach(actor, assignment.role, unit_id, _MANAGE)
    if role_slug == OWNER:
        require_other_owner((user_id,))

    _record("unassign_role", user, assignment, actor=actor, now=now)
    with keeping_a_way_back(_permissions_of(assignment.role)):
        assignment.delete()


def refuse_beyond(user: User, actor: Actor) -> None:
    """Raise BeyondOwnRights when the person holds more than the actor.

    A link to a new sign-in, or switching somebody off, is power over all that
    the person holds; a superuser has the admin site besides.
    """
    if user.pk == actor.id or actor.kind == ActorKind.SYSTEM:
        return
    missing = held_beyond(actor, rights_of(user).scopes)
    if user.is_superuser and not actor.scope(_MANAGE).everything:
        missing = sorted({*missing, _MANAGE})
    if missing:
        says = "This colleague may do more than you. Ask somebody who may as much."
        raise BeyondOwnRights(says, missing=missing)


def require_other_owner(leaving: Iterable[int]) -> None:
    """Raise LastOwner unless somebody else, who can come in, owns the operator.

    The owner role's row is locked, so that two owners cannot leave at once.
    """
    role = Role.objects.select_for_update(no_key=True).get(slug=OWNER)
    owners = RoleAssignment.objects.filter(
        role=role, unit__kind=UnitKind.OPERATOR, user__is_active=True
    )
    staying = User.objects.filter(
        pk__in=owners.exclude(user_id__in=leaving).values("user_id")
    )
    if owners.filter(user_id__in=leaving).exists() and not (
        able_to_come_in(staying).exists()
    ):
        raise LastOwner


def _require_reach(actor: Actor, role: Role, unit_id: int, *more: str) -> None:
    """Raise BeyondOwnRights unless the actor holds all of the role in the unit."""
    names = [*_permissions_of(role), *more]
    known, is_top = filter(is_grantable, names), unit_id == default_unit().pk
    if missing := missing_in_unit(actor, known, unit_id, is_top=is_top):
        raise BeyondOwnRights(field="role", missing=missing)


def _permissions_of(role: Role) -> list[str]:
    held = RolePermission.objects.filter(role=role)
    return list(held.values_list("permission", flat=True))


def _role(slug: str) -> Role:
    role = Role.objects.filter(slug=slug).first()
    if role is None:
        raise UnknownRole(field="role")
    return role


def _record(
    verb: str, user: User, assignment: RoleAssignment, *, actor: Actor, now: datetime
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "user", user.pk, user.username),
        actor=actor,
        now=now,
        changes={"role": assignment.role.slug, "unit": assignment.unit_id},
        unit_id=assignment.unit_id,
    )
