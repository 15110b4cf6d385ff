"""An import by many workers, and by one that is killed: each user once, none lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from django.utils import timezone

from apps.network import operations
from apps.network.models import AccessAccount
from apps.network.operations import imports
from apps.network.operations.import_reading import CHUNK
from dotmac.core.actors import system_actor
from tests.environment import ROOT
from tests.network.conftest import acting, build_network
from tests.network.importing import checks, passwords, read, replies, rows_of, speeds
from tests.races.test_network_races import at_once

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]


@pytest.fixture
def net(own_database):
    return build_network(acting(system_actor("races"), now=timezone.now()))


def begun(net, count: int):
    logins = [f"u{n}" for n in range(count)]
    batch = read(net.do, checks(*passwords(*logins)), replies(*speeds(*logins)))
    return net.do.start_import(import_id=batch.pk)


def judge(batch, count: int) -> None:
    """Each user has one account, and nothing is left of what was sealed."""
    batch.refresh_from_db()
    rows = rows_of(batch)
    assert [row.state for row in rows] == ["opened"] * count
    assert all(row.facts is None for row in rows)
    accounts = AccessAccount.objects.filter(login__startswith="u")
    assert sorted(row.account_id for row in rows) == sorted(
        accounts.values_list("pk", flat=True)
    )
    assert accounts.count() == count
    assert batch.state == "done"
    assert (batch.job.state, batch.job.done) == ("succeeded", count)


def test_workers_of_one_import_do_not_open_an_account_twice(net, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 5)
    batch = begun(net, 40)

    def work() -> int:
        done = 0
        while AccessAccount.objects.filter(login__startswith="u").count() < 40:
            done += operations.carry_import(now=timezone.now())
        return done + operations.carry_import(now=timezone.now())

    assert sum(at_once([work] * 4)) == 40
    operations.carry_import(now=timezone.now())
    judge(batch, 40)


def test_a_killed_worker_loses_its_chunk_and_doubles_nothing(net):
    count = CHUNK + 120
    batch = begun(net, count)
    command = [sys.executable, "manage.py", "import_accounts", "--start"]
    worker = subprocess.Popen(
        [*command, "--import", str(batch.pk)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while not batch.rows.filter(state="opened").exists():
            assert worker.poll() is None, worker.communicate()[0]
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()
    assert batch.rows.filter(state="opened").count() == CHUNK

    # PostgreSQL ends the killed one's transaction as soon as it sees it.
    while not batch.rows.filter(number=count, state="opened").exists():
        operations.carry_import(now=timezone.now())
        assert time.monotonic() < end
    operations.carry_import(now=timezone.now())
    judge(batch, count)
