"""Plain packets are decided in few statements, and as those are that take them all."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.network.models import Nas
from apps.network.radius.database import session_settings
from dotmac.core.models import keyring
from tests.network.conftest import session_row
from tests.network.test_radius_sessions import LOGIN, NAMES, Line, examples, owner
from tests.network.vendors import Case, lines

__all__ = ["owner"]
pytestmark = pytest.mark.integration

MACS = (
    "",
    "AA-BB-CC-DD-EE-FF",
    "aa:bb:cc:dd:ee:ff",
    "AABBCCDDEEFF",
    "02-00-00-00-00-01",
)
_IN_BASE64 = {"login", "session", "mac", "port_id", "klass", "circuit", "called"}
_ALL = [*NAMES[:6], "port_id", *NAMES[6:]]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class PlainLine(Line):
    """As a server asks: by the function that takes octets."""

    def send(self, **facts: object) -> list[str]:
        packet = dict.fromkeys(_ALL, "") | {
            "login": LOGIN, "nas": "192.0.2.1", "session": "s1",
            **{name: str(value) for name, value in facts.items()},
        }  # fmt: skip
        values = [
            encoded(packet[name]) if name in _IN_BASE64 else packet[name]
            for name in _ALL
        ]
        marks = ", ".join(["%s"] * len(_ALL))
        asked = self.connection.execute(
            f"SELECT radius_accounting_request({marks})", values
        )
        return [row[0] for row in asked]

    def looks_closer(self, **facts: object) -> bool:
        """Does this packet need the function that knows all cases?"""
        self.connection.execute("SAVEPOINT closer")
        try:
            self.connection.execute(
                _always_raises(self.connection, "radius_accounting")
            )
            self.send(**facts)
        except psycopg.errors.RaiseException:
            return True
        else:
            return False
        finally:
            self.connection.execute("ROLLBACK TO SAVEPOINT closer")


def _always_raises(connection: psycopg.Connection, name: str) -> str:
    ((head,),) = connection.execute(
        "SELECT format('%%s(%%s) RETURNS %%s', proname, pg_get_function_arguments(oid),"
        " pg_get_function_result(oid)) FROM pg_proc WHERE proname = %s", [name],
    )  # fmt: skip
    return f"CREATE OR REPLACE FUNCTION {head} {_RAISES}"


_RAISES = "LANGUAGE plpgsql AS $$ BEGIN RAISE 'a closer look'; END $$"


@st.composite
def packet(draw):
    status = draw(
        st.sampled_from(("Start", "Interim-Update", "Interim-Update", "Stop"))
    )
    age = draw(st.sampled_from((0, 30, 300, 600, 900, 1200, 4000)))
    made: dict[str, Any] = {
        "status": status,
        "age": draw(st.none() | st.just(age)),
        "session": draw(st.sampled_from(("s1", "s1", "s1", "s2", "ọ"))),
        "mac": draw(st.sampled_from(MACS)),
        "address": draw(st.sampled_from(("", "100.64.0.1", "100.64.0.2"))),
        "port_id": draw(st.sampled_from(("", "p1", "p1", "p2"))),
        "klass": draw(st.sampled_from(("", "", "x", "1"))),
        "delay": draw(st.sampled_from(("", "", "0", "20"))),
        "waited": draw(st.none() | st.sampled_from((0, 20, 600, 5000))),
    }
    if status != "Start":
        made["seconds"] = draw(
            st.sampled_from(("", 0, 300, max(1200 - age, 0), 99_999_999_999))
        )
        made["octets_in"] = draw(st.sampled_from(("", 0, 5, 2**32 - 1)))
        made["giga_in"] = draw(st.sampled_from(("", 0, 1, 2**32 - 1)))
        made["octets_out"] = draw(st.sampled_from(("", 7)))
    if status == "Stop":
        made["cause"] = draw(st.sampled_from(("", "User-Request")))
    return made


def _play(line: Line, packets: list[dict], reboots: int | None) -> tuple:
    if reboots is not None:
        line.send(status="Accounting-On", event=line.ago(reboots), delay=reboots)
    answers = []
    for each in packets:
        facts = dict(each)
        age, waited = facts.pop("age"), facts.pop("waited")
        if type(line) is Line:
            facts["port"] = facts.pop("port_id")
        if age is not None:
            facts["event"] = line.ago(age)
        if waited is not None:
            facts["received"] = line.ago(waited)
        answers.append(line.send(**facts))
    asked = line.connection.execute(
        "SELECT kind, reason, generation FROM network_coarequest"
    )
    # Sessions of the same second come in any order.
    return answers, Counter(line.rows()), line.usage(), Counter(asked.fetchall())


@examples
@given(
    packets=st.lists(packet(), min_size=1, max_size=7),
    reboots=st.none() | st.sampled_from((0, 600, 2000)),
)
def test_a_plain_packet_makes_the_rows_that_any_would(owner, packets, reboots):
    with Line(owner) as line:
        expected = _play(line, packets, reboots)
    with PlainLine(owner) as line:
        assert _play(line, packets, reboots) == expected


@pytest.mark.parametrize("waits", [False, True])
def test_a_life_without_surprises_is_plain_from_start_to_stop(owner, waits):
    about = {"mac": MACS[1], "address": "100.64.0.1", "port_id": "p1"}
    far = {"octets_in": 900, "giga_in": 1, "octets_out": 7}
    with PlainLine(owner) as line:
        for facts in (
            {"status": "Start", "event": line.ago(600)},
            {"status": "Interim-Update", "event": line.ago(300), "seconds": 300, **far},
            {"status": "Interim-Update", "event": line.ago(10), "seconds": 590, **far},
            {"status": "Stop", "event": line.ago(0), "seconds": 600, **far},
        ):
            if waits:
                facts["received"] = facts["event"]
            assert not line.looks_closer(**about, **facts)
            line.send(**about, **facts)
        (row,) = line.rows()
        assert line.usage() == (2**32 + 900, 7)
    assert row[3] is not None


@pytest.mark.parametrize(
    "facts",
    [
        {"login": "nobody"}, {"login": "ọ"}, {"session": ""},
        {"delay": "5"}, {"mac": "a phone"}, {"mac": "aa:bb:cc:dd:ee:fg"}, {"klass": "9"}, {"circuit": "olt1/7"},
        {"called": "ap1"}, {"ipv6": "2001:db8::1"}, {"nas": "192.0.2.2"},
        {"event": "1"}, {"event": "x"}, {"seconds": "5"}, {"status": "Accounting-On"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_plain_is_looked_at(owner, facts):
    with PlainLine(owner) as line:
        assert not line.looks_closer(status="Start")
        assert line.looks_closer(**{"status": "Start", **facts})


def test_a_second_session_and_a_known_one_are_looked_at(owner):
    with PlainLine(owner) as line:
        line.send(status="Start", mac=MACS[1], port_id="p1", address="100.64.0.1")
        for facts in (
            {"status": "Start"}, {"status": "Start", "session": "s2"},
            {"status": "Stop", "session": "s2", "seconds": 1},
            {"status": "Stop", "seconds": ""}, {"status": "Stop", "session": "ọ"},
            {"status": "Interim-Update", "seconds": 0, "mac": MACS[4]},
            {"status": "Interim-Update", "seconds": 0, "port_id": "p2"},
            {"status": "Interim-Update", "seconds": 0, "address": "100.64.0.2"},
            {"status": "Interim-Update", "seconds": 0, "event": line.ago(60)},
        ):  # fmt: skip
            assert line.looks_closer(**facts), facts


@pytest.mark.parametrize("told", [2_000_000_000, 1, "", "x"])
def test_a_time_of_receipt_that_cannot_be_is_now(owner, told):
    with PlainLine(owner) as line:
        line.send(status="Start", received=told)
        ((heard,),) = line.connection.execute(
            "SELECT heard_at = now() FROM network_sessionlive WHERE login = %s", [LOGIN]
        )
    assert heard


def test_a_nas_with_an_open_question_has_no_plain_packets(owner):
    with PlainLine(owner) as line:
        assert line.looks_closer(status="Start", client="tls nas-1")
        line.connection.execute("UPDATE network_nas SET secret_awaits = 2")
        assert line.looks_closer(status="Start")


def test_a_counter_that_fell_is_looked_at_where_it_may_be_an_overflow(owner):
    interim = {"status": "Interim-Update", "seconds": 60}
    with PlainLine(owner) as line:
        line.send(status="Start")
        line.send(**interim, octets_in=900)
        line.connection.execute("UPDATE network_nas SET counts_32_bits = true")
        assert line.looks_closer(**interim, octets_in=5)
        assert not line.looks_closer(**interim, octets_in=901)


_BOTH = """
SELECT ARRAY(SELECT a::text FROM radius_access_request(%(login)s, %(nas)s, %(mac)s, '', '',
             '', '', '', '', '') a),
       ARRAY(SELECT a::text FROM radius_authorize(%(clear)s, %(nas)s, %(station)s) a)
"""
LINES = {
    "plain": (Case(says="", told=()), {}, True),
    "throttled": (Case(says="", told=(), hold="throttle"), {}, True),
    "walled": (Case(says="", told=(), hold="walled_garden"), {}, False),
    "refused": (Case(says="", told=(), hold="reject"), {}, False),
    "addresses": (Case(says="", told=(), holds_addresses=True), {}, False),
    "pools": (Case(says="", told=(), nas_pools=True), {}, False),
    "vlan": (Case(says="", told=(), vlan=True), {}, False),
    "idle": (Case(says="", told=(), profile={"idle_s": 60}), {}, False),
    "device": (Case(says="", told=()), {"mac_lock": "aa:bb:cc:dd:ee:ff"}, False),
    "limit": (Case(says="", told=()), {"sessions_max": 7}, False),
    "any": (Case(says="", told=(), profile={"sessions_max": 0}), {}, True),
}


@pytest.mark.parametrize(("case", "changes", "plain"), LINES.values(), ids=LINES)
@pytest.mark.parametrize("vendor", ["mikrotik", "generic"])
def test_a_plain_login_gets_the_answer_that_any_would(
    own_database, case, changes, plain, vendor
):
    account, nas = lines.make_line(case, vendor)
    if changes:
        lines.act("change_access", account_id=account.pk, **changes)

    for station in ("AA-BB-CC-DD-EE-FF", "02-00-00-00-00-01", ""):
        short, whole, closer = _asked(account.login, str(nas.address), station)
        assert short == whole
        assert closer is not plain


def test_who_is_on_line_expires_or_is_told_something_of_the_nas_is_no_plain_login(
    own_database,
):
    for change in (_goes_on_line, _expires, _has_an_attribute, _is_disabled):
        account, nas = lines.make_line(Case(says="", told=()), "mikrotik")
        change(account, nas)

        short, whole, closer = _asked(account.login, str(nas.address), "")

        assert short == whole, change
        assert closer, change
    for login, address in (("nobody", "127.20.9.9"), ("ọ", "127.20.9.9")):
        short, whole, closer = _asked(login, address, "")
        assert short == whole
        assert closer


@pytest.mark.parametrize(
    "change",
    [
        {"secret_awaits": 2},
        {"decisions_sample_of": 5},
        {"decisions_read_until": timezone.now() - timedelta(hours=1)},
    ],
    ids=list,
)
def test_a_login_says_of_its_nas_what_is_to_be_said(own_database, change):
    account, nas = lines.make_line(Case(says="", told=()), "mikrotik")
    Nas.objects.filter(pk=nas.pk).update(**change)

    assert _asked(account.login, str(nas.address), "")[2]


def _goes_on_line(account, nas) -> None:
    session_row(SimpleNamespace(nas=nas), account, started_at=timezone.now())


def _expires(account, nas) -> None:
    lines.act(
        "change_access", account_id=account.pk,
        expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip


def _has_an_attribute(account, nas) -> None:
    lines.act("add_nas_attribute", nas_id=nas.pk, attribute="Filter-Id", value="f")


def _is_disabled(account, nas) -> None:
    lines.act("change_nas", nas_id=nas.pk, changes={"enabled": False})


def _asked(login: str, nas: str, station: str) -> tuple[list[str], list[str], bool]:
    """The short answer, the whole one, and whether the short one needed it."""
    facts = {
        "login": encoded(login), "nas": nas, "mac": encoded(station), "clear": login,
        "station": station,
    }  # fmt: skip
    settings = connections["owner"].settings_dict
    name = connections["default"].settings_dict["NAME"]
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], dbname=name,
        user=settings["USER"], password=settings["PASSWORD"],
        options=session_settings(keyring(), "UTC"),
    ) as connection:  # fmt: skip
        ((short, whole),) = connection.execute(_BOTH, facts)
        connection.execute(_always_raises(connection, "radius_authorize"))
        try:
            connection.execute(_BOTH.split(",\n       ARRAY", maxsplit=1)[0], facts)
        except psycopg.errors.RaiseException:
            closer = True
        else:
            closer = False
        connection.rollback()
    return short, whole, closer
