"""Long work that people watch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.ops.enums import JobState
from apps.ops.errors import JobEnded
from apps.ops.models import Job
from apps.ops.models.scoped import actor_columns
from apps.ops.operations.audit import record
from dotmac.core.actors import Actor
from dotmac.core.participants import unit_of_customer
from dotmac.core.refs import SubjectRef


def start_job(
    *,
    kind: str,
    subject: SubjectRef,
    actor: Actor,
    now: datetime,
    customer_id: int | None = None,
    unit_id: int | None = None,
    total: int = 0,
) -> Job:
    """A queued job, in the transaction of the operation that wants the work."""
    return Job.objects.create(
        kind=kind,
        subject_app=subject.app,
        subject_kind=subject.kind,
        subject_id=subject.id,
        subject_label=subject.label[:200],
        customer_id=customer_id,
        unit_id=unit_id or unit_of_customer(customer_id),
        total=total,
        updated_at=now,
        **actor_columns(actor),
    )


@transaction.atomic
def advance_job(
    *,
    job_id: int,
    now: datetime,
    done: int,
    total: int | None = None,
    message: str = "",
) -> Job:
    """Report progress; the first report starts the job. Never goes backwards."""
    job = _locked(job_id)
    if job.is_over:
        raise JobEnded
    job.state = JobState.RUNNING
    job.started_at = job.started_at or now
    job.total = max(job.total, total or 0, done)
    job.done = max(job.done, done)
    job.message = message[:500]
    job.store("state", "started_at", "total", "done", "message", now=now)
    return job


@transaction.atomic
def finish_job(
    *,
    job_id: int,
    state: JobState,
    now: datetime,
    error: str = "",
    result: dict[str, Any] | None = None,
) -> Job:
    """End the job. Ending it again in the same state changes nothing."""
    job = _locked(job_id)
    if job.is_over:
        if job.state == state:
            return job
        raise JobEnded
    assert state not in {JobState.QUEUED, JobState.RUNNING}
    job.state, job.error, job.result = state, error, result or {}
    job.started_at, job.finished_at = job.started_at or now, now
    job.store("state", "error", "result", "started_at", "finished_at", now=now)
    return job


@transaction.atomic
def cancel_job(*, job_id: int, actor: Actor, now: datetime) -> Job:
    """Ask a job to stop: a queued one stops here, a running one at its next step.

    Asking a running one again changes nothing. Refused when it is over.
    """
    job = _locked(job_id)
    if job.is_over:
        raise JobEnded
    if job.cancel_requested_at is not None:
        return job

    before, job.cancel_requested_at = job.state, now
    if job.state == JobState.QUEUED:
        job.state, job.finished_at = JobState.CANCELLED, now
    job.store("cancel_requested_at", "state", "finished_at", now=now)
    record(
        action="ops.job.cancelled",
        subject=SubjectRef("ops", "job", job.pk, str(job)),
        actor=actor,
        now=now,
        changes={"state": [before, job.state]},
        customer_id=job.customer_id,
        unit_id=job.unit_id,
    )
    return job


def _locked(job_id: int) -> Job:
    return Job.objects.select_for_update(no_key=True).get(pk=job_id)
