"""Telling the NASes: rows now, packets later, when a worker sends them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from apps.network.enums import CoaKind
from apps.network.models import AccessAccount
from apps.network.rules.effects import EdgeAct
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.refs import SubjectRef

# A page of the subscriber may have caused it (a vacation, a payment): it must have
# reached him before the line drops. A change of speed drops nothing and waits for
# nothing, nor does what somebody of the staff asks for.
DELAY_S = 3
# A vendor whose sessions cannot be changed while they run has nothing to put into a
# CoA: its sessions end, and the next login has the new speed.
_INSERT = """
    INSERT INTO network_coarequest
        (account_id, nas_id, session_id, session_key, generation, login,
         acct_session_id, framed_address, kind, reason, not_before, actor_label)
    SELECT s.account_id, s.nas_id, s.id, s.session_key, s.generation, s.login,
           s.acct_session_id, s.framed_address, fit.kind, %(reason)s,
           CASE fit.kind WHEN 'coa' THEN %(now)s ELSE %(cut_at)s END, %(actor)s
      FROM network_sessionlive s
     CROSS JOIN LATERAL (
            SELECT CASE WHEN %(kind)s = 'coa' AND NOT EXISTS (
                             SELECT FROM network_edge_rate(s.account_id, s.nas_id))
                   THEN 'disconnect' ELSE %(kind)s END AS kind) fit
     WHERE {sessions} AND s.stopped_at IS NULL
       AND s.nas_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM network_coarequest w
                        WHERE w.session_id = s.id AND w.state = 'queued'
                          AND w.kind IN ('disconnect', fit.kind))
     ORDER BY s.id
    ON CONFLICT DO NOTHING
"""
_KINDS = {EdgeAct.DISCONNECT: CoaKind.DISCONNECT, EdgeAct.COA: CoaKind.COA}


@transaction.atomic
def request_disconnects(
    *, account_id: int, actor: Actor, now: datetime, reason: str = ""
) -> int:
    """Queue a Disconnect for each open session of the account, because somebody asks.

    Safe to repeat: a session has at most one queued Disconnect. Returns how many
    rows were added; where there are none, nothing changed and nothing is recorded.
    A waiting CoA of the same session is withdrawn, since the session ends.
    """
    account = AccessAccount.objects.locked().get(pk=account_id)
    queued = _queue(
        CoaKind.DISCONNECT, account_id,
        cut_at=now, actor=actor, now=now, reason=reason,
    )  # fmt: skip
    if queued:
        ops.record(
            action="network.request_disconnects",
            subject=SubjectRef("network", "account", account.pk, account.login),
            actor=actor,
            now=now,
            changes={"sessions": queued, "reason": reason},
        )
    return queued


def tell_edge(
    act: EdgeAct, *, account_id: int, actor: Actor, now: datetime, reason: str
) -> None:
    """Queue what the act asks for, inside an operation that records why.

    A CoA is due at once, and its sender reads the new speed itself; a Disconnect is
    due DELAY_S later.
    """
    if act != EdgeAct.NOTHING:
        _queue(
            _KINDS[act], account_id,
            cut_at=now + timedelta(seconds=DELAY_S), actor=actor, now=now, reason=reason,
        )  # fmt: skip


def _queue(
    kind: CoaKind, account_id: int, *, cut_at: datetime, actor: Actor, now: datetime,
    reason: str,
) -> int:  # fmt: skip
    with connection.cursor() as cursor:
        if kind == CoaKind.DISCONNECT:
            cursor.execute(
                """
                UPDATE network_coarequest
                   SET state = 'obsolete', answer = 'A Disconnect takes its place.',
                       updated_at = %s
                 WHERE account_id = %s AND kind = 'coa' AND state = 'queued'
                """,
                [now, account_id],
            )
        cursor.execute(
            _INSERT.format(sessions="s.account_id = %(account)s"),
            {
                "kind": kind.value,
                "reason": reason[:200],
                "now": now,
                "cut_at": cut_at,
                "actor": actor.label[:200],
                "account": account_id,
            },
        )
        return int(cursor.rowcount)


def queue_coas(
    session_ids: list[int], *, actor: Actor, now: datetime, reason: str
) -> int:
    """Queue what brings the sessions their speed of now; returns how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT.format(sessions="s.id = ANY(%(sessions)s)"),
            {
                "kind": CoaKind.COA.value,
                "reason": reason[:200],
                "now": now,
                "cut_at": now,
                "actor": actor.label[:200],
                "sessions": session_ids,
            },
        )
        return int(cursor.rowcount)
