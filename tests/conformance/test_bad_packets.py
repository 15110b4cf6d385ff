"""Packets that are wrong in ways that sound alike: no answer, and a line in the log."""

from __future__ import annotations

import hmac
import re
import time

import pytest

from tests.conformance import wire
from tests.conformance.isp import SECRET

pytestmark = [pytest.mark.integration, pytest.mark.security]
KEY = SECRET.encode()
ACCEPT, ACCOUNTED = 2, 5
SIGNATURE, CONNECT_INFO = 80, 77
HEAD, MAX = 20, 4096


def sized(packet: bytes) -> bytes:
    """With the length in its head that it has."""
    return packet[:2] + len(packet).to_bytes(2, "big") + packet[4:]


def signed_accounting(login: bytes, secret: bytes, *, right: bool) -> bytes:
    """An Accounting-Request that is signed besides (RFC 5080, 2.2.2)."""
    facts = [wire.attribute(1, login), wire.attribute(44, b"signed")]
    empty = wire.accounting_request(
        secret, *facts, wire.attribute(SIGNATURE, bytes(16))
    )
    bare = empty[:4] + bytes(16) + empty[20:]
    value = hmac.digest(secret, bare, "md5") if right else bytes(range(16))
    return wire.accounting_request(secret, *facts, wire.attribute(SIGNATURE, value))


def test_accounting_must_be_signed_right_where_it_is_signed(isp):
    login = isp.account().login
    port = isp.client.acct_port

    wrong = signed_accounting(login.encode(), KEY, right=False)
    assert wire.ask(port, wrong, wait_s=0.5) is None
    stranger = signed_accounting(login.encode(), b"another-secret-of-24-ch", right=True)
    assert wire.ask(port, stranger, wait_s=0.5) is None
    assert isp.sessions(login) == []
    right = signed_accounting(login.encode(), KEY, right=True)
    assert wire.ask(port, right)[0] == ACCOUNTED
    assert len(isp.sessions(login)) == 1


def test_two_signatures_are_none(isp):
    login = isp.account().login.encode()
    data = wire.access_request(login, b"right horse", KEY)
    twice = sized(data + data[HEAD : HEAD + 18])

    assert wire.ask(isp.client.auth_port, twice, wait_s=0.5) is None
    assert wire.ask(isp.client.auth_port, data)[0] == ACCEPT


@pytest.mark.parametrize(("count", "answered"), [(180, True), (250, False)])
def test_attributes_are_counted(isp, count, answered):
    login = isp.account().login.encode()
    extra = wire.attribute(CONNECT_INFO, b"x") * count

    data = wire.access_request(login, b"right horse", KEY, extra=extra)
    answer = wire.ask(isp.client.auth_port, data, wait_s=1 if answered else 0.5)

    assert (answer is not None and answer[0] == ACCEPT) is answered


@pytest.mark.parametrize(("size", "answered"), [(MAX, True), (MAX + 1, False)])
def test_a_packet_has_4096_octets_at_most(isp, size, answered):
    """RFC 2865, 3."""
    login = isp.account().login.encode()
    bare = len(wire.access_request(login, b"right horse", KEY))
    left, extra = size - bare, b""
    while left:
        take = left if left <= 255 else min(255, left - 3)
        extra += wire.attribute(CONNECT_INFO, b"x" * (take - 2))
        left -= take

    data = wire.access_request(login, b"right horse", KEY, extra=extra)
    assert len(data) == size
    answer = wire.ask(isp.client.auth_port, data, wait_s=1 if answered else 0.5)

    assert (answer is not None and answer[0] == ACCEPT) is answered


def test_octets_behind_the_packet_are_padding(isp):
    """RFC 2865, 3: they are ignored."""
    login = isp.account().login
    data = wire.access_request(login.encode(), b"right horse", KEY)
    start = wire.accounting_request(
        KEY, wire.attribute(1, login.encode()), wire.attribute(44, b"padded")
    )

    assert wire.ask(isp.client.auth_port, data + b"\x01\xffpadding")[0] == ACCEPT
    assert wire.ask(isp.client.acct_port, start + bytes(40))[0] == ACCOUNTED


# What the servers say of them, besides the address.
SAID = {
    "malformed": r"malformed",
    "signature": r"signature|Message-Authenticator",
    "unknown": r"unknown_nas|unknown client",
    "secret": r"secret|Request Authenticator|authenticator",
}


def test_each_is_a_line_in_the_log(isp, server):
    nas = str(isp.nas().address)
    login = isp.account().login.encode()
    auth, acct = isp.client.auth_port, isp.client.acct_port
    bad = {
        "malformed": (auth, b"\x01\x01\x00\x17" + bytes(16) + b"\x01\x01x"),
        "signature": (auth, wire.access_request(login, b"x", b"wrong-secret-of-24-chars")),
        "secret": (acct, wire.accounting_request(
            b"wrong-secret-of-24-chars", wire.attribute(1, login),
            wire.attribute(44, b"s"))),
    }  # fmt: skip
    if server.kind == "freeradius":  # says so of no packet only while it debugs
        del bad["malformed"]
    # Each from a NAS of its own: a source and kind is a line a minute, and FreeRADIUS
    # says what it drops once a second.
    for number, (kind, (port, data)) in enumerate(bad.items(), 1):
        time.sleep(1.1)
        source = nas if number == 1 else str(isp.nas().address)
        assert wire.ask(port, data, source=source, wait_s=0.3) is None
        assert_logged(server, source, SAID[kind])
    stranger = f"127.11.8.{isp.client.auth_port % 250 + 1}"
    data = wire.access_request(login, b"right horse", KEY)
    assert wire.ask(auth, data, source=stranger, wait_s=0.3) is None
    assert_logged(server, stranger, SAID["unknown"])


def assert_logged(server, source: str, words: str) -> None:
    """FreeRADIUS names the client or the address, the embedded server the address."""
    lines: list[str] = []
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        text = server.child.log.read_text(errors="replace")
        lines = [line for line in text.splitlines() if source in line]
        if any(re.search(words, line) for line in lines):
            return
        time.sleep(0.1)
    raise AssertionError((source, words, lines))
