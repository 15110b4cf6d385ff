"""Ending many sessions: those that somebody chose, or all of a NAS or a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max, QuerySet

from apps.network.errors import SessionUnknown
from apps.network.models import DisconnectRun, Nas, SessionLive, Site
from apps.ops import operations as ops
from apps.ops.enums import JobState
from dotmac.core.actors import Actor
from dotmac.core.db import fetch_dicts
from dotmac.core.errors import InvalidInput
from dotmac.core.refs import SubjectRef

SESSIONS_MAX = 500
JOB_KIND = "network.disconnect_all"

# A CoA that waits is withdrawn, and a Disconnect that waits becomes one of this batch:
# whoever asked last sees its answer too.
_CUT = """
    WITH chosen AS (
        SELECT s.* FROM network_sessionlive s
         WHERE s.id = ANY(%(ids)s) AND s.stopped_at IS NULL AND s.nas_id IS NOT NULL
    ), withdrawn AS (
        UPDATE network_coarequest w
           SET state = 'obsolete', answer = 'A Disconnect takes its place.',
               updated_at = %(now)s
          FROM chosen s
         WHERE w.session_id = s.id AND w.kind = 'coa' AND w.state = 'queued'
    )
    INSERT INTO network_coarequest
        (account_id, nas_id, session_id, session_key, generation, login,
         acct_session_id, framed_address, kind, reason, not_before, actor_label, batch)
    SELECT s.account_id, s.nas_id, s.id, s.session_key, s.generation, s.login,
           s.acct_session_id, s.framed_address, 'disconnect', %(reason)s, %(now)s,
           %(actor)s, %(batch)s
      FROM chosen s ORDER BY s.id
    ON CONFLICT (session_id, kind) WHERE state = 'queued'
       DO UPDATE SET batch = EXCLUDED.batch, updated_at = EXCLUDED.not_before
    RETURNING session_id, login
"""


@dataclass(frozen=True, slots=True)
class DisconnectBatch:
    """Requests that were made together: `asked` of them, found by `batch`."""

    batch: UUID
    asked: int


@transaction.atomic
def disconnect_sessions(
    *, session_ids: Sequence[int], actor: Actor, now: datetime
) -> DisconnectBatch:
    """Ask the NASes to end these sessions, at most SESSIONS_MAX, in one statement.

    Those that have ended meanwhile are left out; refused with `session_unknown`
    when all have. Repeating adds nothing while the requests wait: they are of the
    newer batch then.
    """
    if len(session_ids) > SESSIONS_MAX:
        raise InvalidInput(f"At most {SESSIONS_MAX} sessions.", field="sessions")
    batch = uuid4()
    cut = _cut(list(session_ids), batch, reason="by hand", actor=actor.label, now=now)
    if not cut:
        raise SessionUnknown
    for row in cut:
        ops.record(
            action="network.disconnect_session",
            subject=SubjectRef("network", "session", row["session_id"], row["login"]),
            actor=actor,
            now=now,
            changes={"batch": str(batch)},
        )
    return DisconnectBatch(batch, len(cut))


@transaction.atomic
def disconnect_place(
    *, nas_id: int | None = None, site_id: int | None = None, actor: Actor,
    now: datetime,
) -> DisconnectRun:  # fmt: skip
    """Ask for the end of all sessions of one NAS, or of all NASes of one site.

    Those that are open now: who dials in again stays. The first SESSIONS_MAX are
    asked for here, the others by carry_disconnects() as a job that people watch and
    may cancel. While one runs for the place, repeats return it.
    """
    place: Nas | Site
    if nas_id is not None:
        place = Nas.objects.select_for_update(no_key=True).get(pk=nas_id)
    else:
        assert site_id is not None, "Either a NAS or a site."
        place = Site.objects.select_for_update(no_key=True).get(pk=site_id)
    where = {"nas_id": nas_id, "site_id": None if nas_id is not None else site_id}
    running = DisconnectRun.objects.filter(**where, done_at=None).first()
    if running is not None:
        return running

    there = _open_there(nas_id, site_id)
    kind = "nas" if nas_id is not None else "site"
    subject = SubjectRef("network", kind, place.pk, place.name)
    total = there.count()
    job = ops.start_job(
        kind=JOB_KIND, subject=subject, actor=actor, now=now, total=total
    )
    run = DisconnectRun.objects.create(
        job=job, **where, batch=uuid4(), actor_label=actor.label[:200],
        until_session=there.aggregate(newest=Max("pk"))["newest"] or 0,
    )  # fmt: skip
    ops.record(
        action=JOB_KIND,
        subject=subject,
        actor=actor,
        now=now,
        changes={"sessions": total, "batch": str(run.batch)},
    )
    _carry(run, now)
    return run


@transaction.atomic
def carry_disconnects(*, now: datetime) -> int:
    """One more chunk of the oldest run; how many sessions it had.

    The requests and how far the run is are committed together: killed anywhere,
    the next call goes on from there. A cancelled job ends before its next chunk.
    """
    due = DisconnectRun.objects.filter(done_at=None).order_by("pk")
    run = due.select_for_update(skip_locked=True, no_key=True).first()
    return 0 if run is None else _carry(run, now)


def _carry(run: DisconnectRun, now: datetime) -> int:
    job = run.job
    if job.is_over or job.cancel_requested_at is not None:
        if not job.is_over:
            _end(run, JobState.CANCELLED, now)
        run.done_at = now
        run.store("done_at", now=now)
        return 0
    rest = _open_there(run.nas_id, run.site_id).filter(
        pk__gt=run.last_session, pk__lte=run.until_session
    )
    ids = list(rest.order_by("pk").values_list("pk", flat=True)[:SESSIONS_MAX])
    cut = _cut(
        ids, run.batch, reason="all of the place", actor=run.actor_label, now=now
    )
    run.asked += len(cut)
    run.last_session = ids[-1] if ids else run.until_session
    ops.advance_job(job_id=job.pk, done=run.asked, now=now)
    if len(ids) < SESSIONS_MAX:
        run.done_at = now
        _end(run, JobState.SUCCEEDED, now)
    run.store("asked", "last_session", "done_at", now=now)
    return len(ids)


def _end(run: DisconnectRun, state: JobState, now: datetime) -> None:
    result = {"asked": run.asked, "batch": str(run.batch)}
    ops.finish_job(job_id=run.job_id, state=state, result=result, now=now)


def _open_there(nas_id: int | None, site_id: int | None) -> QuerySet[SessionLive]:
    rows = SessionLive.objects.filter(stopped_at=None)
    if nas_id is not None:
        return rows.filter(nas_id=nas_id)
    there = Nas.objects.filter(site_id__in=[site_id])
    return rows.filter(nas__in=there.values("pk"))


def _cut(
    ids: list[int], batch: UUID, *, reason: str, actor: str, now: datetime
) -> list[dict[str, Any]]:
    return fetch_dicts(
        _CUT,
        {
            "ids": ids, "batch": batch, "reason": reason, "actor": actor[:200],
            "now": now,
        },
    )  # fmt: skip
