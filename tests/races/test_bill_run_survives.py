"""A bill run whose workers are killed anywhere bills everything exactly once.

The kills are SIGKILL to processes that run the command. A named point is a row
that the test holds locked: the worker stops there with everything before it
done, and is killed.
"""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date

import psycopg
import pytest

from apps.billing.models import BillingChunk, BillingRun, Invoice
from apps.billing.rules.ledger import payment_postings
from apps.ops.operations.integrity import _evaluate
from dotmac.core.invariants import all_invariants
from tests.billing import world
from tests.billing.oracle import expected_bills, issued_bills
from tests.environment import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DAY = date(2026, 11, 20)
CUSTOMERS = 120
CHUNK = 8


@pytest.fixture
def isp(own_database):
    world.vat()
    plans = [world.plan(f"{n * 1234}.567891") for n in range(1, 5)]
    for n in range(CUSTOMERS):
        world.service(world.customer(), plans[n % 4], start=date(2026, 10, 1 + n % 28))
    return expected_bills(DAY)


@pytest.fixture
def command():
    """Starts `manage.py run_billing` as a process; kills what is left."""
    started = []

    def start(*arguments):
        dated = ("--date", str(DAY), "--chunk", str(CHUNK))
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_billing", *dated, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(question, seconds=30):
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.02)


def waits_for_lock(connection):
    rows = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    return rows.fetchall() != [(0,)]


def judge(expected) -> None:
    """All is billed once, without gaps, and nothing is out of step."""
    judge_books(expected)
    run = BillingRun.objects.get()
    assert (run.job.state, run.job.percent) == ("succeeded", 100)


def judge_books(expected) -> None:
    assert issued_bills() == expected
    numbers = sorted(row.number or 0 for row in Invoice.objects.all())
    assert numbers == list(range(1, len(expected) + 1))
    found = {
        one.name: sample
        for one in all_invariants()
        if one.name.startswith("billing.") and (sample := _evaluate(one).sample)
    }
    assert found == {}


# Where the worker stands still, and what must not be there after its death.
POINTS = {
    "posting": "SELECT FROM billing_customerbalance WHERE customer_id = %s FOR UPDATE",
    "numbering": "SELECT FROM billing_numberseries FOR UPDATE",
    "reporting": "SELECT FROM ops_job WHERE kind = 'billing.run' FOR UPDATE",
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_named_point_loses_only_the_chunk_at_hand(isp, command, point):
    day_before = date(2026, 10, 31)
    # A first small bill, so that the rows to lock exist.
    owner = world.customer("Early")
    world.service(owner, world.plan("1"), start=date(2026, 10, 30), end=day_before)
    world.operations.start_run(
        day=DAY, actor=world.ACTOR, now=world.noon(DAY), chunk_size=CHUNK
    )
    chunk = world.operations.bill_next_chunk(
        run_id=BillingRun.objects.get().pk, actor=world.ACTOR, now=world.noon(DAY)
    )
    billed = Invoice.objects.count()
    assert chunk is not None
    assert billed == chunk.invoices_count == CHUNK
    expected = expected_bills(DAY)

    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as holder:
        victim = first_unbilled(holder)
        if point == "posting":
            make_balance(holder, victim)
        holder.execute(POINTS[point], [victim] if point == "posting" else [])
        worker = command()
        with psycopg.connect(
            os.environ["DATABASE_OWNER_URL"], autocommit=True
        ) as watcher:
            until(lambda: waits_for_lock(watcher))
        kill(worker)
        holder.rollback()
    until(no_other_sessions)
    # Before the commit nothing of the chunk is there; after it, all of it.
    committed = CHUNK if point == "reporting" else 0
    assert Invoice.objects.count() == billed + committed
    assert BillingChunk.objects.filter(done_at__isnull=False).count() == (
        2 if committed else 1
    )

    resumed = command()
    output, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, output
    judge(expected)


def first_unbilled(connection):
    row = connection.execute(
        "SELECT min(customer_id) FROM catalog_service s WHERE NOT EXISTS"
        " (SELECT FROM billing_billedperiod b WHERE b.service_id = s.id)"
    ).fetchone()
    return row[0]


def make_balance(connection, customer_id: int) -> None:
    """A payment in advance, so that the customer has a balance row to wait for."""
    world.operations.post(
        source_kind="test",
        source_id=customer_id,
        postings=payment_postings(
            customer_id=customer_id, account=1010, amount_minor=1, currency="NGN"
        ),
        occurred_date=DAY,
        now=world.noon(DAY),
    )
    world.operations.post(
        source_kind="test_back",
        source_id=customer_id,
        postings=payment_postings(
            customer_id=customer_id, account=1010, amount_minor=-1, currency="NGN"
        ),
        occurred_date=DAY,
        now=world.noon(DAY),
    )


def no_other_sessions():
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as one:
        rows = one.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state <> 'idle' AND pid <> pg_backend_pid()"
        )
        return rows.fetchall() == [(0,)]


def kill_both_after_a_chunk(command, dice) -> None:
    """Two workers; both die some milliseconds after one of them got somewhere."""
    before = chunks_done()
    workers = [command(), command()]
    until(lambda: chunks_done() > before or workers[0].poll() is not None)
    time.sleep(dice.random() * 0.15)
    for worker in workers:
        kill(worker)


def test_two_workers_killed_at_random_bill_everything_once(isp, command):
    dice = random.Random(7)
    for _ in range(4):
        kill_both_after_a_chunk(command, dice)
    until(no_other_sessions)

    last = [command(), command()]
    for worker in last:
        output, _ = worker.communicate(timeout=120)
        assert worker.returncode == 0, output
    judge_books(isp)
    # A repeat after the end makes runs of their own that find nothing to bill.
    assert BillingRun.objects.filter(finished_at__isnull=True).exists() is False


def chunks_done() -> int:
    return BillingChunk.objects.filter(done_at__isnull=False).count()


def test_helpers_share_one_run(isp, command):
    worker = command("--workers", "3")
    output, _ = worker.communicate(timeout=120)
    assert worker.returncode == 0, output
    judge(isp)
    assert b"120 invoices" in output
