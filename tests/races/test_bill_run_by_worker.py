"""A Celery worker carries a bill run that beat started."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import kombu.pools
import pytest
from django.utils import timezone

from apps.billing import selectors, tasks
from apps.billing.models import Invoice
from apps.ops import selectors as ops_selectors
from dotmac.devtools.servers import Valkey
from tests.billing import world
from tests.environment import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]


@pytest.fixture
def worker(own_database, tmp_path):
    """A worker on the test's own database and its own Valkey."""
    valkey = Valkey(tmp_path / "valkey", durable=False)
    valkey.start()
    before = _send_tasks_to(valkey.url())
    words = "-A dotmac worker --pool solo --without-gossip --without-mingle -l warning"
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", *words.split()],
            cwd=ROOT,
            env={**os.environ, "REDIS_URL": valkey.url()},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _send_tasks_to(before)
    valkey.stop()


def _send_tasks_to(url):
    """Make this process's Celery send there; returns where it sent before.

    Celery keeps open producers of the broker it was first asked to send to, so
    it is made to forget them as a forked child does.
    """
    from dotmac.celery import app

    before = app.conf.broker_url
    app.conf.update(broker_url=url)
    kombu.pools.reset()
    forked: Any = app  # the stubs leave it out
    forked._after_fork()
    return before


def test_a_worker_bills_what_beat_started(worker):
    today = ops_selectors.business_date(now=timezone.now())
    world.vat()
    plan = world.plan("1000")
    for _ in range(5):
        world.service(world.customer(), plan, start=today)

    tasks.run_billing()

    end = time.monotonic() + 90
    while selectors.open_run() is not None:
        assert worker.poll() is None, "The worker died."
        assert time.monotonic() < end, "Nobody finished the run."
        time.sleep(0.1)
    assert Invoice.objects.count() == 5
    assert set(Invoice.objects.values_list("state", flat=True)) == {"open"}
