"""Which group gives which role, and whose accounts are linked."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.federation.errors import GroupMapped
from apps.federation.models import Connection, GivenRole, GroupRole, LinkedPerson
from apps.federation.operations.connections import (
    connection_subject,
    refuse_without_roles,
)
from apps.federation.operations.withdrawal import withdraw_unfounded
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import UserKind
from apps.identity.errors import BeyondOwnRights, NotStaff, UnknownRole, UnknownUnit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.permissions import is_grantable

MAPPINGS_MAX = 200
GROUP_CHARACTERS_MAX = 255


@transaction.atomic
def map_role(
    *,
    connection_id: int,
    group: str,
    role_slug: str,
    unit_id: int,
    actor: Actor,
    now: datetime,
) -> GroupRole:
    """From the next sign-in on, members of the group hold the role in the unit.

    Refused: beyond what the actor holds himself, twice the same, a connection of
    customers, who have no roles.
    """
    refuse_without_roles(actor)
    row = _locked(connection_id)
    if row.audience != UserKind.STAFF:
        raise NotStaff
    name = group.strip()
    if not 0 < len(name) <= GROUP_CHARACTERS_MAX:
        raise InvalidInput("Name the group as the provider does.", field="group")
    role = selectors.roles().filter(slug=role_slug).first()
    if role is None:
        raise UnknownRole(field="role_slug")
    units = selectors.units_visible_to(actor, "identity.manage_roles")
    if not units.filter(pk=unit_id).exists():
        raise UnknownUnit(field="unit_id")
    held = [name for name, _says in selectors.permissions_held(role.pk)]
    missing = [
        name for name in held if is_grantable(name) and not actor.scope(name).everything
    ]
    if missing:
        raise BeyondOwnRights(field="role_slug", missing=missing)
    if GroupRole.objects.filter(connection=row).count() >= MAPPINGS_MAX:
        raise InvalidInput(f"At most {MAPPINGS_MAX} lines.", field="group")

    with refusing(federation_grouprole_once=lambda: GroupMapped(field="group")):
        line = GroupRole.objects.create(
            connection=row, group=name, role=role, unit_id=unit_id
        )
    _record("map_role", row, actor, now, group=name, role=role.slug, unit=unit_id)
    return line


@transaction.atomic
def unmap_role(
    *, connection_id: int, line_id: int, actor: Actor, now: datetime
) -> None:
    """The group gives the role no more: who has it from this line alone loses it now.

    The last owner keeps it until there is another. Repeating it is refused with
    NotFound.
    """
    refuse_without_roles(actor)
    row = _locked(connection_id)
    line = GroupRole.objects.filter(connection=row, pk=line_id).first()
    if line is None:
        raise NotFound
    facts = {"group": line.group, "role": line.role.slug, "unit": line.unit_id}
    _record("unmap_role", row, actor, now, **facts)
    line.delete()
    withdraw_unfounded(row, now=now)


@transaction.atomic
def unlink_person(
    *, connection_id: int, person_id: int, actor: Actor, now: datetime
) -> None:
    """Forget who somebody is at the provider; roles that groups gave go at once.

    The account stays, and may be linked anew by its address. Refused for the last
    owner; repeating it is refused with NotFound.
    """
    refuse_without_roles(actor)
    row = _locked(connection_id)
    people = LinkedPerson.objects.select_related("user").filter(connection=row)
    person = people.filter(pk=person_id).first()
    if person is None:
        raise NotFound
    for given in GivenRole.objects.filter(person=person).select_related("role"):
        identity.unassign_role(
            user_id=person.user_id,
            role_slug=given.role.slug,
            unit_id=given.unit_id,
            actor=actor,
            now=now,
        )
    _record("unlink_person", row, actor, now, user=person.user.username)
    person.delete()


def _locked(connection_id: int) -> Connection:
    row = Connection.objects.locked().filter(pk=connection_id).first()
    if row is None:
        raise NotFound
    return row


def _record(
    verb: str, row: Connection, actor: Actor, now: datetime, **changes: object
) -> None:
    ops.record(
        action=f"federation.{verb}",
        subject=connection_subject(row),
        actor=actor,
        now=now,
        changes=changes,
    )
