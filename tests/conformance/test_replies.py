"""What each vendor's NAS is told, as radclient reads it from both servers."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.conformance import wire
from tests.conformance.isp import SECRET
from tests.network.vendors import Case, lines

pytestmark = pytest.mark.integration
EVERYBODYS = {"Message-Authenticator", "Class", "Acct-Interim-Interval"}


@pytest.mark.parametrize(
    "vendor", ["mikrotik", "cisco", "juniper", "huawei", "generic"]
)
def test_a_line_is_told_in_the_vendors_words(isp, vendor):
    cases: tuple[Case, ...] = import_module(f"tests.network.vendors.{vendor}").CASES

    for case in cases:
        account, nas = lines.make_line(case, vendor, SECRET)
        answer = isp.client.auth(
            User_Name=account.login, User_Password="right horse",
            Packet_Src_IP_Address=str(nas.address),
        )  # fmt: skip

        assert answer.accepted, case.says
        told = [pair for pair in answer.pairs if pair[0] not in EVERYBODYS]
        assert sorted(told) == sorted(case.told), case.says


def test_attributes_of_one_nas_travel(isp):
    account, nas = lines.make_line(Case(says="", told=()), "juniper", SECRET)
    for attribute, value, op in (
        ("ERX-CoS-Shaping-Pmt-Type", "T02 9m", ":="),
        ("ERX-Service-Activate:1", 'o\'service(1m,"2m")', "+="),
        ("ERX-Service-Activate:2", "back\\slash", "+="),
        ("Framed-IPv6-Prefix", "2001:db8::/33", "+="),
        ("Framed-Interface-Id", "0000:0000:0000:0001", ":="),
        ("Tunnel-Type", "VLAN", ":="),
        ("Idle-Timeout", "4294967295", ":="),
    ):
        lines.act(
            "add_nas_attribute", nas_id=nas.pk, attribute=attribute, value=value, op=op
        )

    answer = isp.client.auth(
        User_Name=account.login, User_Password="right horse",
        Packet_Src_IP_Address=str(nas.address),
    )  # fmt: skip

    told = [pair for pair in answer.pairs if pair[0] not in EVERYBODYS]
    assert sorted(told) == [
        ("ERX-CoS-Shaping-Pmt-Type", "T02 9m"),
        ("ERX-Service-Activate:1", 'o\'service(1m,\\"2m\\")'),
        ("ERX-Service-Activate:2", "back\\\\slash"),
        ("Framed-IPv6-Prefix", "2001:db8::/33"),
        ("Framed-Interface-Id", "0:0:0:1"),
        ("Idle-Timeout", "4294967295"),
        ("Tunnel-Type", "VLAN"),
    ]


def test_a_vlan_has_these_octets(isp):
    """RFC 2868 3.1 and 3.2: a tag of 0, which is none; 3.6: no tag before a text."""
    account, nas = lines.make_line(Case(says="", told=(), vlan=True), "generic", SECRET)

    data = wire.ask(
        isp.client.auth_port,
        wire.access_request(account.login.encode(), b"right horse", SECRET.encode()),
        source=str(nas.address),
    )

    for octets in (
        bytes((64, 6, 0, 0, 0, 13)), bytes((65, 6, 0, 0, 0, 6)), bytes((81, 5)) + b"101",
    ):  # fmt: skip
        assert data.count(octets) == 1
