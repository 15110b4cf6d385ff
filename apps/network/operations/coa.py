"""Requests to NASes, from the row to the answer. The packet is the task's work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.network import selectors
from apps.network.enums import CoaKind, CoaState
from apps.network.models import CoaRequest, Nas, SessionLive
from apps.network.radius.coa import CoaOrder, CoaOutcome
from dotmac.core.db import fetch_dicts

CLAIM_MAX = 64
COA_ATTEMPTS_MAX = 5
# A worker that claimed a row and died leaves it "sending".
CLAIM_LASTS = timedelta(seconds=60)
# After the first, second, … attempt without an answer.
_PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600))


@transaction.atomic
def claim_coa_requests(*, now: datetime, limit: int = CLAIM_MAX) -> list[CoaOrder]:
    """Take due rows; each goes to exactly one worker, whatever runs beside.

    Rows whose session ended meanwhile become obsolete and are not returned.
    """
    rows = fetch_dicts(
        """
        UPDATE network_coarequest c
           SET state = CASE WHEN open.is_open THEN 'sending' ELSE 'obsolete' END,
               answer = CASE WHEN open.is_open THEN '' ELSE 'The session had ended.' END,
               attempts = c.attempts + open.is_open::int,
               claimed_at = %(now)s, updated_at = %(now)s
          FROM (SELECT w.id, EXISTS (
                       SELECT FROM network_sessionlive s
                        WHERE s.id = w.session_id AND s.stopped_at IS NULL) AS is_open
                  FROM (SELECT id, session_id FROM network_coarequest
                         WHERE state = 'queued' AND not_before <= %(now)s
                         ORDER BY not_before, id LIMIT %(limit)s
                           FOR UPDATE SKIP LOCKED) w) open
         WHERE c.id = open.id
        RETURNING c.id, c.kind, c.state, c.account_id, c.nas_id, c.login,
                  c.acct_session_id, coalesce(host(c.framed_address), '') AS framed_address
        """,
        {"now": now, "limit": min(limit, CLAIM_MAX)},
    )
    due = [row for row in rows if row["state"] == CoaState.SENDING]
    nases = Nas.objects.in_bulk([row["nas_id"] for row in due])
    secrets = selectors.nas_secrets(nases.values())
    return [_order(row, nases[row["nas_id"]], secrets[row["nas_id"]]) for row in due]


def _order(row: dict[str, Any], nas: Nas, secret: str) -> CoaOrder:
    attributes: tuple[tuple[str, str], ...] = ()
    if row["kind"] == CoaKind.COA:
        # The speed of now, not of when the row was written.
        rates = fetch_dicts(
            "SELECT attribute, value FROM network_edge_rate(%s, %s)",
            [row["account_id"], row["nas_id"]],
        )
        attributes = tuple((rate["attribute"], rate["value"]) for rate in rates)
    return CoaOrder(
        id=row["id"],
        kind=row["kind"],
        nas_address=str(nas.address).split("/")[0],
        coa_port=nas.coa_port,
        secret=secret,
        login=row["login"],
        acct_session_id=row["acct_session_id"],
        framed_address=row["framed_address"],
        attributes=attributes,
    )


@transaction.atomic
def settle_coa_request(*, coa_id: int, outcome: CoaOutcome, now: datetime) -> str:
    """Keep what the NAS answered; without an answer, try again later.

    A NAS that does not know the session settles the matter as well: the session
    is closed as of when it was last heard of, and a newer interim reopens it.
    Only the row's claim is settled, so a late worker changes nothing.
    """
    row = CoaRequest.objects.select_for_update(no_key=True).get(pk=coa_id)
    if row.state != CoaState.SENDING:
        return row.state
    row.answer, row.sent_at = outcome.answer[:200], row.claimed_at
    if outcome.state == CoaState.SILENT and row.attempts < COA_ATTEMPTS_MAX:
        _try_again(row, now)
    else:
        row.state, row.answered_at = outcome.state, now
    row.store(
        "state", "answer", "sent_at", "answered_at", "not_before", "claimed_at", now=now
    )
    if outcome.session_unknown:
        _close_unknown_session(row)
    return row.state


def _try_again(row: CoaRequest, now: datetime) -> None:
    """Back into the queue, unless a newer request for the session waits there."""
    waiting = CoaRequest.objects.filter(
        session_id=row.session_id, kind=row.kind, state=CoaState.QUEUED
    )
    row.claimed_at = None
    if waiting.exists():
        row.state, row.answered_at = CoaState.OBSOLETE, now
        return
    row.state = CoaState.QUEUED
    row.not_before = now + _PAUSES[min(row.attempts, len(_PAUSES)) - 1]


def _close_unknown_session(row: CoaRequest) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE network_sessionlive
               SET stopped_at = seen_at, cause = 'nas-denies', presumed_ended = true
             WHERE id = %s AND stopped_at IS NULL
            """,
            [row.session_id],
        )


@transaction.atomic
def reconcile_coa(*, now: datetime, limit: int = 500) -> int:
    """Repair what a killed worker or a race left; returns how many rows it made.

    Claims that nobody settled go back into the queue. Sessions that began before
    a hold that should have ended them, and for which no request was made since
    (the login was in flight when the hold was placed), get their Disconnect.
    """
    stuck = CoaRequest.objects.filter(
        state=CoaState.SENDING, claimed_at__lt=now - CLAIM_LASTS
    ).order_by("pk")[:limit]
    rows = list(stuck.select_for_update(skip_locked=True, no_key=True))
    for row in rows:
        _try_again(row, now)
        row.store("state", "answered_at", "not_before", "claimed_at", now=now)
    return len(rows) + _queue_missed(now, limit)


def _queue_missed(now: datetime, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO network_coarequest
                (account_id, nas_id, session_id, session_key, generation, login,
                 acct_session_id, framed_address, kind, reason, not_before, actor_label)
            SELECT DISTINCT ON (s.id) s.account_id, s.nas_id, s.id, s.session_key,
                   s.generation, s.login, s.acct_session_id, s.framed_address,
                   'disconnect', 'reconciled: ' || h.reason, %(now)s, 'platform'
              FROM network_accesshold h
              JOIN network_sessionlive s
                ON s.account_id = h.account_id AND s.stopped_at IS NULL
             WHERE h.lifted_at IS NULL AND h.effect IN ('reject', 'walled_garden')
               AND s.nas_id IS NOT NULL
               AND s.started_at < h.placed_at + interval '2 seconds'
               AND h.placed_at < %(now)s - interval '30 seconds'
               AND NOT EXISTS (SELECT FROM network_coarequest c
                                WHERE c.session_id = s.id AND c.kind = 'disconnect'
                                  AND c.created_at >= h.placed_at)
             ORDER BY s.id LIMIT %(limit)s
            ON CONFLICT DO NOTHING
            """,
            {"now": now, "limit": limit},
        )
        return int(cursor.rowcount)


def queued_disconnect(session: SessionLive) -> CoaRequest | None:
    """The Disconnect that already waits for the session, if any."""
    return CoaRequest.objects.filter(
        session_id=session.pk, kind=CoaKind.DISCONNECT, state=CoaState.QUEUED
    ).first()
