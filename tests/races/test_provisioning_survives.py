"""SIGKILL at each step of provisioning: the job ends in a named state, and no
account or address stays without its service.

The victim is caught while it waits for a lock that the test holds, so that the
point of death is exact; which lock says how far it has come.
"""

import os
import signal
import time
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg
import pytest
from django.utils import timezone

from apps.catalog import selectors
from apps.catalog.models import ProvisioningJob, Service
from apps.catalog.operations import carrying
from apps.network.models import AccessAccount, AddressAssignment
from apps.ops.models import Job
from tests.catalog.radius import listening, start_worker
from tests.catalog.shops import broken_invariants, build_shop
from tests.world import SYSTEM, World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
WAIT_S = 45
BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
# Where the worker dies: what it has committed by then, and the lock it waits for.
LOCK_OF = {
    # The login's place in the unique index: an open account not yet committed.
    "open_access": """
        INSERT INTO network_accessaccount (login, secret, kind, profile_id, mac_lock)
        SELECT 'chidi', '\\x00', 'radius', profile_id, '' FROM catalog_plan
    """,
    "allocate_address": "SELECT 1 FROM network_addresspool FOR NO KEY UPDATE",
    "check": "SELECT 1 FROM identity_customer FOR NO KEY UPDATE",
}
DONE_BEFORE = {"open_access": 0, "allocate_address": 1, "check": 2}


@pytest.fixture
def isp(own_database, tmp_path, settings):
    world, shop = World(), build_shop()
    service = shop.do.order_service(
        customer_id=world.chidi.customer.pk,
        plan_id=shop.plan.pk,
        login="chidi",
        password="rain-7-drum",
    )
    shop.do.provision_service(service_id=service.pk, now=timezone.now())
    job = ProvisioningJob.objects.get()
    with listening("embedded", tmp_path, settings):
        yield SimpleNamespace(
            shop=shop, service=service, job=job, folder=tmp_path, name=own_database
        )


@contextmanager
def held_lock(isp, statement):
    """Another session holds the lock until the block ends."""
    url = os.environ["DOTMAC_TEST_SUPERUSER_URL"].rsplit("/", 1)[0]
    with psycopg.connect(f"{url}/{isp.name}") as holder:
        holder.execute(statement)
        with psycopg.connect(f"{url}/{isp.name}", autocommit=True) as watcher:
            yield watcher
        holder.rollback()


def blocked(watcher):
    (found,) = watcher.execute(BLOCKED).fetchone() or (0,)
    return found


def kill_at(isp, name):
    with held_lock(isp, LOCK_OF[name]) as watcher:
        worker = start_worker(isp.job.pk, isp.folder)
        deadline = time.monotonic() + WAIT_S
        while not blocked(watcher):
            assert worker.poll() is None, "It should have waited for the lock."
            assert time.monotonic() < deadline
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as watcher:
        while blocked(watcher):
            time.sleep(0.05)


def states(isp):
    return [step.state for step in selectors.steps_of(isp.job.pk)]


def resume(isp):
    """As the sweep does once the dead worker's lease has run out."""
    later = timezone.now() + carrying.LEASE
    assert selectors.due_provisioning_jobs(now=timezone.now()) == []
    assert selectors.due_provisioning_jobs(now=later) == [isp.job.pk]
    carrying.carry_provisioning(job_id=isp.job.pk, actor=SYSTEM, clock=lambda: later)


def open_accounts():
    return AccessAccount.objects.filter(closed_at=None).count()


def held_addresses():
    return AddressAssignment.objects.filter(released_at=None).count()


@pytest.mark.parametrize("name", list(LOCK_OF))
def test_another_worker_finishes_what_the_dead_one_began(isp, name):
    kill_at(isp, name)

    done = DONE_BEFORE[name]
    assert states(isp) == ["done"] * done + ["waiting"] * (3 - done)
    assert (open_accounts(), held_addresses()) == (min(done, 1), max(0, done - 1))
    assert Service.objects.get().state == "provisioning"
    assert broken_invariants() == []

    resume(isp)

    isp.job.refresh_from_db()
    assert (isp.job.state, states(isp)) == ("succeeded", ["done"] * 3)
    assert Job.objects.get().state == "succeeded"
    assert Service.objects.get().state == "active"
    assert (open_accounts(), held_addresses()) == (1, 1)
    assert AddressAssignment.objects.count() == 1
    assert broken_invariants() == []


@pytest.mark.parametrize("name", list(LOCK_OF))
def test_giving_up_after_a_death_leaves_nothing_behind(isp, name):
    kill_at(isp, name)

    isp.shop.do.cancel_provisioning(job_id=isp.job.pk, now=timezone.now())

    isp.job.refresh_from_db()
    assert isp.job.state == "cancelled"
    assert Job.objects.get().state == "cancelled"
    assert Service.objects.get().state == "pending"
    assert (open_accounts(), held_addresses()) == (0, 0)
    assert broken_invariants() == []


def test_a_worker_killed_again_and_again_ends_in_failed(isp):
    for _ in range(5):
        kill_at(isp, "check")
        ProvisioningJob.objects.update(due_at=timezone.now())

    worker = start_worker(isp.job.pk, isp.folder)
    assert worker.wait(WAIT_S) == 0

    isp.job.refresh_from_db()
    assert (isp.job.state, Job.objects.get().state) == ("failed", "failed")
    assert states(isp) == ["done", "done", "failed"]
    assert broken_invariants() == []


def test_many_workers_on_one_job_do_each_step_once(isp):
    workers = [start_worker(isp.job.pk, isp.folder) for _ in range(4)]
    assert [worker.wait(WAIT_S) for worker in workers] == [0, 0, 0, 0]

    isp.job.refresh_from_db()
    assert (isp.job.state, isp.job.claim) == ("succeeded", 1)
    assert [step.attempts for step in selectors.steps_of(isp.job.pk)] == [1, 1, 1]
    assert (open_accounts(), held_addresses()) == (1, 1)
