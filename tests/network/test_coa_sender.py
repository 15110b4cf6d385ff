"""The sender: many requests in flight at once, nothing lost, nothing sent twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis
from django.db import DatabaseError, connections
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.models import CoaRequest
from apps.network.radius.coa import CoaOrder
from apps.network.radius.flights import PER_NAS_MAX, CoaFlights
from dotmac.core import heartbeats
from dotmac.devtools.servers import Valkey, free_port
from tests.environment import ROOT
from tests.network import edge

pytestmark = [pytest.mark.integration]


def _order(number: int, *, port: int, address: str = "127.0.4.1") -> CoaOrder:
    return CoaOrder(
        id=number, nas_id=7, kind="coa", nas_address=address, coa_port=port,
        secret=edge.SECRET, login="ada", acct_session_id=f"s{number}",
    )  # fmt: skip


def _carried(flights: CoaFlights) -> dict[int, str]:
    ended: dict[int, str] = {}
    while len(flights):
        ended |= {o.id: outcome.state for o, outcome in flights.wait(5)}
    return ended


def test_identifiers_in_flight_differ_and_are_used_in_turn():
    flights = CoaFlights()
    with edge.ScriptedNas() as nas:
        for number in range(200):
            flights.start(_order(number, port=nas.port))
        assert flights.full() == [7]
        ended = _carried(flights)
    flights.close()

    assert ended == dict.fromkeys(range(200), "acknowledged")
    assert len({request.id for request in nas.requests}) == 200
    assert len(set(nas.peers)) == 1
    assert flights.full() == []


def test_a_lost_answer_is_asked_for_with_the_same_bytes_and_a_late_one_is_too_late():
    flights = CoaFlights()
    with edge.ScriptedNas("silent", "forged then ack", "silent", "silent") as nas:
        flights.start(_order(1, port=nas.port))
        first = _carried(flights)
        flights.start(_order(2, port=nas.port))
        second = _carried(flights)
    flights.close()

    assert (first, second) == ({1: "acknowledged"}, {2: "silent"})
    assert len(nas.raw) == 4
    assert len(set(nas.raw[:2])) == len(set(nas.raw[2:])) == 1


def test_one_nas_that_is_gone_holds_up_nobody_else():
    nobody = free_port(kind=socket.SOCK_DGRAM)
    flights = CoaFlights()
    with edge.ScriptedNas() as nas:
        for number in range(PER_NAS_MAX):
            flights.start(_order(number, port=nobody, address="127.16.0.9"))
        flights.start(_order(100, port=nas.port))
        began = time.monotonic()
        ((order, outcome),) = flights.wait(1)
        took = time.monotonic() - began
        ended = _carried(flights)
    flights.close()

    assert (order.id, outcome.state) == (100, "acknowledged")
    assert took < 0.5
    # The kernel says that the port is closed: no need to wait for all of the 3 s.
    assert time.monotonic() - began < 2
    assert set(ended.values()) == {"silent"}


@pytest.mark.usefixtures("own_database")
def test_a_full_nas_leaves_its_requests_in_the_queue():
    world = edge.build(sessions_max=0)
    for number in range(3):
        edge.start(world, f"s{number}")
    now = timezone.now()
    operations.request_disconnects(
        account_id=world.account.pk, actor=edge.ACTOR, now=now
    )

    assert operations.claim_coa_requests(now=now, busy=[world.nas.pk]) == []
    assert len(operations.claim_coa_requests(now=now, busy=[world.nas.pk + 1])) == 3


@pytest.mark.usefixtures("own_database")
def test_answers_that_could_not_be_kept_are_kept_by_the_next_step(monkeypatch):
    with edge.ScriptedNas() as nas, tasks.coa_sender() as sender:
        world = edge.build(coa_port=nas.port)
        edge.start(world)
        _cut(world)
        settle, failures = sender._settle_all, [DatabaseError("gone")]

        def fails_once(**facts):
            if failures:
                raise failures.pop()
            return settle(**facts)

        monkeypatch.setattr(sender, "_settle_all", fails_once)
        with pytest.raises(DatabaseError):
            sender.step()
        sender.step()

    assert CoaRequest.objects.get().state == "acknowledged"
    assert len(nas.raw) == 1


@pytest.mark.usefixtures("own_database")
def test_senders_and_the_task_beside_each_other_send_each_request_once():
    with edge.ScriptedNas() as nas:
        world = edge.build(coa_port=nas.port, sessions_max=0)
        for number in range(120):
            edge.start(world, f"s{number}")
        _cut(world)
        gate = threading.Barrier(4)

        def send(_: int) -> int:
            gate.wait()
            try:
                return tasks.send_coa_requests()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as senders:
            sent = list(senders.map(send, range(4)))

    told = Counter(str(request["Acct-Session-Id"][0]) for request in nas.requests)
    assert set(told.values()) == {1}
    assert len(told) == sum(sent) == 120
    assert set(CoaRequest.objects.values_list("state", flat=True)) == {"acknowledged"}


@pytest.fixture
def programs(own_database, tmp_path):
    """Starts `run_coa_sender` on the test's own database, with a Valkey."""
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run_coa_sender"],
                cwd=ROOT,
                env={**os.environ, "REDIS_URL": valkey.url()},
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    with redis.Redis.from_url(valkey.url()) as client:
        yield start, client
    for process in started:
        process.kill()
        process.wait()
    valkey.stop()


def _until(holds, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def _state(**which) -> str:
    return CoaRequest.objects.get(**which).state


def test_the_process_sends_at_once_and_killed_loses_nothing(programs):
    """The real program: a speed reaches the NAS while the line stays."""
    start, client = programs
    with edge.ScriptedNas("ack", "silent", "silent") as nas:
        world = edge.build(coa_port=nas.port)
        session = edge.start(world, "s1")
        sender = start()
        _until(lambda: heartbeats.ages_s(client, now=time.time())["coa_sender"] == 0)
        _change_speed(world)
        _until(lambda: _state(kind="coa") == "acknowledged", 2)
        assert nas.requests[0].code == 43
        assert nas.requests[0]["Mikrotik-Rate-Limit"] == ["25000k/50000k"]
        session.refresh_from_db()
        assert session.stopped_at is None

        # Killed between the packet and its answer.
        _cut(world)
        _until(lambda: len(nas.raw) == 2)
        sender.kill()
        sender.wait()
        assert _state(kind="disconnect") == "sending"
        later = timezone.now() + timedelta(seconds=61)
        assert operations.reconcile_coa(now=later) == 1
        CoaRequest.objects.filter(kind="disconnect").update(not_before=timezone.now())
        nas.script.clear()
        sender = start()
        _until(lambda: _state(kind="disconnect") == "acknowledged")
        sender.send_signal(signal.SIGTERM)
        assert sender.wait(10) == 0


def _change_speed(world) -> None:
    now = timezone.now()
    faster = operations.create_rate_profile(
        name="faster", down_kbps=50_000, up_kbps=25_000, actor=edge.ACTOR, now=now
    )
    operations.change_access(
        account_id=world.account.pk, profile_id=faster.pk, actor=edge.ACTOR, now=now
    )


def _cut(world) -> None:
    operations.request_disconnects(
        account_id=world.account.pk, actor=edge.ACTOR, now=timezone.now()
    )
