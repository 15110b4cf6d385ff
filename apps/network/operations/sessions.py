"""Running sessions ended, silent ones closed, closed ones archived."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.network.enums import CoaKind
from apps.network.errors import SessionUnknown
from apps.network.models import CoaRequest, SessionLive
from apps.network.operations.coa import queued_disconnect
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.refs import SubjectRef

SWEEP_MAX = 2_000
ARCHIVE_MAX = 5_000
# Long enough for every repetition and for people who look at today's sessions.
KEEP_LIVE = timedelta(hours=24)
MONTHS_AHEAD = 3


@transaction.atomic
def disconnect_session(
    *, session_key: UUID, generation: int, actor: Actor, now: datetime
) -> CoaRequest:
    """Ask the NAS to end one session. While the request waits, repeats return it.

    Refused with `session_unknown` when the session has ended.
    """
    session = (
        SessionLive.objects.select_for_update(no_key=True)
        .filter(session_key=session_key, generation=generation, stopped_at=None)
        .first()
    )
    if session is None or session.nas_id is None:
        raise SessionUnknown
    if waiting := queued_disconnect(session):
        return waiting

    request = CoaRequest.objects.create(
        account_id=session.account_id, nas_id=session.nas_id, session_id=session.pk,
        session_key=session_key, generation=generation, login=session.login,
        acct_session_id=session.acct_session_id, framed_address=session.framed_address,
        kind=CoaKind.DISCONNECT, reason="by hand", not_before=now,
        actor_label=actor.label[:200],
    )  # fmt: skip
    ops.record(
        action="network.disconnect_session",
        subject=SubjectRef("network", "session", session.pk, session.login),
        actor=actor,
        now=now,
        changes={"acct_session_id": session.acct_session_id},
    )
    return request


@transaction.atomic
def close_silent_sessions(*, now: datetime, limit: int = SWEEP_MAX) -> int:
    """Close sessions unheard of for three interim intervals, as of the last word.

    Unheard of by our clock, whatever the NAS's says. A newer interim reopens them.
    Returns how many were closed; call again while it returns the limit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE network_sessionlive s
               SET stopped_at = s.seen_at, cause = 'silence', presumed_ended = true
              FROM (SELECT l.id FROM network_sessionlive l
                      LEFT JOIN network_accessaccount a ON a.id = l.account_id
                      LEFT JOIN network_rateprofile p ON p.id = a.profile_id
                     WHERE l.stopped_at IS NULL
                       AND l.heard_at < %(now)s
                           - make_interval(secs => 3 * coalesce(p.interim_s, 300))
                     ORDER BY l.id LIMIT %(limit)s
                       FOR NO KEY UPDATE OF l SKIP LOCKED) silent
             WHERE s.id = silent.id
            """,
            {"now": now, "limit": min(limit, SWEEP_MAX)},
        )
        return int(cursor.rowcount)


@transaction.atomic
def close_restarted_sessions(*, now: datetime, limit: int = SWEEP_MAX) -> int:
    """Write down which sessions ended with their NAS's reboot, as of the last word.

    They count for nothing since the Accounting-On or -Off was answered; this only
    says so in the rows, a batch at a time, killable anywhere. It was late, or false,
    where an interim still comes: that reopens the session. Returns how many were
    closed; call again while it returns the limit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE network_sessionlive s
               SET stopped_at = s.seen_at, cause = 'nas-restart', presumed_ended = true
              FROM (SELECT l.id FROM network_nas n
                      JOIN network_sessionlive l
                        ON l.nas_id = n.id AND l.stopped_at IS NULL
                       AND l.heard_at <= n.rebooted_at
                     WHERE n.rebooted_at > %(now)s - interval '4 days'
                     ORDER BY l.id LIMIT %(limit)s
                       FOR NO KEY UPDATE OF l SKIP LOCKED) ended
             WHERE s.id = ended.id
            """,
            {"now": now, "limit": min(limit, SWEEP_MAX)},
        )
        return int(cursor.rowcount)


@transaction.atomic
def archive_sessions(*, now: datetime, limit: int = ARCHIVE_MAX) -> int:
    """Move one batch of sessions closed a day ago to their months' partitions.

    A day by both clocks: a NAS whose clock is behind ends sessions in the past.

    One transaction a batch: killed at any point, a row is in exactly one place.
    Sessions that only silence closed move too; a later packet brings them back.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT network_ensure_session_partitions(
                       min(started_at)::date - 1, max(started_at)::date + 1)
              FROM network_sessionlive
             WHERE stopped_at < %(before)s AND heard_at < %(before)s
            HAVING count(*) > 0
            """,
            {"before": now - KEEP_LIVE},
        )
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM network_sessionlive WHERE id IN (
                    SELECT id FROM network_sessionlive
                     WHERE stopped_at < %(before)s AND heard_at < %(before)s
                     ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                RETURNING *)
            INSERT INTO network_sessionhistory SELECT * FROM gone
            """,
            {"before": now - KEEP_LIVE, "limit": min(limit, ARCHIVE_MAX)},
        )
        return int(cursor.rowcount)


@transaction.atomic
def ensure_session_partitions(*, now: datetime) -> int:
    """Make the partitions of this month and the next ones; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT network_ensure_session_partitions(%s::date, %s::date)",
            [now.date(), now.date() + timedelta(days=31 * MONTHS_AHEAD)],
        )
        return int(cursor.fetchone()[0])
