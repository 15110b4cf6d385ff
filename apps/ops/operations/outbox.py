"""The outbox: numbered in commit order per subject, delivered in that order.

The number is taken under the lock of the subject's row, which the emitting
transaction holds until it commits: commit order is number order. Delivery
locks the subject's oldest waiting event, runs its handlers and acknowledges it
in one transaction, so that a handler's effects and the acknowledgement exist
together or not at all, whoever is killed when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, Func

from apps.ops.enums import EventState
from apps.ops.errors import EventNotParked
from apps.ops.models import OutboxEvent
from apps.ops.models.scoped import actor_columns
from apps.ops.operations.audit import record
from dotmac.core import events
from dotmac.core.actors import Actor
from dotmac.core.participants import unit_of_customer
from dotmac.core.refs import SubjectRef
from dotmac.core.telemetry import request_id_var

ATTEMPTS_MAX = 10
CLAIM_MAX = 200
UNHEARD_MAX = 1_000
BACKOFF_MAX_S = 3600
CLOCK = Func(function="clock_timestamp", output_field=DateTimeField())


def emit(
    event: events.Event,
    *,
    actor: Actor,
    changes: Mapping[str, Any] | None = None,
    unit_id: int | None = None,
) -> OutboxEvent:
    """Store the fact and its audit row in the current transaction."""
    row = _append(event, actor, unit_id)
    record(
        action=event.name,
        subject=event.subject,
        actor=actor,
        now=event.occurred_at,
        changes=event.to_data() if changes is None else changes,
        customer_id=event.customer_id,
        unit_id=row.unit_id,
    )
    return row


def emit_many(facts: Iterable[events.Event], *, actor: Actor) -> int:
    """Several facts of one operation, each with its audit row."""
    return len([emit(fact, actor=actor) for fact in facts])


def _append(event: events.Event, actor: Actor, unit_id: int | None) -> OutboxEvent:
    assert transaction.get_connection().in_atomic_block
    key = str(event.subject)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ops_outboxsubject (key, next_number, leased_by)"
            " VALUES (%s, 2, '') ON CONFLICT (key)"
            " DO UPDATE SET next_number = ops_outboxsubject.next_number + 1"
            " RETURNING next_number - 1",
            [key],
        )
        number = cursor.fetchone()[0]
    return OutboxEvent.objects.create(
        subject_key=key,
        number=number,
        name=event.name,
        data=event.to_data(),
        occurred_at=event.occurred_at,
        available_at=event.occurred_at,
        customer_id=event.customer_id,
        unit_id=unit_id or unit_of_customer(event.customer_id),
        request_id=request_id_var.get(),
        **actor_columns(actor),
    )


@transaction.atomic
def acknowledge_unheard(*, now: datetime, limit: int = UNHEARD_MAX) -> int:
    """Acknowledge due events that nobody listens to, one statement for a batch.

    Most events are there for the record and for other programs; a courier for
    each would keep those waiting that somebody waits for. Only the oldest waiting
    event of a subject is taken, under the lock that delivery takes, so the order
    stays. Returns how many; call it again while there are any.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH heads AS (
                SELECT e.id FROM ops_outboxevent e
                 WHERE e.state = 'pending' AND e.available_at <= %(now)s
                   AND e.name = ANY(%(unheard)s)
                   AND NOT EXISTS (
                       SELECT FROM ops_outboxevent earlier
                        WHERE earlier.subject_key = e.subject_key
                          AND earlier.number < e.number AND earlier.state <> 'done')
                 ORDER BY e.id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
            UPDATE ops_outboxevent e
               SET state = 'done', acknowledged_at = clock_timestamp(),
                   updated_at = %(now)s,
                   attempts = e.attempts + 1, error = ''
              FROM heads WHERE e.id = heads.id
            """,
            {
                "now": now,
                "unheard": events.unheard(),
                "limit": min(limit, UNHEARD_MAX),
            },
        )
        return int(cursor.rowcount)


@transaction.atomic
def claim_subjects(
    *,
    token: str,
    now: datetime,
    lease_s: int,
    limit: int = CLAIM_MAX,
    urgent_only: bool = False,
) -> dict[str, bool]:
    """Lease subjects whose oldest waiting event is due, the urgent ones first.

    Returns their keys, each with whether somebody waits for it. The lease only keeps couriers from crowding one subject. Order does not rest
    on it; when it lapses (Valkey emptied, worker killed), the next sweep claims
    the subject again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH heads AS (
                SELECT DISTINCT ON (subject_key)
                       subject_key, name, state, available_at, id
                  FROM ops_outboxevent WHERE state <> 'done'
                 ORDER BY subject_key, number),
            due AS (
                SELECT s.id, h.name = ANY(%(urgent)s) AS urgent
                  FROM ops_outboxsubject s
                  JOIN heads h ON h.subject_key = s.key
                 WHERE h.state = 'pending' AND h.available_at <= %(now)s
                   AND (h.name = ANY(%(urgent)s) OR NOT %(urgent_only)s)
                   AND (s.leased_until IS NULL OR s.leased_until <= %(now)s)
                 ORDER BY h.name = ANY(%(urgent)s) DESC, h.id
                 LIMIT %(limit)s FOR UPDATE OF s SKIP LOCKED)
            UPDATE ops_outboxsubject s
               SET leased_until = %(until)s, leased_by = %(token)s
              FROM due WHERE s.id = due.id RETURNING s.key, due.urgent
            """,
            {
                "now": now,
                "until": now + timedelta(seconds=lease_s),
                "token": token,
                "urgent": events.urgent(),
                "urgent_only": urgent_only,
                "limit": min(limit, CLAIM_MAX),
            },
        )
        return dict(cursor.fetchall())


@transaction.atomic
def deliver_next(*, subject_key: str, now: datetime) -> int | None:
    """Run the handlers of the subject's oldest waiting event and acknowledge it.

    Returns the event's id, or None when nothing is due. An exception of a
    handler leaves everything as it was; report it with `acknowledge_failure`.
    """
    row = (
        OutboxEvent.objects.select_for_update(no_key=True)
        .filter(subject_key=subject_key)
        .exclude(state=EventState.DONE)
        .order_by("number")
        .first()
    )
    if row is None or row.state == EventState.PARKED or row.available_at > now:
        return None
    # A name that this code does not know yet raises, and the event waits.
    fact = events.load(row.name, row.data)
    for handler in events.handlers_of(row.name):
        handler(fact)
    row.state, row.error = EventState.DONE, ""
    row.attempts += 1
    # A courier may wait for the lock with an older `now` than the one it waits
    # for: only a clock read under the lock shows the order of the subject.
    row.acknowledged_at = CLOCK
    row.store("state", "acknowledged_at", "error", "attempts", now=now)
    return row.pk


@transaction.atomic
def acknowledge_failure(*, subject_key: str, error: str, now: datetime) -> None:
    """Try the subject's oldest event later, or park it after ATTEMPTS_MAX tries."""
    row = (
        OutboxEvent.objects.select_for_update(no_key=True)
        .filter(subject_key=subject_key, state=EventState.PENDING)
        .order_by("number")
        .first()
    )
    if row is None:
        return
    row.attempts += 1
    row.error = error[:2000]
    delay = min(2**row.attempts, BACKOFF_MAX_S)
    row.available_at = now + timedelta(seconds=delay)
    if row.attempts >= ATTEMPTS_MAX:
        row.state = EventState.PARKED
    row.store("attempts", "error", "available_at", "state", now=now)


@transaction.atomic
def release_subject(*, subject_key: str, token: str) -> None:
    """Give the lease back early. Harmless when somebody else holds it by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ops_outboxsubject SET leased_until = NULL, leased_by = ''"
            " WHERE key = %s AND leased_by = %s",
            [subject_key, token],
        )


@transaction.atomic
def retry_event(*, event_id: int, actor: Actor, now: datetime) -> OutboxEvent:
    """Send a parked event again."""
    row = OutboxEvent.objects.select_for_update(no_key=True).get(pk=event_id)
    if row.state == EventState.PENDING:
        return row
    if row.state != EventState.PARKED:
        raise EventNotParked
    row.state, row.attempts, row.available_at = EventState.PENDING, 0, now
    row.store("state", "attempts", "available_at", now=now)
    record(
        action="ops.event.retried",
        subject=SubjectRef("ops", "event", row.pk, row.name),
        actor=actor,
        now=now,
        customer_id=row.customer_id,
    )
    return row


@transaction.atomic
def mark_published(*, event_ids: list[int], now: datetime) -> int:
    """Remember that other programs got these events from the stream."""
    return OutboxEvent.objects.filter(
        pk__in=event_ids, published_at__isnull=True
    ).update(published_at=now)
