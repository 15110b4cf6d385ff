"""Bill runs carried by workers. The database decides; a repeat is harmless."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.billing import operations, selectors
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import system_actor

CHUNKS_PER_TASK_MAX = 50


@shared_task(name="billing.run_billing", acks_late=True, time_limit=120)
def run_billing(**_later: object) -> int:
    """Start the run of the business date, or go on with the one that is open."""
    now = timezone.now()
    open_run = selectors.open_run()
    if open_run is None:
        open_run = operations.start_run(
            day=ops_selectors.business_date(now=now),
            actor=system_actor("beat"),
            now=now,
        )
    work_run.delay(run_id=open_run.pk)
    return open_run.pk


@shared_task(name="billing.work_run", acks_late=True, time_limit=300)
def work_run(*, run_id: int, **_later: object) -> int:
    """Bill chunks until none is left or the task's share is done.

    Several of these may work on one run; a killed one leaves its chunk to the
    next. Returns the number of chunks billed.
    """
    actor = system_actor("billing")
    for done in range(CHUNKS_PER_TASK_MAX):
        chunk = operations.bill_next_chunk(
            run_id=run_id, actor=actor, now=timezone.now()
        )
        if chunk is None:
            operations.finish_run(run_id=run_id, actor=actor, now=timezone.now())
            return done
    work_run.delay(run_id=run_id)
    return CHUNKS_PER_TASK_MAX


@shared_task(name="billing.sweep_runs", acks_late=True, time_limit=60)
def sweep_runs(**_later: object) -> int:
    """Send a worker to a run that is still open: its workers may be gone."""
    run = selectors.open_run()
    if run is None:
        return 0
    work_run.delay(run_id=run.pk)
    return 1
