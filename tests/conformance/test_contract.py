"""What packets tell reaches the functions, and what those answer reaches the NAS."""

from __future__ import annotations

import ipaddress
import os
import uuid
from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from apps.network.radius.database import session_settings
from tests.conformance import wire
from tests.conformance.isp import SECRET, ago, replaced

pytestmark = pytest.mark.integration
KEY = SECRET.encode()
ADSL_FORUM, ERICSSON = 3561, 2352


def _id() -> str:
    return f"c{uuid.uuid4().hex[:8]}"


def _row(isp, account):
    (row,) = isp.sessions(account.login)
    return row


DUAL_STACK = {
    "Framed_IPv6_Address": "2001:db8:0:7::2",
    "Framed_IPv6_Prefix": "2001:db8:0:7::/64",
    "Delegated_IPv6_Prefix": "2001:db8:700::/56",
    "ADSL_Agent_Circuit_Id": "olt3 xpon 0/1/0/7:12.1",
    "Called_Station_Id": "AA-BB-CC-00-00-09:cafe",
}


def _told(row) -> tuple[str, ...]:
    return (
        str(row.framed_ipv6), str(row.framed_ipv6_prefix), str(row.delegated_prefix),
        row.circuit, row.called,
    )  # fmt: skip


def test_ipv6_the_line_and_who_was_called_stand_in_the_session(isp):
    account, session = isp.account(), _id()
    about = {"User_Name": account.login, "Acct_Session_Id": session}

    isp.client.acct("Start", **about, **DUAL_STACK)
    assert _told(_row(isp, account)) == tuple(DUAL_STACK.values())

    # A later packet that says less takes nothing away; one that says more adds.
    isp.client.acct("Interim-Update", **about, Acct_Session_Time=300)
    isp.client.acct(
        "Interim-Update", **about, Acct_Session_Time=600,
        Delegated_IPv6_Prefix="2001:db8:800::/56",
    )  # fmt: skip

    now = {**DUAL_STACK, "Delegated_IPv6_Prefix": "2001:db8:800::/56"}
    assert _told(_row(isp, account)) == tuple(now.values())


def test_a_line_named_by_ericssons_attribute_is_known_as_well(isp):
    account = isp.account()

    isp.client.acct(
        "Start", User_Name=account.login, Acct_Session_Id=_id(),
        Agent_Circuit_Id="slot 4",
    )  # fmt: skip

    assert _row(isp, account).circuit == "slot 4"


def test_when_a_session_was_heard_of_is_told_by_our_clock(isp):
    account, session = isp.account(), _id()
    about = {"User_Name": account.login, "Acct_Session_Id": session}
    before = timezone.now()

    isp.client.acct("Start", **about, Event_Timestamp=ago(days=1))
    first = _row(isp, account)
    isp.client.acct("Interim-Update", **about, Event_Timestamp=ago(days=1, seconds=-9))

    second = _row(isp, account)
    assert first.seen_at < before - timedelta(hours=23)
    assert before <= first.heard_at < second.heard_at <= timezone.now()


# Framed-IPv6-Prefix 97, Delegated-IPv6-Prefix 123, Framed-IPv6-Address 168.
ODD = {
    "too-short": [(97, b"\0"), (123, b""), (168, b"\x20\x01")],
    "too-long": [(97, bytes(30)), (123, bytes(253)), (168, bytes(17))],
    "length-of-a-prefix": [(97, b"\0\xff" + bytes(16)), (123, b"\0\x81" + bytes(16))],
    "empty": [(97, b""), (123, b""), (168, b""), (30, b""), (87, b"")],
    "texts": [(30, b"'); DROP TABLE x; --"), (87, b"%{User-Name}\\' \"")],
    "no-utf-8": [(30, b"\xff\xfe\0"), (87, b"\0")],
    "long": [(30, b"\xff" * 253), (87, b"'" * 253)],
}
ODD_LINES = [b"", b"\0\x04\0\x01", b"\xff" * 240, b"'\\%{x}`", b"0x6162", b"x" * 245]


@pytest.mark.parametrize("attributes", ODD.values(), ids=ODD)
def test_nonsense_costs_a_value_and_never_the_packet(isp, attributes):
    account = isp.account()
    odd = [wire.attribute(code, value) for code, value in attributes]
    who = wire.attribute(1, account.login.encode())
    start = wire.accounting_request(KEY, who, wire.attribute(44, _id().encode()), *odd)
    request = wire.access_request(
        account.login.encode(), b"right horse", KEY, extra=b"".join(odd)
    )

    assert wire.ask(isp.client.acct_port, start)[0] == 5
    assert _row(isp, account).stopped_at is None
    account.profile.sessions_max = 0
    account.profile.store("sessions_max", now=timezone.now())
    assert wire.ask(isp.client.auth_port, request)[0] == 2


@pytest.mark.parametrize("line", ODD_LINES, ids=range(len(ODD_LINES)))
def test_lines_of_every_kind(isp, line):
    account = isp.account(sessions_max=0)
    circuit = wire.vendor(ADSL_FORUM, 1, line)
    who = wire.attribute(1, account.login.encode())
    start = wire.accounting_request(KEY, who, wire.attribute(44, b"line"), circuit)
    request = wire.access_request(
        account.login.encode(), b"right horse", KEY,
        extra=circuit + wire.vendor(ADSL_FORUM, 2, line),
    )  # fmt: skip

    assert wire.ask(isp.client.acct_port, start)[0] == 5
    assert wire.ask(isp.client.auth_port, request)[0] == 2
    try:
        told = line.decode()
    except UnicodeDecodeError:
        told = "\0"
    hexed = "\\x" + line.hex()
    assert _row(isp, account).circuit == (hexed[:253] if "\0" in told else told)


def test_bits_beyond_a_prefix_are_no_error(isp):
    account = isp.account()
    prefix = b"\0\x38" + ipaddress.ip_address("2001:db8:700::99").packed
    who = wire.attribute(1, account.login.encode())

    start = wire.accounting_request(
        KEY, who, wire.attribute(44, b"bits"), wire.attribute(123, prefix)
    )

    assert wire.ask(isp.client.acct_port, start)[0] == 5
    assert str(_row(isp, account).delegated_prefix) == "2001:db8:700::/56"


_SPY = """
    CREATE OR REPLACE FUNCTION radius_find_account(r radius_request, n network_nas)
    RETURNS radius_subject LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        INSERT INTO heard_requests SELECT r.*;
        RETURN NULL;
    END $$;
    CREATE TABLE IF NOT EXISTS heard_requests (
        login text, nas inet, mac text, station text, port text, circuit text,
        remote text, called text, kind text, client text);
"""
WHOLE = {
    "Calling_Station_Id": "AA-BB-CC-00-00-07", "NAS_Port_Id": "ether7", "NAS_Port": 7,
    "ADSL_Agent_Circuit_Id": "olt3/7", "ADSL_Agent_Remote_Id": "ont-12",
    "Called_Station_Id": "hotspot1", "NAS_Port_Type": "Wireless-802.11",
    "Service_Type": "Login-User",
}  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        (
            WHOLE,
            ("aa:bb:cc:00:00:07", "AA-BB-CC-00-00-07", "ether7", "olt3/7", "ont-12",
             "hotspot1", "Wireless-802.11"),
        ),
        (
            {"Calling_Station_Id": "+234 1", "NAS_Port": 7, "Agent_Circuit_Id": "c",
             "Agent_Remote_Id": "r", "Service_Type": "Framed-User"},
            ("", "+234 1", "7", "c", "r", "", "Framed-User"),
        ),
        ({}, ("", "", "", "", "", "", "")),
    ],
    ids=["all", "the-second-choice", "nothing"],
)  # fmt: skip
def test_an_access_request_is_told_whole(isp, radius_database, attributes, told):
    login = f"whole-{_id()}"
    nas = isp.nas()
    source = {"Packet_Src_IP_Address": str(nas.address)}

    with replaced(radius_database, "radius_find_account", _SPY) as cursor:
        assert isp.client.auth(
            User_Name=login, User_Password="x", **source, **attributes
        ).rejected
        cursor.execute("SELECT h.* FROM heard_requests h WHERE login = %s", [login])
        ((_, address, *facts, client),) = cursor.fetchall()

    assert str(address) == str(nas.address)
    assert tuple(facts) == told
    assert client == f"nas-{nas.pk}-1"


_SPY_NAS = """
    CREATE TABLE IF NOT EXISTS heard_clients (client text);
    CREATE OR REPLACE FUNCTION radius_nas_of(p_nas inet, p_client text)
    RETURNS network_nas LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        INSERT INTO heard_clients VALUES (p_client);
        RETURN NULL;
    END $$;
"""


def test_accounting_names_its_client_as_well(isp, radius_database):
    nas = isp.nas()
    where = {"Packet_Src_IP_Address": str(nas.address)}

    with replaced(radius_database, "radius_nas_of", _SPY_NAS) as cursor:
        assert isp.client.acct(
            "Start", User_Name="x", Acct_Session_Id=_id(), wait_s=1, **where
        ).silent
        cursor.execute("SELECT DISTINCT client FROM heard_clients")
        clients = {client for (client,) in cursor}

    assert f"nas-{nas.pk}-1" in clients


_SEVERAL = """
    CREATE OR REPLACE FUNCTION radius_reply(
        s radius_subject, r radius_request, n network_nas)
    RETURNS radius_pair[] LANGUAGE sql VOLATILE AS $$
        SELECT ARRAY[
            ('Reply-Message', 'one', '+='), ('Reply-Message', 'two', '+='),
            ('Session-Timeout', '200', ':='), ('Reply-Message', 'o''3', '+=')
        ]::radius_pair[]
    $$;
"""


def test_several_values_of_one_attribute_all_travel(isp, radius_database):
    # No plain login: those have an answer of their own.
    account = isp.account(profile={"idle_s": 60})

    with replaced(radius_database, "radius_reply", _SEVERAL):
        answer = isp.auth(account)

    assert answer.pairs[0][0] == "Message-Authenticator"
    assert sorted(answer.pairs[1:]) == [
        ("Reply-Message", "o'3"), ("Reply-Message", "one"), ("Reply-Message", "two"),
        ("Session-Timeout", "200"),
    ]  # fmt: skip


def test_a_certificate_speaks_for_the_nas_that_it_names_and_no_other(
    isp, radius_database
):
    from dotmac.core.models import keyring

    one, two = isp.nas(), isp.nas()
    url = os.environ["RADIUS_DATABASE_URL"].rsplit("/", 1)[0]
    with psycopg.connect(
        f"{url}/{radius_database}", options=session_settings(keyring(), "UTC")
    ) as radius:
        asked = [
            radius.execute(
                "SELECT shortname FROM radius_clients(%s, %s)", [str(address), name]
            ).fetchall()
            for address, name in (
                (one.address, None), (one.address, f"nas-{one.pk}"),
                (one.address, f"nas-{two.pk}"), (one.address, ""),
            )
        ]  # fmt: skip

    known = [(f"nas-{one.pk}-1",)]
    assert asked == [known, known, [], []]
