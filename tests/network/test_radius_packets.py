"""Bytes, rows and answers: what the RADIUS code makes of them without a server."""

from __future__ import annotations

import struct

import pytest
from pyrad.packet import AuthPacket

from apps.network.radius import packets
from apps.network.radius.client import CheckResult
from apps.network.radius.coa import CoaOrder, CoaOutcome
from apps.network.radius.database import RadiusDatabase
from apps.network.radius.flights import CoaFlights
from apps.network.radius.spool import Decision, Spool
from tests.conformance import wire

pytestmark = pytest.mark.unit
SECRET = b"a-secret-for-units"


def request(data: bytes) -> AuthPacket:
    packet = packets.decode_auth(data, SECRET)
    assert packet is not None
    return packet


def header(*, code: int = 1, length: int, extra: bytes = b"") -> bytes:
    return struct.pack("!BBH", code, 1, length) + bytes(16) + extra


@pytest.mark.parametrize(
    ("data", "well_formed"),
    [
        (header(length=20), True),
        (header(length=20, extra=b"padding is allowed"), True),
        (header(length=22, extra=b"\x01\x02"), True),
        (header(length=23, extra=b"\x01\x02\x01"), False),
        (header(length=22, extra=b"\x01\x01"), False),
        (header(length=24, extra=b"\x01\x05ab"), False),
        (header(length=19), False),
        (header(length=30), False),
        (header(length=20)[:19], False),
        (header(length=20) + bytes(4096), False),
        (header(length=38, extra=b"\x50\x12" + bytes(16)), True),
        (header(length=37, extra=b"\x50\x11" + bytes(15)), False),
        (header(length=56, extra=(b"\x50\x12" + bytes(16)) * 2), False),
    ],
)
def test_lengths_must_add_up(data, well_formed):
    assert packets.is_well_formed(data) is well_formed


def test_what_pyrad_cannot_read_is_no_packet():
    assert packets.decode_acct(b"\x04\x01", SECRET) is None


@pytest.mark.parametrize(
    ("value", "clear"),
    [
        ("plain", "plain"),
        ("'quoted'", "quoted"),
        (r"'it\'s'", "it's"),
        (r"'back\\slash'", "back\\slash"),
        ("''", ""),
        ("'", "'"),
        ('"abc"', '"abc"'),
    ],
)
def test_values_are_unquoted_as_rlm_sql_does(value, clear):
    assert packets.unquoted(value) == clear


def test_rows_become_attributes_and_internal_ones_stay_inside():
    reply = request(header(length=20)).CreateReply()

    packets.add_rows(
        reply,
        [
            ("Cleartext-Password", "'secret'", ":="),
            ("Tmp-String-1", "open", ":="),
            ("No-Such-Attribute", "1", ":="),
            ("Class", "65", ":="),
            ("Session-Timeout", "600", ":="),
            ("Framed-IP-Address", "100.64.0.1", ":="),
            ("Framed-IPv6-Address", "2001:db8::1", ":="),
            ("Delegated-IPv6-Prefix", "2001:db8:1::/56", ":="),
            ("Framed-Pool", "'o\\'pool'", ":="),
            ("Mikrotik-Rate-Limit", "5k/10k", ":="),
        ],
    )

    assert set(reply.keys()) == {
        "Class", "Session-Timeout", "Framed-IP-Address", "Framed-IPv6-Address",
        "Delegated-IPv6-Prefix", "Framed-Pool", "Mikrotik-Rate-Limit",
    }  # fmt: skip
    assert reply["Class"] == [b"65"]
    assert reply["Framed-Pool"] == ["o'pool"]
    assert b"secret" not in reply.ReplyPacket()


def test_a_row_adds_a_value_or_replaces_what_is_there():
    reply = request(header(length=20)).CreateReply()

    packets.add_rows(
        reply,
        [
            ("Reply-Message", "one", "+="),
            ("Reply-Message", "two", "+="),
            ("Session-Timeout", "100", "+="),
            ("Session-Timeout", "200", ":="),
        ],
    )

    assert reply["Reply-Message"] == ["one", "two"]
    assert reply["Session-Timeout"] == [200]


def test_of_several_names_of_a_thing_the_first_that_is_there_counts():
    body = wire.vendor(2352, 97, b"ericsson") + wire.vendor(3561, 2, b"remote")
    packet = request(header(length=20 + len(body), extra=body))

    assert packets.raw(packet, (3561, 1), (2352, 97)) == b"ericsson"
    assert packets.raw(packet, (3561, 1)) == b""


@pytest.mark.parametrize(
    ("attributes", "rate"),
    [
        ({"Mikrotik-Rate-Limit": "5000k/10000k"}, (10_000, 5_000)),
        ({"Mikrotik-Rate-Limit": "5M/1G 8M/2G"}, (1_000_000, 5_000)),
        ({"Mikrotik-Rate-Limit": "512000"}, (512, 512)),
        (
            {
                "WISPr-Bandwidth-Max-Up": "5000000",
                "WISPr-Bandwidth-Max-Down": "9000000",
            },
            (9_000, 5_000),
        ),
        ({}, None),
        ({"WISPr-Bandwidth-Max-Up": "1"}, None),
    ],
)
def test_a_result_tells_the_rate_in_one_way(attributes, rate):
    result = CheckResult(accepted=True, attributes=attributes)

    assert result.rate_kbps == rate
    assert (result.address, result.pool, result.walled) == ("", "", False)


def _sent(order: CoaOrder) -> CoaOutcome:
    flights = CoaFlights()
    flights.start(order)
    ((_, outcome),) = flights.wait(5)
    flights.close()
    return outcome


def test_a_nas_that_cannot_be_reached_at_all_is_silence():
    outcome = _sent(
        CoaOrder(
            id=1, kind="disconnect", nas_address="255.255.255.255", coa_port=3799,
            secret="x", login="ada", acct_session_id="1",
        )
    )  # fmt: skip

    assert (outcome.state, outcome.answer[:13]) == ("silent", "Not reachable")


def test_a_nas_with_an_ipv6_address_is_named_by_it():
    outcome = _sent(
        CoaOrder(
            id=1, kind="coa", nas_address="::1", coa_port=9, secret="x", login="ada",
            acct_session_id="1", framed_address="2001:db8::1",
        )
    )  # fmt: skip

    assert outcome.state == "silent"


def test_a_spool_on_a_full_disk_loses_lines_and_says_nothing(tmp_path):
    spool = Spool(tmp_path / "spool")
    (tmp_path / "spool").rmdir()

    spool.write(Decision(1, True, "open", "127.0.0.1", "ada", ""))

    assert not (tmp_path / "spool").exists()


def test_a_database_url_may_leave_things_out():
    database = RadiusDatabase.from_url("postgresql:///dotmac?sslmode=require&x=1")

    assert (database.host, database.port, database.user) == (
        "127.0.0.1",
        "5432",
        "radius",
    )
    assert database.tls == (("sslmode", "require"),)
