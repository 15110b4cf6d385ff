"""Sessions in SQL: any order and repetition of the packets gives the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

import psycopg
import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration

LOGIN = "hypo"
NAMES = (
    "status", "login", "nas", "session", "address", "mac", "port", "klass", "event",
    "delay", "seconds", "octets_in", "giga_in", "octets_out", "giga_out", "cause",
    "received", "ipv6", "prefix", "delegated", "circuit", "called", "client",
)  # fmt: skip
_SQL = "SELECT radius_accounting({})".format(", ".join(["%s"] * len(NAMES)))
examples = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def owner(django_db_setup):
    facts = connections["owner"].settings_dict
    with psycopg.connect(
        host=facts["HOST"], port=facts["PORT"], dbname=facts["NAME"],
        user=facts["USER"], password=facts["PASSWORD"],
        options="-cdotmac.time_zone=Asia/Kolkata",
    ) as connection:  # fmt: skip
        connection.execute(_WORLD)
        yield connection
        connection.rollback()


_WORLD = """
    INSERT INTO network_nas (name, address, secret, vendor, coa_port, walled_pool,
        require_message_authenticator, enabled)
    VALUES ('hypo', '192.0.2.1', '', 'generic', 3799, 'walled', true, true);
    INSERT INTO network_rateprofile (name, down_kbps, up_kbps, burst_down_kbps,
        burst_up_kbps, burst_threshold_down_kbps, burst_threshold_up_kbps, burst_s,
        throttled_down_kbps, throttled_up_kbps, sessions_max, interim_s)
    VALUES ('hypo', 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 300);
    INSERT INTO network_accessaccount (login, secret, kind, mac_lock, profile_id)
    SELECT 'hypo', '', 'radius', '', id FROM network_rateprofile WHERE name = 'hypo';
"""


class Line:
    """Sends packets inside a savepoint, and reads what they made."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        ((self.now,),) = connection.execute("SELECT now()")

    def __enter__(self) -> Self:
        self.connection.execute("SAVEPOINT line")
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.execute("ROLLBACK TO SAVEPOINT line")

    def send(self, **facts: object) -> list[str]:
        packet = dict.fromkeys(NAMES, "") | {
            "login": LOGIN, "nas": "192.0.2.1", "session": "s1",
            **{name: str(value) for name, value in facts.items()},
        }  # fmt: skip
        values = [packet[name] for name in NAMES]
        return [row[0] for row in self.connection.execute(_SQL, values)]

    def rows(self) -> list[tuple]:
        return self.connection.execute(
            """
            SELECT generation, started_at, seen_at, stopped_at, seconds, octets_in,
                   octets_out, cause, host(framed_address), mac, nas_port,
                   presumed_ended, start_received, account_id IS NOT NULL,
                   heard_at, host(framed_ipv6), framed_ipv6_prefix::text,
                   delegated_prefix::text, circuit, called
              FROM network_sessionlive WHERE login = %s ORDER BY started_at, generation
            """,
            [LOGIN],
        ).fetchall()

    def usage(self) -> tuple[int, int]:
        ((octets_in, octets_out),) = self.connection.execute(
            """
            SELECT coalesce(sum(u.octets_in), 0),
                   coalesce(sum(u.octets_out), 0)
              FROM network_usagehour u JOIN network_accessaccount a
                ON a.id = u.account_id WHERE a.login = %s
            """,
            [LOGIN],
        )
        return octets_in, octets_out

    def ago(self, seconds: int) -> int:
        return int((self.now - timedelta(seconds=seconds)).timestamp())


SECONDS = st.integers(min_value=0, max_value=3000)


@st.composite
def lives(draw):
    """One session's packets in the order in which they happened.

    Each may have waited with a server that kept it, hence `waited`.
    """
    begin = 3600
    ages = sorted(draw(st.lists(SECONDS, max_size=4, unique=True)), reverse=True)
    octets_in = octets_out = 0
    packets: list[dict[str, Any]] = []
    if draw(st.booleans()):
        packets.append({"status": "Start", "age": begin})
    for age in ages:
        octets_in += draw(st.integers(0, 2**33))
        octets_out += draw(st.integers(0, 2**33))
        packets.append(
            {
                "status": "Interim-Update", "age": age, "seconds": begin - age,
                "octets_in": octets_in % 2**32, "giga_in": octets_in >> 32,
                "octets_out": octets_out % 2**32, "giga_out": octets_out >> 32,
            }
        )  # fmt: skip
    if packets and packets[-1]["status"] != "Start" and draw(st.booleans()):
        packets[-1] |= {"status": "Stop", "cause": "User-Request"}
    packets = packets or [{"status": "Start", "age": begin}]
    return [
        packet | {"waited": draw(st.integers(0, packet["age"]))} for packet in packets
    ]


@st.composite
def shuffled(draw):
    """The packets once in order, and again in any order with repetitions."""
    packets = draw(lives())
    extra = draw(st.lists(st.sampled_from(packets), max_size=4))
    return packets, draw(st.permutations(packets + extra))


def _play(line: Line, packets: list[dict]) -> tuple:
    for packet in packets:
        told = packet.items()
        facts = {name: value for name, value in told if name not in ("age", "waited")}
        line.send(
            event=line.ago(packet["age"]), address="100.64.0.1", mac="AABBCCDDEEFF",
            port="p1", ipv6="2001:db8::1", prefix="2001:db8:1::/64",
            delegated="2001:db8:2::/56", circuit="olt1/7", called="ap1",
            received=line.ago(packet.get("waited", 0)), **facts,
        )  # fmt: skip
    return line.rows(), line.usage()


@examples
@given(case=shuffled())
def test_any_order_and_repetition_gives_the_same_row(owner, case):
    in_order, as_they_came = case

    with Line(owner) as line:
        expected = _play(line, in_order)
    with Line(owner) as line:
        assert _play(line, as_they_came) == expected

    (row,), usage = expected
    assert usage == (row[5], row[6])


def test_an_hour_that_is_full_of_nonsense_leaves_no_packet_without_an_answer(owner):
    with Line(owner) as line:
        for session in ("s1", "s2", "s3"):
            answer = line.send(
                status="Stop", session=session, seconds="5", octets_in=9,
                giga_in=2**32 - 1, octets_out=7,
            )  # fmt: skip
            assert answer == ["stop"]
        assert [row[6] for row in line.rows()] == [7, 7, 7]
        octets_in, octets_out = line.usage()
        assert octets_in > 2**62
        assert octets_out == 21


@pytest.mark.parametrize(
    ("received", "heard"),
    [
        (120, 120),
        (0, 0),
        (30 * 86_400, 30 * 86_400),
        (32 * 86_400, 0),
        (-5, 0),
    ],
)
def test_a_packet_that_was_kept_was_heard_when_it_came(owner, received, heard):
    with Line(owner) as line:
        line.send(status="Start", received=line.ago(received))
        (row,) = line.rows()

    told = line.now - timedelta(seconds=heard)
    assert abs(row[14] - told) <= timedelta(seconds=1)


@pytest.mark.parametrize("received", ["", "soon", "1e9", "-1", "99999999999", "9" * 40])
def test_a_receipt_that_is_no_time_is_now(owner, received):
    with Line(owner) as line:
        line.send(status="Start", received=received)
        (row,) = line.rows()

    assert row[14] == line.now


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2001:db8::1", ("2001:db8::1", "2001:db8::1/128")),
        ("2001:db8::1/56", ("2001:db8::1", "2001:db8::/56")),
        ("192.0.2.1", (None, None)),
        ("2001:db8::g", (None, None)),
        ("2001:db8::/129", (None, None)),
        ("'; --", (None, None)),
        ("", (None, None)),
    ],
)
def test_an_ipv6_address_that_is_none_costs_nothing_but_itself(owner, told, kept):
    with Line(owner) as line:
        line.send(status="Start", ipv6=told, prefix=told, delegated=told)
        (row,) = line.rows()

    assert row[15:18] == (*kept, kept[1])


def test_texts_of_any_length_fit(owner):
    with Line(owner) as line:
        line.send(status="Start", circuit="c" * 600, called="d" * 600)
        (row,) = line.rows()

    assert row[18:] == ("c" * 253, "d" * 253)


def test_both_tables_have_the_same_columns_in_the_same_order(owner):
    """Rows move between them whole: INSERT … SELECT * both ways."""
    rows = owner.execute("""
        SELECT c.relname, array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                                    || a.attnotnull ORDER BY a.attnum)
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relname IN ('network_sessionlive', 'network_sessionhistory')
           AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1
        """).fetchall()

    live, past = (columns for _, columns in rows)
    assert live == past


def test_no_index_covers_what_an_interim_changes(owner):
    """Such an update must be able to stay on its page (HOT)."""
    ((indexed,),) = owner.execute("""
        SELECT array_agg(DISTINCT a.attname::text) FROM pg_index i
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
         WHERE i.indrelid = 'network_sessionlive'::regclass
        """)

    changing = {"heard_at", "seen_at", "seconds", "octets_in", "octets_out"}
    assert changing.isdisjoint(indexed)


@examples
@given(
    order=st.permutations(["start", "first", "stop"]),
    again=st.permutations(["start2", "interim2", "stop2"]),
)
def test_two_generations_keep_their_counters_apart(owner, order, again):
    packets = {
        "start": {"status": "Start", "age": 3000},
        "first": {"status": "Interim-Update", "age": 2700, "seconds": 300,
                  "octets_in": 500},
        "stop": {"status": "Stop", "age": 2400, "seconds": 600, "octets_in": 900},
        "start2": {"status": "Start", "age": 2000},
        "interim2": {"status": "Interim-Update", "age": 1700, "seconds": 300,
                     "octets_in": 40},
        "stop2": {"status": "Stop", "age": 1400, "seconds": 600, "octets_in": 70},
    }  # fmt: skip

    with Line(owner) as line:
        rows, usage = _play(line, [packets[name] for name in [*order, *again]])

    assert [(row[4], row[5]) for row in rows] == [(600, 900), (600, 70)]
    assert all(row[3] is not None for row in rows)
    assert usage == (970, 0)


def test_a_late_packet_of_the_first_generation_finds_it(owner):
    with Line(owner) as line:
        line.send(status="Start", event=line.ago(3000))
        line.send(status="Stop", event=line.ago(2400), seconds=600, octets_in=900)
        line.send(status="Start", event=line.ago(2000))
        line.send(status="Interim-Update", event=line.ago(2500), seconds=500,
                  octets_in=950)  # fmt: skip
        first, second = line.rows()
        usage = line.usage()

    assert (first[5], second[5], second[3]) == (950, 0, None)
    assert usage == (950, 0)


def test_a_lost_stop_and_a_lost_accounting_on_are_concluded_from_the_next_start(owner):
    with Line(owner) as line:
        line.send(status="Start", event=line.ago(3000))
        line.send(status="Interim-Update", event=line.ago(2700), seconds=300,
                  octets_in=900)  # fmt: skip
        line.send(status="Start", event=line.ago(100))
        line.send(status="Interim-Update", event=line.ago(50), seconds=50, octets_in=1)
        first, second = line.rows()

    assert (first[7], first[3] == first[2]) == ("superseded", True)
    assert (second[0], second[5], second[3]) == (2, 1, None)


def test_a_stop_that_comes_after_all_overrides_the_conclusion(owner):
    with Line(owner) as line:
        line.send(status="Start", event=line.ago(3000))
        line.send(status="Accounting-On", event=line.ago(1000))
        line.send(
            status="Stop", event=line.ago(1200), seconds=1800, cause="Lost-Carrier"
        )
        (row,) = line.rows()

    assert row[7] == "Lost-Carrier"
    assert int(row[3].timestamp()) == line.ago(1200)


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "Tunnel-Start"},
        {"status": ""},
        {"status": "Start", "session": ""},
    ],
)
def test_what_is_about_no_session_changes_nothing(owner, facts):
    with Line(owner) as line:
        assert line.send(**facts) == ["ignored"]
        assert line.rows() == []


def test_an_unknown_nas_gets_no_row(owner):
    with Line(owner) as line:
        assert line.send(status="Start", nas="192.0.2.99") == []


def test_usage_goes_to_the_hour_of_receipt_on_the_operators_clock(owner):
    """Kolkata's hours begin at half past in UTC."""
    with Line(owner) as line:
        line.send(status="Interim-Update", seconds=60, octets_in=5)
        hour = owner.execute(
            "SELECT hour_at FROM network_usagehour ORDER BY hour_at DESC LIMIT 1"
        ).fetchone()[0]

    assert hour.astimezone(UTC).minute == 30
    assert timedelta(0) <= line.now - hour < timedelta(hours=1)
    assert isinstance(hour, datetime)
