"""Who was refused what. A storm of refusals is counted, not written down one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from apps.ops.models import AccessDenial
from apps.ops.operations.audit import record
from dotmac.core.actors import Actor, ActorKind
from dotmac.core.denials import Denial
from dotmac.core.refs import SubjectRef
from dotmac.core.telemetry import request_id_var

ACTION = "identity.access_denied"
SETTLE_MAX = 500
MINUTE = timedelta(minutes=1)


@transaction.atomic
def record_denial(
    *,
    actor: Actor,
    permission: str,
    now: datetime,
    rule: str = "",
    path: str = "",
    request_id: str = "",
    facts: dict[str, Any] | None = None,
) -> bool:
    """Record a refusal with its rule. Call it when the refused work has rolled back.

    The first of an actor and permission in a minute is an audit entry at once
    (True). Those that follow are counted, and `settle_denials` writes their
    number: two entries a minute, however many come.
    """
    shown = {
        "permission": permission[:100],
        "rule": rule[:100],
        "path": path[:200],
        **(facts or {}),
    }
    latest = {
        **shown,
        "label": actor.label[:200],
        "address": actor.address,
        "request_id": request_id or request_id_var.get(),
    }
    minute = now.replace(second=0, microsecond=0)
    if not _is_first(_key(actor), permission[:100], minute, latest):
        return False
    _write(actor, shown, now)
    return True


@transaction.atomic
def settle_denials(*, now: datetime) -> int:
    """Write what was counted in minutes that are over; returns how many."""
    over = AccessDenial.objects.filter(minute_at__lte=now - 2 * MINUTE)
    rows = list(
        over.select_for_update(no_key=False, skip_locked=True).order_by("pk")[
            :SETTLE_MAX
        ]
    )
    for row in rows:
        if row.repeats:
            facts = dict(row.latest)
            actor = _actor(row.actor_key, facts)
            facts.pop("request_id", None)
            facts |= {"times": row.repeats, "minute": row.minute_at.isoformat()}
            _write(actor, facts, now)
    AccessDenial.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def record_noted(denial: Denial, now: datetime) -> None:
    """What the edge noted (dotmac.core.denials)."""
    record_denial(
        actor=denial.actor,
        permission=denial.permission,
        rule=denial.rule,
        path=denial.path,
        facts=denial.facts,
        now=now,
    )


def _write(actor: Actor, facts: dict[str, Any], now: datetime) -> None:
    subject = SubjectRef("identity", "user", actor.id or 0, actor.label)
    shown = {name: value for name, value in facts.items() if value != ""}
    record(action=ACTION, subject=subject, actor=actor, now=now, changes=shown)


def _is_first(
    key: str, permission: str, minute: datetime, latest: dict[str, Any]
) -> bool:
    values: list[Any] = [key, permission, minute, Jsonb(latest)]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO ops_accessdenial
                      (actor_key, permission, minute_at, repeats, latest)
               VALUES (%s, %s, %s, 0, %s)
               ON CONFLICT (actor_key, permission, minute_at) DO UPDATE
                  SET repeats = ops_accessdenial.repeats + 1, latest = excluded.latest
               RETURNING repeats""",
            values,
        )
        return bool(cursor.fetchone()[0] == 0)


def _key(actor: Actor) -> str:
    """One for each person; strangers are told apart by their address."""
    return f"{actor.kind}:{actor.id or actor.address}"[:64]


def _actor(key: str, facts: dict[str, Any]) -> Actor:
    kind, _, who = key.partition(":")
    return Actor(
        kind=ActorKind(kind),
        id=int(who) if who.isdigit() else None,
        label=str(facts.pop("label", "")),
        address=str(facts.pop("address", "")),
    )
