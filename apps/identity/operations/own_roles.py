"""Roles of the operator's own, beside those that come with DotMac."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from apps.identity.errors import (
    BeyondOwnRights,
    BuiltInRole,
    RoleInUse,
    RoleTaken,
    UnknownPermission,
)
from apps.identity.models import Role, RoleAssignment, RolePermission
from apps.identity.operations.way_back import keeping_a_way_back
from apps.identity.rules.giving import missing_in_unit
from apps.identity.rules.roles import is_built_in
from apps.identity.selectors.staff import default_unit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.permissions import is_grantable
from dotmac.core.refs import SubjectRef

ROLES_MAX = 100


@transaction.atomic
def create_role(
    *, name: str, permissions: Iterable[str], actor: Actor, now: datetime
) -> Role:
    """A role of the operator's own.

    Refused: a name that is taken, names that are no permissions (a role holds
    permissions, never roles), and permissions that the actor does not hold.
    """
    words, slug = _named(name)
    wanted = _known(permissions)
    _require_held(actor, wanted, {default_unit().pk})
    if Role.objects.count() >= ROLES_MAX:
        raise InvalidInput(f"At most {ROLES_MAX} roles.", field="name")

    with refusing(identity_role_slug_key=lambda: RoleTaken(field="name")):
        role = Role.objects.create(
            slug=slug, name=words, created_at=now, updated_at=now
        )
    _add(role, wanted)
    _record("create_role", role, actor, now, added=sorted(wanted))
    return role


@transaction.atomic
def change_role(
    *,
    role_id: int,
    name: str | None = None,
    permissions: Iterable[str] | None = None,
    actor: Actor,
    now: datetime,
) -> Role:
    """Another name, another set of permissions; equal ones change nothing.

    Refused like a new role, where anybody holds it already for all units in
    which somebody does, and for roles that come with DotMac.
    """
    role = _locked_own(role_id)
    held = set(
        RolePermission.objects.filter(role=role).values_list("permission", flat=True)
    )
    wanted = held if permissions is None else _known(permissions)
    words = role.name if name is None else _named(name)[0]
    added, gone = wanted - held, held - wanted
    if words == role.name and not added and not gone:
        return role
    _require_held(actor, added | gone, _units_of(role))

    with keeping_a_way_back(gone):
        RolePermission.objects.filter(role=role, permission__in=gone).delete()
    _add(role, added)
    role.name = words
    role.store("name", now=now)
    _record(
        "change_role", role, actor, now, added=sorted(added), taken=sorted(gone)
    )  # fmt: skip
    return role


@transaction.atomic
def delete_role(*, role_id: int, actor: Actor, now: datetime) -> None:
    """Forget a role that nobody holds."""
    role = _locked_own(role_id)
    if RoleAssignment.objects.filter(role=role).exists():
        raise RoleInUse

    _record("delete_role", role, actor, now)
    role.delete()


def _locked_own(role_id: int) -> Role:
    role = Role.objects.select_for_update(no_key=False).filter(pk=role_id).first()
    if role is None:
        raise NotFound
    if is_built_in(role.slug):
        raise BuiltInRole
    return role


def _named(name: str) -> tuple[str, str]:
    words = " ".join(name.split())
    slug = slugify(words)[:40]
    if not slug or len(words) > 80:
        raise InvalidInput("Give a name of at most 80 characters.", field="name")
    if is_built_in(slug):
        raise RoleTaken(field="name")
    return words, slug


def _known(permissions: Iterable[str]) -> set[str]:
    wanted = set(permissions)
    unknown = sorted(name for name in wanted if not is_grantable(name))
    if unknown:
        raise UnknownPermission(
            f"There is no permission {unknown[0][:100]}.", field="permissions"
        )
    return wanted


def _units_of(role: Role) -> set[int]:
    """Where it is held, and the operator: the role may be given there tomorrow."""
    held = RoleAssignment.objects.filter(role=role).values_list("unit_id", flat=True)
    return {default_unit().pk, *held}


def _require_held(actor: Actor, permissions: set[str], units: set[int]) -> None:
    top = default_unit().pk
    for unit_id in sorted(units):
        is_top = unit_id == top
        if missing := missing_in_unit(actor, permissions, unit_id, is_top=is_top):
            raise BeyondOwnRights(field="permissions", missing=missing)


def _add(role: Role, permissions: set[str]) -> None:
    RolePermission.objects.bulk_create(
        [RolePermission(role=role, permission=name) for name in sorted(permissions)]
    )


def _record(
    verb: str, role: Role, actor: Actor, now: datetime, **facts: object
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "role", role.pk, role.slug),
        actor=actor,
        now=now,
        changes={"name": role.name, **facts},
    )
