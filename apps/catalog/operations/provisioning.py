"""A job of named steps puts a service on the network: begin, retry, give up.

The database decides, workers only carry (`carrying`). A job that fails keeps
what was done and can be retried from there; a job that is given up undoes it.
Neither leaves an account or an address without the service, since both are
made, and undone, in the transaction that ties them to it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from apps.catalog import events
from apps.catalog.enums import (
    OrderState,
    ProvisioningState,
    ServiceState,
    StepState,
)
from apps.catalog.errors import (
    ProvisioningFinished,
    ProvisioningNotFailed,
    ServiceNotPending,
    UnknownProvisioningJob,
)
from apps.catalog.models import ProvisioningJob, ProvisioningStep, Service
from apps.catalog.models.provisioning import UNFINISHED
from apps.catalog.operations.loading import about, locked_service, move_order
from apps.catalog.rules.provisioning import STEPS
from apps.network import operations as network_operations
from apps.network import selectors as network
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from apps.ops.enums import JobState
from dotmac.core.actors import Actor
from dotmac.core.models import seal_into
from dotmac.core.refs import SubjectRef

if TYPE_CHECKING:
    from apps.ops.models import Job

KIND = "catalog.provisioning"
GIVE_UP_AFTER = timedelta(hours=24)
GIVE_UP_MAX = 100


@transaction.atomic
def provision_service(*, service_id: int, actor: Actor, now: datetime) -> Job:
    """Queue the job that puts the service on the network; returns what to watch.

    While a job is under way, and once it succeeded, a repeat returns it; a
    failed one is retried. Refused for a terminated service.
    """
    service = locked_service(service_id)
    if service.state == ServiceState.TERMINATED:
        raise ServiceNotPending(state=service.state)
    latest = ProvisioningJob.objects.filter(service=service).order_by("-pk").first()
    if latest and latest.state == ProvisioningState.FAILED:
        return retry_provisioning(job_id=latest.pk, actor=actor, now=now)
    if latest and latest.state != ProvisioningState.CANCELLED:
        return ops_selectors.job_of(latest.job_id)
    if service.state != ServiceState.PENDING:
        raise ServiceNotPending(state=service.state)

    service.state = ServiceState.PROVISIONING
    service.store("state", now=now)
    move_order(service, OrderState.FULFILLING, now)
    seen = _start_seen_job(service, actor, now)
    job = ProvisioningJob.objects.create(
        job=seen, service=service, due_at=now, created_at=now, updated_at=now
    )
    ProvisioningStep.objects.bulk_create(
        ProvisioningStep(
            job=job, number=number, name=name, created_at=now, updated_at=now
        )
        for number, name in enumerate(STEPS, start=1)
    )
    _tell_queued(service, job, actor, now)
    return seen


@transaction.atomic
def retry_provisioning(*, job_id: int, actor: Actor, now: datetime) -> Job:
    """Carry a failed job on from the step that failed; returns what to watch.

    What was done stays done. A job that waits or runs already is returned as it
    is. Refused for one that succeeded or was given up.
    """
    service, job = locked_job(job_id)
    if job.state in (ProvisioningState.QUEUED, ProvisioningState.RUNNING):
        return ops_selectors.job_of(job.job_id)
    if job.state != ProvisioningState.FAILED:
        raise ProvisioningNotFailed(state=job.state)

    ProvisioningStep.objects.filter(job=job, state=StepState.FAILED).update(
        state=StepState.WAITING, attempts=0, updated_at=now
    )
    # What people watched has ended; the next try is a job of its own.
    job.job = _start_seen_job(service, actor, now)
    job.state, job.due_at, job.finished_at = ProvisioningState.QUEUED, now, None
    job.store("job", "state", "due_at", "finished_at", now=now)
    _tell_queued(service, job, actor, now)
    return job.job


@transaction.atomic
def cancel_provisioning(*, job_id: int, actor: Actor, now: datetime) -> ProvisioningJob:
    """Give the job up: the account closes, its address rests, the service waits.

    Refused when the job succeeded. Repeatable.
    """
    service, job = locked_job(job_id)
    if job.state == ProvisioningState.CANCELLED:
        return job
    if job.state == ProvisioningState.SUCCEEDED:
        raise ProvisioningFinished

    return give_up(service, job, actor=actor, now=now)


def cancel_stale_provisioning(
    *, actor: Actor, now: datetime, limit: int = GIVE_UP_MAX
) -> int:
    """Give up failed jobs that nobody retried for a day, each on its own.

    Until then the account of an unfinished service could be used unbilled.
    """
    stale = ProvisioningJob.objects.filter(
        state=ProvisioningState.FAILED, finished_at__lt=now - GIVE_UP_AFTER
    ).order_by("pk")
    ids = list(stale.values_list("pk", flat=True)[: min(limit, GIVE_UP_MAX)])
    for job_id in ids:
        cancel_provisioning(job_id=job_id, actor=actor, now=now)
    return len(ids)


def give_up(
    service: Service, job: ProvisioningJob, *, actor: Actor, now: datetime
) -> ProvisioningJob:
    """Undo what the unfinished job of the locked service did, in one transaction."""
    if service.access_id is not None:
        _undo_access(service, actor, now)
    ProvisioningStep.objects.filter(job=job, state=StepState.DONE).update(
        state=StepState.UNDONE, updated_at=now
    )
    service.state = ServiceState.PENDING
    service.store("access", "login", "password", "state", now=now)
    move_order(service, OrderState.ACCEPTED, now)
    # A worker that still carries the job finds its claim outdated.
    job.claim += 1
    job.state, job.finished_at = ProvisioningState.CANCELLED, now
    job.store("claim", "state", "finished_at", now=now)
    if not ops_selectors.job_of(job.job_id).is_over:
        ops.finish_job(job_id=job.job_id, state=JobState.CANCELLED, now=now)
    ops.emit(
        events.ProvisioningCancelled(occurred_at=now, job_id=job.pk, **about(service)),
        actor=actor,
    )
    return job


def locked_job(job_id: int) -> tuple[Service, ProvisioningJob]:
    """Service and job, locked in this order; raises UnknownProvisioningJob."""
    known = ProvisioningJob.objects.filter(pk=job_id).only("service_id").first()
    if known is None:
        raise UnknownProvisioningJob
    service = locked_service(known.service_id)
    return service, ProvisioningJob.objects.locked().get(pk=job_id)


def unfinished_job(service: Service) -> ProvisioningJob:
    """The one job that a service in provisioning has, locked after it."""
    return ProvisioningJob.objects.locked().get(service=service, state__in=UNFINISHED)


def _undo_access(service: Service, actor: Actor, now: datetime) -> None:
    """Release the address, close the account, keep the wish for the next try."""
    account_id = service.access_id
    assert account_id is not None
    service.login = network.account_view(account_id).login
    seal_into(service, "password", network.account_secret(account_id))
    service.access = None
    network_operations.release_address(account_id=account_id, actor=actor, now=now)
    network_operations.close_access(account_id=account_id, actor=actor, now=now)


def _start_seen_job(service: Service, actor: Actor, now: datetime) -> Job:
    return ops.start_job(
        kind=KIND,
        subject=SubjectRef("catalog", "service", service.pk, service.reference),
        actor=actor,
        now=now,
        customer_id=service.customer_id,
        total=len(STEPS),
    )


def _tell_queued(
    service: Service, job: ProvisioningJob, actor: Actor, now: datetime
) -> None:
    ops.emit(
        events.ProvisioningQueued(occurred_at=now, job_id=job.pk, **about(service)),
        actor=actor,
    )
