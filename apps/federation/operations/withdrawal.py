"""Roles that groups gave are taken where nothing stands behind them any more.

That is where the connection is off, where no line of it gives the role to a group
that the person was seen in last, and where the person was not seen through it for
as long as the connection says: whoever was removed there comes in by password or
passkey all the same, and the provider tells nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models import QuerySet as Rows

from apps.federation.models import Connection, GivenRole, GroupRole
from apps.identity import operations as identity
from apps.identity.errors import LastOwner, PolicyLocksOut
from apps.ops import operations as ops
from dotmac.core.actors import system_actor
from dotmac.core.refs import SubjectRef

# What one act, or one round of beat for each connection, takes away; the next goes on.
WITHDRAW_MAX = 1_000


def withdraw_unfounded(connection: Connection, *, now: datetime) -> int:
    """Take what is unfounded of a connection whose row is held. Repeatable.

    In the connection's own name, as the roles were given: who switches it off need
    not hold what a group gave. The last owner, and the last one whom the rules let
    change them, keep their roles until there is another.
    """
    actor = system_actor(f"federation {connection.slug}")
    rows = _unfounded(connection, now).select_related("person__user", "role")
    givens = list(rows.order_by("person__user_id", "pk")[:WITHDRAW_MAX])
    identity.hold_people(given.person.user_id for given in givens)
    taken: list[str] = []
    for given in givens:
        try:
            identity.unassign_role(
                user_id=given.person.user_id,
                role_slug=given.role.slug,
                unit_id=given.unit_id,
                actor=actor,
                now=now,
            )
        except (LastOwner, PolicyLocksOut):
            continue
        given.delete()
        taken.append(f"{given.person.user.username} {given.role.slug}")
    if taken:
        ops.record(
            action="federation.withdraw_roles",
            subject=SubjectRef(
                "federation", "connection", connection.pk, connection.slug
            ),
            actor=actor,
            now=now,
            changes={"roles_taken": taken},
        )
    return len(taken)


def withdraw_lapsed(*, now: datetime) -> int:
    """Beat's round over all connections, each in a transaction of its own."""
    taken = 0
    givers = GivenRole.objects.values("person__connection")
    for connection in Connection.objects.filter(pk__in=givers).order_by("pk"):
        if not _unfounded(connection, now).exists():
            continue
        with transaction.atomic():
            held = Connection.objects.locked().get(pk=connection.pk)
            taken += withdraw_unfounded(held, now=now)
    return taken


def _unfounded(connection: Connection, now: datetime) -> Rows[GivenRole]:
    rows = GivenRole.objects.filter(person__connection=connection)
    if not connection.is_active:
        return rows
    lapsed = Q(person__seen_at__lt=now - timedelta(hours=connection.role_hours))
    groups = ArrayField(CharField(max_length=255))
    lines = GroupRole.objects.filter(
        connection=connection, role=OuterRef("role"), unit=OuterRef("unit")
    ).annotate(seen=ExpressionWrapper(OuterRef("person__groups"), output_field=groups))
    return rows.filter(
        lapsed | ~Exists(lines.filter(Q(("seen__contains", [F("group")]))))
    )
