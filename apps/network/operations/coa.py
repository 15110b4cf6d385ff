"""Requests to NASes, from the row to the answer. The packet is the task's work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
def claim_coa_requests(
    *, now: datetime, limit: int = CLAIM_MAX, busy: Sequence[int] = ()
) -> list[CoaOrder]:
    """Take due rows; each goes to exactly one worker, whatever runs beside.

    Those for NASes in `busy` (ids) stay in the queue. Rows whose session ended
    meanwhile become obsolete and are not returned.
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
                           AND nas_id <> ALL(%(busy)s::bigint[])
                         ORDER BY not_before, id LIMIT %(limit)s
                           FOR UPDATE SKIP LOCKED) w) open
         WHERE c.id = open.id
        RETURNING c.id, c.kind, c.state, c.account_id, c.nas_id, c.login, c.attempts,
                  c.acct_session_id, coalesce(host(c.framed_address), '') AS framed_address
        """,
        {"now": now, "limit": min(limit, CLAIM_MAX), "busy": list(busy)},
    )
    due = sorted(
        (row for row in rows if row["state"] == CoaState.SENDING),
        key=lambda row: int(row["id"]),
    )
    places = _places([row["nas_id"] for row in due])
    spoken = _speeds([row for row in due if row["kind"] == CoaKind.COA])
    return [
        CoaOrder(
            id=row["id"],
            attempt=row["attempts"],
            nas_id=row["nas_id"],
            kind=row["kind"],
            login=row["login"],
            acct_session_id=row["acct_session_id"],
            framed_address=row["framed_address"],
            attributes=tuple(spoken[row["id"]]),
            **places[row["nas_id"]],
        )
        for row in due
    ]


def _places(nas_ids: list[int]) -> dict[int, dict[str, Any]]:
    """Where each NAS listens, and what is shared with it."""
    nases = Nas.objects.in_bulk(set(nas_ids))
    secrets = selectors.nas_secrets(nases.values())
    return {
        nas.pk: {
            "nas_address": str(nas.address).split("/")[0],
            "coa_port": nas.coa_port,
            "secret": secrets[nas.pk],
        }
        for nas in nases.values()
    }


def _speeds(rows: list[dict[str, Any]]) -> dict[int, list[tuple[str, str]]]:
    """What each CoA carries: the speed of now, not of when the row was written."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    if not rows:
        return found
    told = fetch_dicts(
        """
        SELECT o.id, e.attribute, e.value
          FROM unnest(%(ids)s::bigint[], %(accounts)s::bigint[], %(nases)s::bigint[])
                   o (id, account_id, nas_id)
         CROSS JOIN LATERAL network_edge_rate(o.account_id, o.nas_id)
                   WITH ORDINALITY e (attribute, value, number)
         ORDER BY o.id, e.number
        """,
        {
            "ids": [row["id"] for row in rows],
            "accounts": [row["account_id"] for row in rows],
            "nases": [row["nas_id"] for row in rows],
        },
    )
    for rate in told:
        found[rate["id"]].append((rate["attribute"], rate["value"]))
    return found


@transaction.atomic
def settle_coa_requests(
    *, answers: Sequence[tuple[CoaOrder, CoaOutcome]], now: datetime
) -> dict[int, str]:
    """Keep what the NASes answered, in one statement; returns the state of each id.

    Without an answer the request is tried again later. A NAS that does not know
    the session settles the matter as well: the session is closed as of when it was
    last heard of, and a newer interim reopens it. Only the claim that the answer
    belongs to is settled: a late worker changes nothing, repeating neither.
    """
    final = [pair for pair in answers if pair[1].state != CoaState.SILENT]
    rows = fetch_dicts(
        """
        UPDATE network_coarequest c
           SET state = o.state, answer = o.answer, sent_at = c.claimed_at,
               answered_at = %(now)s, updated_at = %(now)s
          FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(states)s::text[],
                      %(answers)s::text[]) o (id, attempt, state, answer)
         WHERE c.id = o.id AND c.attempts = o.attempt AND c.state = 'sending'
        RETURNING c.id, c.session_id, c.state
        """,
        {
            "now": now,
            "ids": [order.id for order, _ in final],
            "attempts": [order.attempt for order, _ in final],
            "states": [outcome.state for _, outcome in final],
            "answers": [outcome.answer[:200] for _, outcome in final],
        },
    )
    unknown = {order.id for order, outcome in final if outcome.session_unknown}
    _close_unknown([row["session_id"] for row in rows if row["id"] in unknown])
    states = {row["id"]: str(row["state"]) for row in rows}
    for order, outcome in answers:
        if outcome.state == CoaState.SILENT:
            states[order.id] = _settle_silence(order, outcome, now)
    return states


def _settle_silence(order: CoaOrder, outcome: CoaOutcome, now: datetime) -> str:
    row = CoaRequest.objects.select_for_update(no_key=True).get(pk=order.id)
    if row.state != CoaState.SENDING or row.attempts != order.attempt:
        return row.state
    row.answer, row.sent_at = outcome.answer[:200], row.claimed_at
    if row.attempts < COA_ATTEMPTS_MAX:
        _try_again(row, now)
    else:
        row.state, row.answered_at = outcome.state, now
    row.store(
        "state", "answer", "sent_at", "answered_at", "not_before", "claimed_at", now=now
    )
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


def _close_unknown(session_ids: list[int]) -> None:
    if not session_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE network_sessionlive
               SET stopped_at = seen_at, cause = 'nas-denies', presumed_ended = true
             WHERE id = ANY(%s) AND stopped_at IS NULL
            """,
            [session_ids],
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
