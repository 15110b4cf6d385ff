"""Buffered accounting on its way into PostgreSQL: all of it, and nothing twice."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from apps.network import operations, selectors
from apps.network.models import Nas, SessionLive, UsageHour
from apps.network.radius import buffer
from apps.network.radius.buffer import Buffer
from apps.network.radius.buffered import BufferedSession, KnownNases
from apps.network.radius.database import (
    AccountingFacts,
    RadiusDatabase,
    encoded,
    session_settings,
)
from apps.network.radius.replay import BATCH, Replay
from dotmac.core.actors import system_actor
from dotmac.core.models import keyring

pytestmark = pytest.mark.integration
NOBODY = "postgresql://radius:x@127.0.0.1:9/none"
FACTS: dict[str, Any] = {"actor": system_actor("replay")}


def options() -> str:
    return session_settings(keyring(), "UTC")


@pytest.fixture
def ada(own_database):
    """One NAS at 127.12.0.1 and one account."""
    now = timezone.now()
    operations.create_nas(name="n", address="127.12.0.1", now=now, **FACTS)
    speed = operations.create_rate_profile(
        name="p", down_kbps=1, up_kbps=1, now=now, **FACTS
    )
    return operations.open_access(
        login="ada",
        password="pw",
        profile_id=speed.pk,
        sessions_max=0,
        now=now,
        **FACTS,
    )


@pytest.fixture
def replay(ada, tmp_path):
    made = Replay(tmp_path, database=database(), options=options, readers=3)
    yield made
    made.close()


def database() -> RadiusDatabase:
    return RadiusDatabase.from_url(os.environ["RADIUS_DATABASE_URL"])


def packet(session: str, status: str = "Start", **facts: str) -> AccountingFacts:
    values = {
        "status": status, "login": encoded(b"ada"), "nas": "127.12.0.1",
        "session": encoded(session.encode()), "received": str(hours_ago(3)), **facts,
    }  # fmt: skip
    return AccountingFacts(**values)


def hours_ago(hours: float) -> int:
    return int((timezone.now() - timedelta(hours=hours)).timestamp())


def fill(folder, *packets: AccountingFacts) -> None:
    store = Buffer(folder)
    for facts in packets:
        store.write(facts)


def test_usage_counts_when_it_was_received_and_once(replay, tmp_path, ada):
    then = hours_ago(3)
    packets = [
        packet("s"),
        packet("s", "Interim-Update", seconds="60", octets_in="500", octets_out="9",
               received=str(then + 60)),
        packet("s", "Stop", seconds="90", octets_in="800", received=str(then + 90),
               cause="User-Request"),
    ]  # fmt: skip
    fill(tmp_path, *packets, *packets)
    kept = [path.read_text() for path in buffer.files(tmp_path)]

    assert replay.round()
    assert buffer.files(tmp_path) == []
    # As when it was killed before it deleted them.
    for number, text in enumerate(kept):
        (tmp_path / f"{then // 10 + number}.acct").write_text(text)
    assert replay.round()
    assert not replay.round()

    (row,) = SessionLive.objects.all()
    assert (row.octets_in, row.octets_out, row.cause) == (800, 9, "User-Request")
    assert row.account_id == ada.pk
    assert row.started_at.timestamp() == then
    assert row.heard_at.timestamp() == then + 90
    hours = UsageHour.objects.values_list("octets_in", flat=True)
    assert sum(hours) == 800
    newest = UsageHour.objects.latest("hour_at").hour_at
    assert newest < timezone.now() - timedelta(hours=2)


def test_what_is_refused_for_good_is_kept_and_holds_up_nothing(replay, tmp_path):
    bad = packet("bad", address="no address")
    fill(
        tmp_path,
        bad,
        packet("good"),
        packet("stranger", nas="127.12.0.99"),
    )
    path = buffer.files(tmp_path)[0]
    path.write_text(path.read_text() + "!|torn")

    assert replay.round()

    assert [row.acct_session_id for row in SessionLive.objects.all()] == ["good"]
    (refused,) = (tmp_path / buffer.REFUSED).read_text().splitlines()
    assert buffer.parsed(refused) == bad
    assert buffer.files(tmp_path) == []


def test_of_a_batch_with_a_bad_record_every_other_counts_once_in_its_order(
    replay, tmp_path
):
    """More than a batch of one login; every third record needs a closer look."""
    then = hours_ago(1)
    received = str(then + 3 * BATCH)
    packets = [packet("s", received=received, event=str(then))]
    for n in range(1, 3 * BATCH):
        facts = {"received": received, "event": str(then + n), "seconds": str(n)}
        closer = {"klass": encoded(b"x"), "circuit": encoded(b"olt1")}
        packets.append(
            packet("s", "Interim-Update", octets_in=str(10 * n), **facts,
                   **(closer if n % 3 == 0 else {}))
        )  # fmt: skip
    bad = [
        packet(name, address="no address", received=received) for name in ("b1", "b2")
    ]
    mixed = [*packets[:9], bad[0], *packets[9:70], bad[1], *packets[70:]]
    fill(tmp_path, *mixed, *mixed)

    assert replay.round()

    (row,) = SessionLive.objects.all()
    assert (row.octets_in, row.seconds) == (10 * (3 * BATCH - 1), 3 * BATCH - 1)
    assert row.generation == 1
    assert sum(UsageHour.objects.values_list("octets_in", flat=True)) == row.octets_in
    refused = (tmp_path / buffer.REFUSED).read_text().splitlines()
    assert [buffer.parsed(text) for text in refused] == bad * 2


def test_without_postgresql_everything_stays(ada, tmp_path):
    fill(tmp_path, packet("s"))
    before = buffer.queue(tmp_path)
    away = Replay(
        tmp_path, database=RadiusDatabase.from_url(NOBODY), options=options, readers=1
    )
    with pytest.raises(psycopg.OperationalError):
        away.round()
    thread = threading.Thread(target=away.run)
    thread.start()
    time.sleep(0.3)
    away.stop()
    thread.join(10)

    assert not thread.is_alive()
    assert buffer.queue(tmp_path) == before
    assert before.octets > 0
    assert selectors.accounting_waits_since(tmp_path) == before.oldest_at


def test_the_newest_file_is_read_while_it_grows_and_stays(replay, tmp_path):
    now = int(time.time())
    fill(tmp_path, packet("one", received=str(now)))
    thread = threading.Thread(target=replay.run)
    thread.start()
    try:
        wait_for(lambda: SessionLive.objects.count() == 1)
        fill(tmp_path, packet("two", received=str(now)))
        wait_for(lambda: SessionLive.objects.count() == 2)
        wait_for(lambda: buffer.queue(tmp_path).octets == 0)
    finally:
        replay.stop()
        thread.join(10)

    assert len(buffer.files(tmp_path)) == 1
    assert replay.taken == 2


def wait_for(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_embedded_server_knows_its_nases_while_postgresql_is_away(ada, tmp_path):
    known, store = KnownNases(), Buffer(tmp_path)
    here = BufferedSession(database(), options, buffer=store, known=known)
    away = BufferedSession(
        RadiusDatabase.from_url(NOBODY), options, buffer=store, known=known
    )
    with pytest.raises(psycopg.OperationalError):
        away.client("127.12.0.1")
    found = here.client("127.12.0.1")
    assert found is not None
    assert away.client("127.12.0.1") == found

    operations.change_nas(
        nas_id=Nas.objects.get().pk,
        changes={"enabled": False},
        now=timezone.now(),
        **FACTS,
    )
    assert here.client("127.12.0.1") is None
    with pytest.raises(psycopg.OperationalError):
        away.client("127.12.0.1")
    here.close()


def test_the_embedded_server_answers_what_is_on_the_disk(tmp_path, monkeypatch):
    session = BufferedSession(
        RadiusDatabase.from_url(NOBODY), options,
        buffer=Buffer(tmp_path), known=KnownNases(),
    )  # fmt: skip
    told = packet("s", received="")
    assert session.account(told)

    (line,), _ = buffer.read(buffer.files(tmp_path)[0], 0, 9)
    found = buffer.parsed(line)
    assert found is not None
    assert abs(int(found.received) - time.time()) < 10
    assert replace(found, received="") == told
    monkeypatch.setattr(os, "write", lambda *_: 1)
    assert not session.account(told)
