"""Bill runs: planned in chunks, each chunk one transaction, resumable anywhere.

A killed worker loses at most the chunk it held: its transaction rolls back, its
lock goes, and whoever asks next takes the chunk again.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from apps.billing.enums import ParkReason
from apps.billing.errors import BillingDayAhead, RunInProgress
from apps.billing.events import (
    BillingRunFinished,
    BillingRunStarted,
    InvoicesIssued,
)
from apps.billing.models import BillingChunk, BillingRun, ParkedService
from apps.billing.operations.sellers import current_seller_id
from apps.billing.operations.writing import Issue, write_invoices
from apps.billing.rules.rating import Bill, Parked
from apps.billing.selectors.runs import due_date_of, rate_range
from apps.catalog import selectors as catalog
from apps.identity.selectors import CustomerSnapshot
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from apps.ops.enums import JobState
from apps.ops.errors import JobEnded
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids, refusing
from dotmac.core.refs import SubjectRef

CHUNK_CUSTOMERS = 1000
CHUNK_CUSTOMERS_MAX = 5000


def run_billing(
    *, day: date, actor: Actor, now: datetime, chunk_size: int = CHUNK_CUSTOMERS
) -> BillingRun:
    """Bill every month begun on or before the day and not billed yet, to the end.

    A run that was interrupted is finished first. Repeating bills nothing twice.
    Works chunk by chunk in transactions of its own.
    """
    unfinished = BillingRun.objects.filter(finished_at__isnull=True).first()
    if unfinished is not None:
        _work_all(unfinished, actor, now)
    if unfinished is not None and unfinished.day == day:
        unfinished.refresh_from_db()
        return unfinished
    run = start_run(day=day, actor=actor, now=now, chunk_size=chunk_size)
    _work_all(run, actor, now)
    run.refresh_from_db()
    return run


def _work_all(run: BillingRun, actor: Actor, now: datetime) -> None:
    # Bounded by the run's chunks: each turn finishes one of them.
    while bill_next_chunk(run_id=run.pk, actor=actor, now=now) is not None:
        continue
    finish_run(run_id=run.pk, actor=actor, now=now)


@transaction.atomic
def start_run(
    *, day: date, actor: Actor, now: datetime, chunk_size: int = CHUNK_CUSTOMERS
) -> BillingRun:
    """Plan a run: its job and its chunks. Workers then bill chunk after chunk.

    The open run of the same day is returned as it is; one of another day
    refuses (`run_in_progress`), and so does a day that has not come.
    """
    if day > ops_selectors.business_date(now=now):
        raise BillingDayAhead(field="date")
    standing = BillingRun.objects.filter(finished_at__isnull=True).first()
    if standing is not None and standing.day == day:
        return standing

    bounds = catalog.customer_bounds(
        day=day, size=min(max(chunk_size, 1), CHUNK_CUSTOMERS_MAX)
    )
    run_id = next_ids(BillingRun)[0]
    job = ops.start_job(
        kind="billing.run",
        subject=SubjectRef("billing", "run", run_id, str(day)),
        actor=actor,
        now=now,
        total=sum(count for _, count in bounds),
    )
    with refusing(billing_billingrun_one_open=RunInProgress):
        run = BillingRun.objects.create(
            id=run_id, job=job, day=day, started_at=now, created_at=now, updated_at=now
        )
    _plan(run, bounds)
    ops.emit(BillingRunStarted(occurred_at=now, run_id=run.pk, day=day), actor=actor)
    return run


def _plan(run: BillingRun, bounds: list[tuple[int, int]]) -> None:
    after = 0
    chunks = []
    for number, (until, count) in enumerate(bounds, 1):
        chunks.append(
            BillingChunk(
                run=run,
                number=number,
                customer_after=after,
                customer_until=until,
                customers_count=count,
            )
        )
        after = until
    BillingChunk.objects.bulk_create(chunks, batch_size=1000)


def bill_next_chunk(*, run_id: int, actor: Actor, now: datetime) -> BillingChunk | None:
    """Bill one chunk that no other worker holds; None when there is none left,
    or when somebody cancelled the run's job.

    One transaction with a fixed number of statements. The job's progress follows
    in a transaction of its own, so that workers do not queue on the job.
    """
    chunk = _bill_chunk(run_id=run_id, actor=actor, now=now)
    if chunk is not None:
        _report(run_id=run_id, now=now)
    return chunk


@transaction.atomic
def _bill_chunk(*, run_id: int, actor: Actor, now: datetime) -> BillingChunk | None:
    run = BillingRun.objects.get(pk=run_id)
    waiting = BillingChunk.objects.claimable().filter(run=run).order_by("number")
    chunk = None if _cancelled(run) else waiting.first()
    if chunk is None:
        return None

    bills, parked = rate_range(
        day=run.day, after_id=chunk.customer_after, until_id=chunk.customer_until
    )
    _park(run, parked)
    chunk.done_at = now
    chunk.invoices_count = len(bills)
    chunk.lines_count = sum(len(bill.lines) for _, bill in bills)
    chunk.totals_minor = dict(_totals(bills))
    chunk.save()
    if bills:
        ops.emit(_issued(run, chunk, now), actor=actor)
    issue = Issue(
        run_id=run.pk,
        seller_id=current_seller_id(),
        issue_date=run.day,
        due_date=due_date_of(run.day),
        now=now,
    )
    # Last: it ends with the number series, which everybody waits for.
    write_invoices(issue=issue, bills=bills)
    return chunk


def _cancelled(run: BillingRun) -> bool:
    return ops_selectors.job_of(run.job_id).cancel_requested_at is not None


def _park(run: BillingRun, parked: list[tuple[int, Parked]]) -> None:
    ParkedService.objects.bulk_create(
        [
            ParkedService(
                run=run,
                customer_id=customer_id,
                service_id=one.item.service_id,
                service_reference=one.item.service_reference,
                period_start=one.item.period.start,
                reason=ParkReason(one.reason.value),
            )
            for customer_id, one in parked
        ],
        batch_size=1000,
    )


def _totals(bills: list[tuple[CustomerSnapshot, Bill]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for _, bill in bills:
        totals[bill.currency] += bill.total_minor
    return totals


def _issued(run: BillingRun, chunk: BillingChunk, now: datetime) -> InvoicesIssued:
    return InvoicesIssued(
        occurred_at=now,
        run_id=run.pk,
        chunk_id=chunk.pk,
        customer_after=chunk.customer_after,
        customer_until=chunk.customer_until,
        invoices_count=chunk.invoices_count,
    )


@transaction.atomic
def _report(*, run_id: int, now: datetime) -> None:
    run = BillingRun.objects.get(pk=run_id)
    sums = BillingChunk.objects.filter(run_id=run_id, done_at__isnull=False).aggregate(
        customers=Sum("customers_count"), invoices=Sum("invoices_count")
    )
    # Another worker may have done the last chunk and ended the job meanwhile.
    with suppress(JobEnded):
        ops.advance_job(
            job_id=run.job_id,
            done=sums["customers"] or 0,
            message=f"{sums['invoices'] or 0} invoices",
            now=now,
        )


@transaction.atomic
def finish_run(*, run_id: int, actor: Actor, now: datetime) -> BillingRun:
    """Close the run when its last chunk is done; otherwise it stays open.

    A cancelled run is closed as it stands: what was billed stays billed, and the
    next run bills the rest.
    """
    run = BillingRun.objects.select_for_update(no_key=True).get(pk=run_id)
    waiting = BillingChunk.objects.filter(run=run).waiting().exists()
    if run.finished_at is not None or (waiting and not _cancelled(run)):
        return run

    run.finished_at = now
    run.store("finished_at", now=now)
    ops.finish_job(
        job_id=run.job_id,
        state=JobState.CANCELLED if _cancelled(run) else JobState.SUCCEEDED,
        result=_result(run),
        now=now,
    )
    ops.emit(
        BillingRunFinished(occurred_at=now, run_id=run.pk, day=run.day), actor=actor
    )
    return run


def _result(run: BillingRun) -> dict[str, object]:
    chunks = BillingChunk.objects.filter(run=run)
    totals: Counter[str] = Counter()
    for row in chunks.values_list("totals_minor", flat=True):
        totals.update(row)
    sums = chunks.aggregate(invoices=Sum("invoices_count"), lines=Sum("lines_count"))
    return {
        "invoices": sums["invoices"] or 0,
        "lines": sums["lines"] or 0,
        "parked": ParkedService.objects.filter(run=run).count(),
        "totals_minor": dict(totals),
    }
