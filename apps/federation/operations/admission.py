"""From a proof to a person here: linked, or made, with the roles of the moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.federation.enums import Refusal
from apps.federation.models import Connection, GivenRole, GroupRole, LinkedPerson
from apps.federation.rules.admission import (
    Mapping,
    refusal_of_address,
    roles_for,
)
from apps.federation.rules.proofs import Proof
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import UserKind
from apps.identity.errors import (
    EmailTaken,
    LastOwner,
    MalformedEmail,
    PolicyLocksOut,
    UsernameTaken,
)
from apps.ops import operations as ops
from dotmac.core.actors import Actor, system_actor
from dotmac.core.refs import SubjectRef

Held = set[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Who it is, or why nobody comes in; either way what was changed stays."""

    user_id: int = 0
    username: str = ""
    made_account: bool = False
    refusal: Refusal | None = None


@transaction.atomic
def settle(*, connection_id: int, proof: Proof, now: datetime) -> Settled:
    """Find, link or make the account of a proof, and give the roles of its groups.

    Sign-ins of one connection happen one after another (its row is locked), so one
    person gets one account. Roles that an earlier group gave are taken away, also
    where the person is then refused. Repeating it with the same proof changes
    nothing but the time of the latest visit.
    """
    connection = Connection.objects.locked().get(pk=connection_id)
    actor = system_actor(f"federation {connection.slug}")
    wanted = _wanted(connection, proof)
    person, refusal = _person(connection, proof, wanted, actor, now)
    given: list[str] = []
    taken: list[str] = []
    if person is not None:
        # Whose address does not fit any more keeps nothing that a group gave.
        kept = wanted if refusal is None else set()
        given, taken, last_owner = _sync_roles(person, kept, actor, now)
        refusal = refusal or last_owner or _refusal_of(connection, person, wanted)
    ops.record(
        action="federation.refuse_sign_in" if refusal else "federation.admit_person",
        subject=SubjectRef("federation", "connection", connection.pk, connection.slug),
        actor=actor,
        now=now,
        changes={
            # A customer may ask to be forgotten, and the audit cannot forget.
            **({"email": proof.email} if connection.audience == UserKind.STAFF else {}),
            "user": person.user.username if person else "",
            "mfa": proof.mfa,
            "roles_given": given,
            "roles_taken": taken,
            **({"why": refusal.value} if refusal else {}),
        },
    )
    if person is None or refusal is not None:
        return Settled(refusal=refusal)
    _remember(person, proof, now)
    return Settled(
        user_id=person.user_id,
        username=person.user.username,
        made_account=person.made_account,
    )


def _wanted(connection: Connection, proof: Proof) -> Held:
    if connection.audience != UserKind.STAFF:
        return set()
    table = GroupRole.objects.filter(connection=connection)
    lines = table.values_list("group", "role_id", "unit_id")
    return roles_for(proof.groups, [Mapping(*line) for line in lines])


def _person(
    connection: Connection, proof: Proof, wanted: Held, actor: Actor, now: datetime
) -> tuple[LinkedPerson | None, Refusal | None]:
    """The link of the subject; by a verified address of an allowed domain a new one."""
    if not connection.is_active:
        return None, Refusal.NOT_HERE
    refusal = refusal_of_address(
        proof, domains=connection.domains, trusts_email=connection.trusts_email
    )
    people = LinkedPerson.objects.filter(connection=connection)
    known = people.select_related("user").filter(subject=proof.subject).first()
    if known is not None or refusal is not None:
        return known, refusal
    user = selectors.user_of_email(proof.email)
    if user is None:
        return _made(connection, proof, wanted, actor, now)
    if refusal := _refusal_to_link(connection, user, wanted):
        return None, refusal
    return _linked(connection, proof, user.pk, now, made_account=False), None


def _refusal_to_link(
    connection: Connection, user: object, wanted: Held
) -> Refusal | None:
    """Why an account that is here already is not given to the reader of its address.

    A customer must have shown to read it. An owner comes in this way only where a
    group gives the same.
    """
    person = selectors.person(getattr(user, "pk", None))
    if person is None:
        return Refusal.NOT_HERE
    taken = LinkedPerson.objects.filter(connection=connection, user=person)
    if person.kind != connection.audience or taken.exists():
        return Refusal.LINKED_OTHERWISE
    if person.kind == UserKind.CUSTOMER:
        proved = selectors.proved_email(person)
        return None if proved else Refusal.LINKED_OTHERWISE
    return _refusal_of_owners(person.pk, wanted, superuser=person.is_superuser)


def _refusal_of_owners(
    user_id: int, wanted: Held, *, superuser: bool
) -> Refusal | None:
    """Who runs the provider must not become an owner by a mailbox."""
    if superuser or selectors.owner_units(user_id) - wanted:
        return Refusal.TOO_POWERFUL
    return None


def _made(
    connection: Connection, proof: Proof, wanted: Held, actor: Actor, now: datetime
) -> tuple[LinkedPerson | None, Refusal | None]:
    """Just in time: staff only with a role, customers only with their account."""
    if not connection.makes_accounts:
        return None, Refusal.NO_ACCOUNT
    is_staff = connection.audience == UserKind.STAFF
    if is_staff and not wanted:
        return None, Refusal.NO_ROLE
    make = identity.create_federated_staff if is_staff else (
        identity.create_federated_member
    )  # fmt: skip
    digest = hashlib.sha256(proof.subject.encode()).hexdigest()
    try:
        user = make(
            email=proof.email,
            name=proof.name,
            fallback_name=f"{connection.slug}.{digest[:12]}",
            actor=actor,
            now=now,
        )
    except (EmailTaken, MalformedEmail, UsernameTaken):
        return None, Refusal.LINKED_OTHERWISE
    if user is None:
        return None, Refusal.NO_ACCOUNT
    return _linked(connection, proof, user.pk, now, made_account=True), None


def _linked(
    connection: Connection,
    proof: Proof,
    user_id: int,
    now: datetime,
    *,
    made_account: bool,
) -> LinkedPerson:
    return LinkedPerson.objects.create(
        connection=connection,
        subject=proof.subject,
        user_id=user_id,
        email=proof.email,
        made_account=made_account,
        seen_at=now,
    )


def _remember(person: LinkedPerson, proof: Proof, now: datetime) -> None:
    person.email, person.seen_at = proof.email, now
    person.groups = list(proof.groups)
    person.store("email", "seen_at", "groups", now=now)


def _sync_roles(
    person: LinkedPerson, wanted: Held, actor: Actor, now: datetime
) -> tuple[list[str], list[str], Refusal | None]:
    """Give what the groups give now; take what only groups gave before.

    What a colleague gave by hand stays. The last owner, or the last one who could
    change the rules, keeps the role and is refused: somebody has to look.
    """
    held = {
        (row.role_id, row.unit_id): row.role.slug
        for row in selectors.assignments_of(person.user_id)
    }
    slugs = dict(selectors.roles().values_list("pk", "slug"))
    by_group = GivenRole.objects.filter(person=person)
    before = set(by_group.values_list("role_id", "unit_id"))
    facts: dict[str, Any] = {"user_id": person.user_id, "actor": actor, "now": now}
    given: list[str] = []
    taken: list[str] = []
    refusal = None
    for role_id, unit_id in sorted(wanted - held.keys()):
        identity.assign_role(role_slug=slugs[role_id], unit_id=unit_id, **facts)
        GivenRole.objects.get_or_create(person=person, role_id=role_id, unit_id=unit_id)
        given.append(slugs[role_id])
    for role_id, unit_id in sorted(before - wanted):
        try:
            identity.unassign_role(role_slug=slugs[role_id], unit_id=unit_id, **facts)
        except (LastOwner, PolicyLocksOut):
            refusal = Refusal.LAST_OWNER
            continue
        by_group.filter(role_id=role_id, unit_id=unit_id).delete()
        taken.append(slugs[role_id])
    return given, taken, refusal


def _refusal_of(
    connection: Connection, person: LinkedPerson, wanted: Held
) -> Refusal | None:
    """Why somebody who is linked stays outside all the same."""
    user = person.user
    if not user.is_active or user.kind != connection.audience:
        return Refusal.NOT_HERE
    is_staff = user.kind == UserKind.STAFF
    if is_staff and not selectors.assignments_of(user.pk).exists():
        return Refusal.NO_ROLE
    return _refusal_of_owners(user.pk, wanted, superuser=user.is_superuser)
