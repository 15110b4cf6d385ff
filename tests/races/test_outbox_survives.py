"""Events over 100 subjects, workers killed, Valkey emptied: nothing lost, nothing
twice, every subject in commit order. 3,000 of them; 10,000 in the long tier."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime

import psycopg
import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from apps.ops import operations as ops
from apps.ops.models import OutboxEvent
from dotmac.core.actors import system_actor
from dotmac.devtools.servers import Valkey
from tests.environment import ROOT, untraced
from tests.races.witness import TABLE, WitnessedEvent

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]
SUBJECTS, EMITTERS, WORKERS = 100, 4, 4


@pytest.fixture
def valkey(tmp_path):
    """Its own server, since the test empties it."""
    server = Valkey(tmp_path / "valkey", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def processes(own_database, valkey, tmp_path):
    """Starts child processes on the test's own database and Valkey."""
    started: list[subprocess.Popen[bytes]] = []
    # Measuring coverage would cost more than the work: thousands of events in six programs.
    env = {
        **untraced(),
        "REDIS_URL": valkey.url(),
        "OUTBOX_LEASE_S": "3",
        "DATABASE_POOL_MAX": "2",
    }

    def start(*command):
        with (tmp_path / f"{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def start_worker(start):
    return start(
        "-m",
        "celery",
        "-A",
        "dotmac",
        "worker",
        "--pool",
        "solo",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "--include",
        "tests.races.witness",
        "-l",
        "warning",
    )


def emit_share(share, seed, events):
    dice = random.Random(seed)
    steps = dict.fromkeys(range(share, SUBJECTS, EMITTERS), 0)
    lamps = [lamp for lamp in steps for _ in range(events // SUBJECTS)]
    dice.shuffle(lamps)
    actor = system_actor("test")
    try:
        while lamps:
            with transaction.atomic():
                # One order of locks for everybody, as operations have it.
                for lamp in sorted(lamps[:20]):
                    steps[lamp] += 1
                    event = WitnessedEvent(
                        occurred_at=timezone.now(), lamp_id=lamp, step=steps[lamp]
                    )
                    ops.emit(event, actor=actor)
            lamps = lamps[20:]
    finally:
        connection.close()


def seen():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tests_witness")
        return cursor.fetchone()[0]


def wait_for(condition, limit_s):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"{seen()} events arrived"
        time.sleep(0.2)


@pytest.mark.parametrize(
    "events", [3_000, pytest.param(10_000, marks=pytest.mark.faults)]
)
def test_every_event_arrives_once_and_in_order(own_database, valkey, processes, events):
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(TABLE)
    workers = [start_worker(processes) for _ in range(WORKERS)]
    processes("manage.py", "relay_outbox")
    threads = [
        threading.Thread(target=emit_share, args=(n, n, events))
        for n in range(EMITTERS)
    ]
    for thread in threads:
        thread.start()

    for milestone in (events // 7, events // 5 * 2):
        wait_for(lambda goal=milestone: seen() > goal, 120)
        workers.pop(0).send_signal(signal.SIGKILL)
        redis.Redis.from_url(valkey.url()).flushall()
        workers.append(start_worker(processes))
    for thread in threads:
        thread.join()
    wait_for(lambda: not OutboxEvent.objects.exclude(state="done").exists(), 240)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lamp, array_agg(step ORDER BY id) FROM tests_witness GROUP BY lamp"
        )
        by_lamp = dict(cursor.fetchall())
    expected = list(range(1, events // SUBJECTS + 1))
    assert by_lamp == dict.fromkeys(range(SUBJECTS), expected)
    in_order = OutboxEvent.objects.order_by("subject_key", "number")
    last: dict[str, datetime] = {}
    for key, acknowledged_at in in_order.values_list("subject_key", "acknowledged_at"):
        assert acknowledged_at is not None
        assert acknowledged_at >= last.get(key, acknowledged_at)
        last[key] = acknowledged_at
    wait_for(lambda: redis.Redis.from_url(valkey.url()).xlen("dotmac:events") > 0, 20)
