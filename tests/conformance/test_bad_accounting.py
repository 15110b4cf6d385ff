"""Accounting that makes no sense: no crash, no wrong count, a line in the log."""

from __future__ import annotations

import struct
import time

import pytest

from apps.network.models import SessionLive
from tests.conformance import wire
from tests.conformance.isp import SECRET, ago
from tests.conformance.town import Box, new_id, on_line

pytestmark = pytest.mark.integration

KEY = SECRET.encode()
LONGEST = 253  # of an attribute's value: RFC 2865, 5
NAMES = {
    "ascii": b"n" * LONGEST,
    "quotes": b"'\"`\\" * 63,
    "expansions": (b"%{sql:SELECT 1}" * 17)[:LONGEST],
    "utf-8": "ọ".encode() * 84,
    "no-utf-8": b"\xff" * LONGEST,
    "zeros": bytes(LONGEST),
}


def _acct(session: str, *attributes: bytes, status: int = 1) -> bytes:
    return wire.accounting_request(
        KEY, wire.attribute(44, session.encode()), *attributes, status=status
    )


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_of_253_octets_are_kept_and_nobodys(isp, name):
    session = new_id()
    login, calling = wire.attribute(1, name), wire.attribute(31, name)
    called, port = wire.attribute(30, name), wire.attribute(87, name)

    for status in (1, 3, 2):
        data = _acct(
            session, login, calling, called, port, struct.pack("!BBI", 42, 6, 9),
            struct.pack("!BBI", 46, 6, 60), status=status,
        )  # fmt: skip
        assert wire.ask(isp.client.acct_port, data)[0] == 5
    asked = wire.access_request(name, b"right horse", KEY)
    assert wire.ask(isp.client.auth_port, asked)[0] == 3

    (row,) = SessionLive.objects.filter(acct_session_id=session)
    assert (row.account_id, row.octets_in) == (None, 9)
    assert row.stopped_at is not None
    assert 0 < len(row.login) <= LONGEST
    assert isp.auth(isp.account()).accepted


@pytest.mark.parametrize(
    "session", [b"s" * LONGEST, b"'" * LONGEST, b"\xff" * 200], ids=["s", "quote", "ff"]
)
def test_session_ids_of_253_octets_tell_sessions_apart(isp, session):
    account = isp.account()
    login = wire.attribute(1, account.login.encode())

    for last in b"ab":
        data = wire.accounting_request(
            KEY, login, wire.attribute(44, session[:-1] + bytes([last]))
        )
        assert wire.ask(isp.client.acct_port, data)[0] == 5

    assert len({row.session_key for row in isp.sessions(account.login)}) == 2


def test_counters_that_go_backwards_take_nothing_back(isp):
    box, account = Box.at(isp), isp.account()
    about = box.about(account, new_id())

    for seconds, octets in ((300, 900), (600, 100), (900, 950), (1200, 0)):
        box.says(
            "Interim-Update", **about, Acct_Session_Time=seconds,
            Acct_Input_Octets=octets, Acct_Output_Octets=2 * octets,
        )  # fmt: skip

    (row,) = isp.sessions(account.login)
    assert (row.seconds, row.octets_in, row.octets_out) == (1200, 950, 1900)
    assert isp.usage(account) == (950, 1900)


def test_time_on_line_that_goes_backwards_for_a_moment_is_an_old_packet(isp):
    box, account = Box.at(isp), isp.account()
    about = box.about(account, new_id())

    for seconds, octets in ((300, 900), (240, 700), (300, 900), (360, 990)):
        box.says(
            "Interim-Update", **about, Event_Timestamp=ago(seconds=400 - seconds),
            Acct_Session_Time=seconds, Acct_Input_Octets=octets,
        )  # fmt: skip

    assert len(isp.sessions(account.login)) == 1
    assert isp.usage(account) == (990, 0)


@pytest.mark.parametrize("reboots", [False, True])
@pytest.mark.parametrize("clock", [False, True])
def test_a_stop_before_its_start_leaves_nobody_on_line(isp, clock, reboots):
    box, account = Box.at(isp), isp.account()
    about = box.about(account, new_id())

    def when(seconds: int) -> dict[str, int]:
        name = "Event_Timestamp" if clock else "Acct_Delay_Time"
        return {name: ago(seconds=seconds) if clock else seconds}

    box.says("Stop", **about, **when(30), Acct_Session_Time=60, Acct_Input_Octets=8)
    if reboots:
        box.says("Accounting-On", **when(10))
    box.says("Start", **about, **when(90))
    box.says("Stop", **about, **when(30), Acct_Session_Time=60, Acct_Input_Octets=8)

    assert on_line(account) == []
    assert [row.octets_in for row in isp.sessions(account.login)] == [8]
    assert isp.usage(account) == (8, 0)


@pytest.mark.parametrize("status", [0, 6, 15, 255, 2**32 - 1])
def test_a_status_that_we_do_not_know_changes_nothing(isp, status):
    account = isp.account()

    answer = wire.ask(
        isp.client.acct_port,
        _acct(new_id(), wire.attribute(1, account.login.encode()), status=status),
    )

    assert answer is None or answer[0] == 5
    assert isp.sessions(account.login) == []


class TestTheLog:
    """A packet that gets no answer leaves a line: one, however many of it come."""

    @pytest.fixture
    def lines(self, server):
        """What the server says from here on, once it has said something."""
        begin = server.child.log.stat().st_size

        def read() -> list[str]:
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                with server.child.log.open() as log:
                    log.seek(begin)
                    found: list[str] = log.read().splitlines()
                if found:
                    return found
                time.sleep(0.05)
            return []

        return read

    def test_a_wrong_secret(self, isp, lines):
        box = Box.at(isp)
        data = wire.accounting_request(b"another secret", wire.attribute(44, b"x"))

        for _ in range(5):
            source = str(box.nas.address)
            assert (
                wire.ask(isp.client.acct_port, data, wait_s=0.1, source=source) is None
            )

        assert any(str(box.nas.address) in line for line in lines())

    def test_a_packet_that_is_none(self, isp, lines, server):
        box = Box.at(isp)
        source = str(box.nas.address)
        if server.kind == "freeradius":
            # It looks up who sent it first, and says so only of NASes.
            assert isp.auth(isp.account(), Packet_Src_IP_Address=source).accepted

        data = b"\x04\x01\x00\x18" + bytes(16) + b"\x01\x09ab"
        wire.ask(isp.client.acct_port, data, wait_s=0.2, source=source)

        assert any(source in line for line in lines())
