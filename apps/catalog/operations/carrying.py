"""How a worker carries a provisioning job through its steps.

Whoever carries a job holds a lease (`due_at` in the future) and a claim number.
Each step is begun, done and settled in transactions of its own; every one of
them asks for the claim number, so that a worker that was thought dead cannot
write after its successor. The check speaks to the RADIUS server between two
transactions, never inside one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from apps.catalog import events
from apps.catalog.enums import Outcome, ProvisioningState, StepName, StepState
from apps.catalog.errors import LeaseLost
from apps.catalog.models import Plan, ProvisioningJob, ProvisioningStep, Service
from apps.catalog.operations.activation import activate_service
from apps.catalog.operations.loading import about
from apps.catalog.operations.provisioning import give_up, locked_job
from apps.catalog.rules import provisioning as rules
from apps.network import operations as network_operations
from apps.network import selectors as network
from apps.network.enums import PoolMode
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from apps.ops.enums import JobState
from dotmac.core.actors import Actor
from dotmac.core.errors import DomainError
from dotmac.core.models import open_sealed

LEASE = timedelta(seconds=60)

Clock = Callable[[], datetime]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """The right to carry one job: it lapses when somebody takes a higher claim."""

    job_id: int
    claim: int


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt at a step ended, in words for people."""

    outcome: Outcome
    says: str


def carry_provisioning(*, job_id: int, actor: Actor, clock: Clock) -> None:
    """Carry the job until it ends, has to wait, or another worker took it.

    Harmless to call at any time by any number of workers: one gets the claim.
    """
    held = claim_provisioning(job_id=job_id, now=clock())
    if held is None:
        return
    try:
        # Every turn settles one of the few steps, or ends the carrying.
        going_on = True
        while going_on:
            step = begin_step(held=held, actor=actor, now=clock())
            going_on = step is not None and _carry_step(held, step, actor, clock)
    except LeaseLost:
        log.info("provisioning_lease_lost", job_id=job_id, claim=held.claim)


@transaction.atomic
def claim_provisioning(*, job_id: int, now: datetime) -> Held | None:
    """Take the job for a minute, if it is due and nobody carries it."""
    taken = (
        ProvisioningJob.objects.claimable(now)
        .filter(pk=job_id)
        .update(
            state=ProvisioningState.RUNNING,
            claim=F("claim") + 1,
            due_at=now + LEASE,
            updated_at=now,
        )
    )
    if not taken:
        return None
    claim = ProvisioningJob.objects.values_list("claim", flat=True).get(pk=job_id)
    return Held(job_id, claim)


@transaction.atomic
def begin_step(*, held: Held, actor: Actor, now: datetime) -> str | None:
    """Note that the next step is being tried, and renew the lease.

    Returns its name; None when the job has ended here, because somebody asked
    to cancel it or because the step ended too many workers.
    """
    service, job = _hold(held)
    if ops_selectors.job_of(job.job_id).cancel_requested_at is not None:
        give_up(service, job, actor=actor, now=now)
        return None
    steps = ProvisioningStep.objects.filter(job=job).order_by("number")
    name = rules.first_open_step([(step.name, step.state) for step in steps])
    assert name is not None, "The last step ends the job in its own transaction."
    step = next(step for step in steps if step.name == name)
    if step.attempts >= rules.ATTEMPTS_MAX:
        says = f"Tried {step.attempts} times, the last answer: {step.answer or 'none'}"
        _fail(service, job, step, says, actor=actor, now=now)
        return None

    step.attempts, step.started_at, step.finished_at = step.attempts + 1, now, None
    step.store("attempts", "started_at", "finished_at", now=now)
    job.due_at = now + LEASE
    job.store("due_at", now=now)
    ops.advance_job(job_id=job.job_id, done=step.number - 1, message=step.name, now=now)
    return name


@transaction.atomic
def perform_step(*, held: Held, name: str, actor: Actor, now: datetime) -> Answer:
    """Do one step that only the database is needed for, and settle it with it."""
    service, job = _hold(held)
    answer = _LOCAL[StepName(name)](service, actor, now)
    _settle(job, name, answer, now)
    return answer


@transaction.atomic
def conclude_check(*, held: Held, says: str, actor: Actor, now: datetime) -> None:
    """The check agreed with the order: the service is active, the job done."""
    known = ProvisioningJob.objects.only("service_id").get(pk=held.job_id)
    activate_service(service_id=known.service_id, actor=actor, now=now)
    _, job = _hold(held)
    _settle(job, StepName.CHECK, Answer(Outcome.DONE, says), now)
    job.state, job.finished_at = ProvisioningState.SUCCEEDED, now
    job.store("state", "finished_at", now=now)
    ops.advance_job(job_id=job.job_id, done=len(rules.STEPS), now=now)
    ops.finish_job(job_id=job.job_id, state=JobState.SUCCEEDED, now=now)


@transaction.atomic
def postpone_step(*, held: Held, name: str, says: str, now: datetime) -> None:
    """Nobody answered: keep the words, try again later."""
    _, job = _hold(held)
    step = ProvisioningStep.objects.get(job=job, name=name)
    step.answer, step.finished_at = says, now
    step.store("answer", "finished_at", now=now)
    job.state = ProvisioningState.QUEUED
    job.due_at = now + timedelta(seconds=rules.retry_delay_s(step.attempts))
    job.store("state", "due_at", now=now)


@transaction.atomic
def fail_step(*, held: Held, name: str, says: str, actor: Actor, now: datetime) -> None:
    """The step was refused: the job stops here until somebody retries it."""
    service, job = _hold(held)
    step = ProvisioningStep.objects.get(job=job, name=name)
    _fail(service, job, step, says, actor=actor, now=now)


def _carry_step(held: Held, name: str, actor: Actor, clock: Clock) -> bool:
    """True when the next step may follow."""
    try:
        if name != StepName.CHECK:
            perform_step(held=held, name=name, actor=actor, now=clock())
            return True
        answer = _check(held)
    except LeaseLost:
        raise
    except DomainError as refusal:
        answer = Answer(Outcome.REFUSED, refusal.detail)
    if answer.outcome == Outcome.DONE:
        conclude_check(held=held, says=answer.says, actor=actor, now=clock())
    elif answer.outcome == Outcome.UNANSWERED:
        postpone_step(held=held, name=name, says=answer.says, now=clock())
    else:
        fail_step(held=held, name=name, says=answer.says, actor=actor, now=clock())
    return False


def _check(held: Held) -> Answer:
    """Ask the RADIUS server for the service as a NAS would, outside transactions."""
    rows = ProvisioningJob.objects.select_related(
        "service__plan__profile", "service__plan__pool"
    )
    service = rows.get(pk=held.job_id).service
    # Given up meanwhile: the next write of this worker would be refused anyway.
    if service.access_id is None:
        raise LeaseLost
    account = network.account_view(service.access_id)
    result = network_operations.check_access(
        login=account.login, password=network.account_secret(service.access_id)
    )
    if result.silent:
        return Answer(Outcome.UNANSWERED, "The RADIUS server did not answer.")
    if not result.accepted:
        return Answer(Outcome.REFUSED, "The RADIUS server refused the login.")
    expected = _expected(service.plan, next(iter(account.addresses), None))
    given = rules.Rate(*result.rate_kbps) if result.rate_kbps else None
    found = rules.differences(expected, given, result.attributes)
    if found:
        return Answer(Outcome.REFUSED, "Accepted, but " + "; ".join(found) + ".")
    where = expected.address or "an address of the NAS"
    return Answer(Outcome.DONE, f"Access-Accept with {given} and {where}.")


def _expected(plan: Plan, address: str | None) -> rules.Expected:
    return rules.Expected(
        down_kbps=plan.profile.down_kbps,
        up_kbps=plan.profile.up_kbps,
        address=address,
        framed_pool=plan.pool.framed_pool if plan.pool else "",
    )


def _hold(held: Held) -> tuple[Service, ProvisioningJob]:
    """Service and job, locked; raises LeaseLost when the claim is outdated."""
    service, job = locked_job(held.job_id)
    if job.claim != held.claim or job.state != ProvisioningState.RUNNING:
        raise LeaseLost
    return service, job


def _open_access(service: Service, actor: Actor, now: datetime) -> Answer:
    if service.access_id is not None:
        return Answer(Outcome.DONE, "The account is open.")
    login = service.login or ""
    account = network_operations.open_access(
        login=login,
        password=open_sealed(service, "password"),
        profile_id=service.plan.profile_id,
        pool_id=service.plan.pool_id,
        actor=actor,
        now=now,
    )
    # From here on the account owns both; the service keeps no copy.
    service.access_id = account.pk
    service.login = service.password = None  # type: ignore[assignment]
    service.store("access", "login", "password", now=now)
    return Answer(Outcome.DONE, f"Account {login} is open.")


def _allocate_address(service: Service, actor: Actor, now: datetime) -> Answer:
    pool = service.plan.pool
    if pool is None or pool.mode == PoolMode.NAS:
        return Answer(Outcome.SKIPPED, "The NAS chooses the address.")
    assert service.access_id is not None, "open_access comes first."
    held = network_operations.allocate_address(
        pool_id=pool.pk, account_id=service.access_id, actor=actor, now=now
    )
    return Answer(Outcome.DONE, f"{rules.address_text(held.address)} from {pool.name}.")


_LOCAL: dict[StepName, Callable[[Service, Actor, datetime], Answer]] = {
    StepName.OPEN_ACCESS: _open_access,
    StepName.ALLOCATE_ADDRESS: _allocate_address,
}


def _settle(job: ProvisioningJob, name: str, answer: Answer, now: datetime) -> None:
    step = ProvisioningStep.objects.get(job=job, name=name)
    step.state = StepState(answer.outcome.value)
    step.answer, step.finished_at = answer.says, now
    step.store("state", "answer", "finished_at", now=now)


def _fail(
    service: Service,
    job: ProvisioningJob,
    step: ProvisioningStep,
    says: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    step.state, step.answer, step.finished_at = StepState.FAILED, says, now
    step.store("state", "answer", "finished_at", now=now)
    job.state, job.finished_at = ProvisioningState.FAILED, now
    job.store("state", "finished_at", now=now)
    ops.finish_job(
        job_id=job.job_id, state=JobState.FAILED, error=f"{step.name}: {says}", now=now
    )
    ops.emit(
        events.ProvisioningFailed(
            occurred_at=now,
            job_id=job.pk,
            step=step.name,
            answer=says,
            **about(service),
        ),
        actor=actor,
    )
