"""Packets that arrive together, and workers killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from apps.network import operations
from apps.network.models import CoaRequest, SessionHistory, SessionLive, UsageHour
from tests.environment import ROOT
from tests.network import edge

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]


def _together(packets: list[dict]) -> None:
    """Every packet on a connection of its own, all let go at once."""
    gate = threading.Barrier(len(packets))

    def send(facts: dict) -> None:
        line = edge.radius_session()
        try:
            packet = {"nas": "127.0.4.1", **facts}
            line.client(packet["nas"])
            gate.wait()
            edge.account_packet(line, **packet)
        finally:
            line.close()

    with ThreadPoolExecutor(len(packets)) as senders:
        list(senders.map(send, packets))


@pytest.mark.parametrize("_round", range(5))
def test_first_packets_of_a_session_that_arrive_together_make_one_row(_round):
    world = edge.build()
    now = int(time.time())
    about = {"login": world.account.login, "session_id": "together"}
    packets = [
        {"status": "Start", "event": str(now - 600)},
        {"status": "Interim-Update", "event": str(now - 300), "seconds": "300",
         "octets": "1000"},
        {"status": "Stop", "event": str(now - 60), "seconds": "540",
         "octets": "4000", "cause": "User-Request"},
    ]  # fmt: skip

    _together([{**about, **facts} for facts in packets * 3])

    (row,) = SessionLive.objects.all()
    assert (row.octets_in, row.seconds, row.cause) == (4000, 540, "User-Request")
    assert int(row.started_at.timestamp()) == now - 600
    assert sum(hour.octets_in for hour in UsageHour.objects.all()) == 4000


@pytest.mark.parametrize("_round", range(5))
def test_interims_and_what_closes_beside_count_once(_round):
    """The short path of interims, the long one, and a job that writes the same rows."""
    world = edge.build()
    now = int(time.time())
    about = {"login": world.account.login, "session_id": "together"}
    edge.start(world, "together", event=str(now - 600))
    interims = [
        {"status": "Interim-Update", "event": str(now - 600 + n), "seconds": str(n),
         "octets": str(10 * n)}
        for n in (100, 200, 300, 400)
    ]  # fmt: skip
    done = threading.Event()

    def close() -> None:
        try:
            while not done.is_set():
                operations.close_silent_sessions(
                    now=timezone.now() + timedelta(hours=1)
                )
        finally:
            connections.close_all()

    closer = threading.Thread(target=close)
    closer.start()
    try:
        # A device that is none goes the long way.
        _together(
            [
                {**about, **facts, "mac": mac}
                for facts in interims
                for mac in (b"", b"a phone")
            ]
        )
    finally:
        done.set()
        closer.join()

    (row,) = SessionLive.objects.all()
    assert (row.octets_in, row.seconds) == (4000, 400)
    assert sum(hour.octets_in for hour in UsageHour.objects.all()) == 4000


def test_one_session_id_from_two_nases_at_once_is_two_sessions():
    world = edge.build(sessions_max=0)
    other = edge.build(address="127.0.4.2")
    packets = [
        {"status": "Interim-Update", "login": world.account.login, "session_id": "1",
         "nas": str(nas.address), "seconds": str(n), "octets": str(n * many)}
        for nas, many in ((world.nas, 10), (other.nas, 1))
        for n in (60, 120)
    ]  # fmt: skip

    _together(packets * 2)

    rows = dict(SessionLive.objects.values_list("nas_id", "octets_in"))
    assert rows == {world.nas.pk: 1200, other.nas.pk: 120}
    assert SessionLive.objects.count() == 2
    assert sum(hour.octets_in for hour in UsageHour.objects.all()) == 1320


@pytest.mark.parametrize("_round", range(3))
def test_devices_that_come_back_together_leave_one_session_each(_round):
    """Starts that close each other's ghosts do not wait for each other."""
    world = edge.build(sessions_max=0)
    macs = [b"aa:bb:cc:00:00:01", b"aa:bb:cc:00:00:02"]
    now = int(time.time())
    starts = [
        {"status": "Start", "login": world.account.login, "mac": macs[n % 2],
         "session_id": f"s{n}", "event": str(now - 60 + n)}
        for n in range(6)
    ]  # fmt: skip

    _together(starts * 2)

    still_open = SessionLive.objects.filter(stopped_at=None)
    assert set(still_open.values_list("acct_session_id", flat=True)) == {"s4", "s5"}
    assert not CoaRequest.objects.exists()


@pytest.mark.parametrize("_round", range(5))
def test_of_starts_that_arrive_together_one_session_stays(_round):
    world = edge.build()
    starts = [
        {"status": "Start", "login": world.account.login, "session_id": f"s{number}"}
        for number in range(4)
    ]

    _together(starts)

    cut = set(CoaRequest.objects.values_list("acct_session_id", flat=True))
    newest = SessionLive.objects.order_by("-started_at", "-id")[0]
    assert cut == {f"s{n}" for n in range(4)} - {newest.acct_session_id}


def test_each_due_request_goes_to_one_worker():
    world = edge.build(sessions_max=0)
    for number in range(40):
        edge.start(world, f"s{number}")
    operations.request_disconnects(
        account_id=world.account.pk, actor=edge.ACTOR, now=timezone.now()
    )
    gate = threading.Barrier(4)

    def claim(_: int) -> list[int]:
        try:
            gate.wait()
            claimed = []
            while orders := operations.claim_coa_requests(now=timezone.now(), limit=3):
                claimed += [order.id for order in orders]
            return claimed
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as workers:
        claims = list(workers.map(claim, range(4)))

    ids = [number for claimed in claims for number in claimed]
    assert len(ids) == len(set(ids)) == 40


def test_two_that_make_the_platforms_nas_together_get_the_same_one():
    found: list[int] = []

    def ensure() -> None:
        try:
            found.append(operations.ensure_platform_nas(now=timezone.now()).pk)
        finally:
            connections.close_all()

    with transaction.atomic():
        mine = operations.ensure_platform_nas(now=timezone.now())
        other = threading.Thread(target=ensure)
        other.start()
        # The other one waits for the unique address; give it time to get there.
        time.sleep(0.5)
        assert found == []
    other.join()

    assert found == [mine.pk]


_ARCHIVE = """
from django.utils import timezone
from apps.network import operations
print("ready", flush=True)
while operations.archive_sessions(now=timezone.now(), limit=50):
    pass
"""


def test_an_archive_job_killed_anywhere_loses_and_doubles_nothing():
    world = edge.build()
    edge.start(world, "pattern")
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [timezone.now() - timedelta(days=40)])
    total = SessionLive.objects.count()
    for _ in range(3):
        archiver = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "shell", "--command", _ARCHIVE],
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert archiver.stdout is not None
        while "ready" not in archiver.stdout.readline():
            assert archiver.poll() is None
        time.sleep(0.15)
        archiver.send_signal(signal.SIGKILL)
        archiver.wait()
        archiver.stdout.close()

    live = set(SessionLive.objects.values_list("id", flat=True))
    past = list(SessionHistory.objects.values_list("id", flat=True))
    assert len(past) == len(set(past)) > 0
    assert live.isdisjoint(past)
    assert len(live) + len(past) == total
    assert "pattern" in SessionLive.objects.values_list("acct_session_id", flat=True)


# Copies of one real row: what is measured is the move, not how they came about.
_MANY = """
    INSERT INTO network_sessionlive (session_key, generation, login, acct_session_id,
        mac, nas_port, started_at, seen_at, stopped_at, seconds, octets_in, octets_out,
        cause, presumed_ended, start_received, heard_at)
    SELECT gen_random_uuid(), 1, s.login, 'old', '', '', began, began, began, 0, 0, 0,
           '', false, true, began
      FROM network_sessionlive s, generate_series(1, 8000) n,
           LATERAL (SELECT %s + n * interval '1 minute' AS began) t
"""
