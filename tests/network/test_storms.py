"""Reboots in SQL: whatever order packets come in, and however many are on line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environment import ROOT
from tests.network.test_radius_sessions import LOGIN, Line, examples, owner

__all__ = ["owner"]  # the fixture

pytestmark = pytest.mark.integration

SQL = Path(ROOT) / "apps" / "network" / "sql"
THOUSANDS = 50_000
_CROWD = """
    INSERT INTO network_sessionlive (session_key, login, acct_session_id, nas_id,
        started_at, seen_at, heard_at, start_received)
    SELECT gen_random_uuid(), 'crowd', 'c' || n, s.nas_id, s.started_at, s.seen_at,
           s.heard_at, true
      FROM generate_series(1, %s) n, network_sessionlive s WHERE s.login = %s
"""
_ON_LINE = """
    SELECT s.generation FROM network_sessionlive s JOIN network_nas n ON n.id = s.nas_id
     WHERE s.login = %s AND s.stopped_at IS NULL
       AND (n.rebooted_at < s.heard_at) IS NOT FALSE ORDER BY 1
"""


def on_line(line: Line) -> list[int]:
    rows = line.connection.execute(_ON_LINE, [LOGIN]).fetchall()
    return [generation for (generation,) in rows]


def test_an_on_is_answered_at_once_however_many_were_on_line(owner):
    with Line(owner) as line:
        line.send(status="Start", received=line.ago(60))
        owner.execute(_CROWD, [THOUSANDS, LOGIN])
        started = time.monotonic()
        assert line.send(status="Accounting-On") == ["accounting-on"]
        took = time.monotonic() - started
        ((still_open,),) = owner.execute(
            "SELECT count(*) FROM network_sessionlive WHERE stopped_at IS NULL"
        )

        assert took < 0.5
        assert still_open == THOUSANDS + 1
        assert on_line(line) == []


OLD: dict[str, dict[str, Any]] = {
    "start": {"status": "Start", "at": 3000},
    "interim": {
        "status": "Interim-Update",
        "at": 2700,
        "seconds": 300,
        "octets_in": 500,
    },
}
NEW: dict[str, dict[str, Any]] = {
    "start2": {"status": "Start", "at": 900},
    "interim2": {
        "status": "Interim-Update",
        "at": 600,
        "seconds": 300,
        "octets_in": 40,
    },
    "again2": {"status": "Interim-Update", "at": 300, "seconds": 600, "octets_in": 70},
}


@examples
@given(
    old=st.permutations(list(OLD)),
    new=st.permutations(list(NEW)),
    when=st.integers(0, 5),
    clock=st.booleans(),
)
def test_wherever_the_on_comes_in_the_replay_the_same_are_on_line(
    owner, old, new, when, clock
):
    """Kept by a server, and replayed in another order: the receipt decides."""
    packets: list[dict[str, Any]] = [OLD[name] for name in old] + [
        NEW[name] for name in new
    ]
    packets.insert(when, {"status": "Accounting-On", "at": 1000})

    with Line(owner) as line:
        for packet in packets:
            facts = {name: value for name, value in packet.items() if name != "at"}
            at = line.ago(packet["at"])
            line.send(received=at, **facts, **({"event": at} if clock else {}))
        rows, usage, alive = line.rows(), line.usage(), on_line(line)

    assert [(row[4], row[5]) for row in rows] == [(300, 500), (600, 70)]
    assert len(alive) == 1
    assert usage == (570, 0)


@pytest.mark.parametrize(
    ("event", "delay", "alive"),
    [("", "", 1), ("", "90", 0), (90, "", 0), (30, "", 1), ("", "30", 1)],
)
def test_a_packet_from_before_the_reboot_says_of_nobody_that_he_is_on_line(
    owner, event, delay, alive
):
    with Line(owner) as line:
        line.send(status="Accounting-On", event=line.ago(60), delay="60")
        line.send(
            status="Interim-Update", seconds=300, octets_in=9, delay=delay,
            event=line.ago(event) if event else "",
        )  # fmt: skip

        assert len(on_line(line)) == alive
        assert line.usage() == (9, 0)


def test_an_older_reboot_does_not_take_back_a_newer_one(owner):
    with Line(owner) as line:
        line.send(status="Accounting-On", received=line.ago(10))
        line.send(status="Accounting-Off", received=line.ago(50))
        line.send(status="Start", received=line.ago(30))

        assert on_line(line) == []


def test_the_clock_that_went_back_dates_nothing(owner):
    """Without On: a Start of yesterday, after packets of today."""
    with Line(owner) as line:
        line.send(status="Start", event=line.ago(500))
        line.send(status="Start", event=line.ago(86_400))
        line.send(
            status="Interim-Update", event=line.ago(86_000), seconds=400, octets_in=5
        )
        first, second = line.rows()

        assert (first[7], second[3]) == ("superseded", None)
        assert second[1] > first[1]
        assert line.usage() == (5, 0)


def test_sessions_that_run_keep_their_rows_when_keys_change(owner):
    """What the migration does with rows that have the NAS's address in their key."""
    text = (SQL / "0014_radius_accounting.sql").read_text()
    change = text[text.index("UPDATE network_sessionlive s SET session_key") :]
    with Line(owner) as line:
        line.send(status="Start", event=line.ago(600))
        line.send(status="Start", session="moved", event=line.ago(500))
        owner.execute("""
            UPDATE network_sessionlive
               SET session_key = md5('192.0.2.1' || acct_session_id)::uuid
             WHERE login = 'hypo';
            INSERT INTO network_sessionlive (session_key, generation, login, nas_id,
                acct_session_id, started_at, seen_at, account_id, start_received)
            SELECT md5('192.0.2.2' || acct_session_id)::uuid, 1, login, nas_id,
                   acct_session_id, started_at + interval '1 minute', seen_at, account_id, true
              FROM network_sessionlive WHERE acct_session_id = 'moved'
            """)
        owner.execute(change)

        line.send(
            status="Interim-Update", event=line.ago(300), seconds=300, octets_in=8
        )
        line.send(
            status="Interim-Update", session="moved", event=line.ago(100), seconds=340,
            octets_in=4,
        )  # fmt: skip
        rows = line.rows()

        assert sorted((row[0], row[5]) for row in rows) == [(1, 0), (1, 8), (2, 4)]
        assert line.usage() == (12, 0)


# What the functions ask of the live table for each packet, and by which index.
_ASKED = {
    "interim": (
        "SELECT 1 FROM network_sessionlive s WHERE s.session_key = $1::uuid"
        " AND radius_is_open(s.stopped_at) ORDER BY s.generation DESC LIMIT 1",
        "network_sessionlive_one_per_generation",
    ),
    "row": (
        "UPDATE network_sessionlive s SET seconds = 0"
        " WHERE s.id = 1 AND radius_is_open(s.stopped_at)",
        "network_sessionlive_pkey",
    ),
    "account": (
        "SELECT 1 FROM network_sessionlive s WHERE s.account_id = 1"
        " AND radius_is_open(s.stopped_at)",
        "network_session_of_account",
    ),
}


@pytest.mark.parametrize(("asked", "index"), _ASKED.values(), ids=_ASKED)
def test_a_table_that_nobody_analysed_is_read_by_its_keys(owner, asked, index):
    """The first storm comes before the first ANALYZE."""
    with Line(owner) as line:
        # Other tests left indexes of odd sizes: as after the first migration.
        owner.execute("TRUNCATE network_sessionlive")
        line.send(status="Start")
        owner.execute(_CROWD, [1000, LOGIN])
        owner.execute("SET LOCAL enable_seqscan = off")
        owner.execute(f"PREPARE asked (uuid) AS {asked}")
        plan = owner.execute(
            "EXPLAIN EXECUTE asked ('00000000-0000-0000-0000-000000000000')"
        ).fetchall()
        owner.execute("DEALLOCATE asked")

    words = "\n".join(row for (row,) in plan)
    assert index in words
    assert "network_session_nas" not in words
