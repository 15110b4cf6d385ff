"""MS-CHAPv2 over PPPoE and L2TP: who gets in, and with which proof and keys."""

from __future__ import annotations

import pytest

from tests.conformance import peer, wire
from tests.conformance.isp import SECRET
from tests.conformance.peer import ACCEPT, REJECT, Peer
from tests.conformance.test_wire import PASSWORDS

pytestmark = pytest.mark.integration
KEY = SECRET.encode()
# What a NAS says of a line beside the password. Of L2TP it is the network server, and
# the line a tunnel (RFC 2868).
LINES = {
    "pppoe": {
        "NAS_Port_Type": 15, "NAS_Port_Id": "ether2-vlan-100", "Service_Type": 2,
        "Framed_Protocol": 1, "Called_Station_Id": "isp",
    },
    "l2tp": {
        "NAS_Port_Type": 5, "Tunnel_Type": 3, "Tunnel_Medium_Type": 1,
        "Tunnel_Client_Endpoint": "198.51.100.7", "Tunnel_Server_Endpoint": "192.0.2.1",
        "Service_Type": 2, "Framed_Protocol": 1,
    },
}  # fmt: skip
_CODES = {
    "Service_Type": 6, "Framed_Protocol": 7, "Called_Station_Id": 30,
    "NAS_Port_Type": 61, "Tunnel_Type": 64, "Tunnel_Medium_Type": 65,
    "Tunnel_Client_Endpoint": 66, "Tunnel_Server_Endpoint": 67, "NAS_Port_Id": 87,
}  # fmt: skip


def in_bytes(facts: dict[str, object]) -> bytes:
    """The same attributes for a request that radclient cannot make."""
    return b"".join(
        wire.attribute(
            _CODES[name],
            value.to_bytes(4, "big") if isinstance(value, int) else str(value).encode(),
        )
        for name, value in facts.items()
    )


def asked(isp, who: Peer, extra: bytes = b"", **changes: bytes):
    """The genuine answer to one login attempt, taken apart."""
    data = wire.ask(isp.client.auth_port, who.request(KEY, extra, **changes))
    assert data is not None
    assert peer.is_genuine(data, who, KEY)
    return peer.reply(data)


def test_a_right_password_is_answered_with_proof_and_keys(isp):
    who = Peer(isp.account().login.encode(), "right horse")

    answer = asked(isp, who)

    assert answer.code == ACCEPT
    assert answer.value((311, 26)) == who.expected
    hidden = answer.value((311, 17)), answer.value((311, 16))
    assert tuple(who.revealed(key, KEY) for key in hidden) == who.keys()
    assert answer.value((311, 7)) == b"\0\0\0\x01"
    assert answer.value((311, 8)) == b"\0\0\0\x04"


def test_the_plans_attributes_are_those_of_pap(isp):
    account = isp.account()
    pap = wire.access_request(account.login.encode(), b"right horse", KEY)

    answer = asked(isp, Peer(account.login.encode(), "right horse"))

    plain = peer.reply(wire.ask(isp.client.auth_port, pap))
    of_microsoft = {(311, code) for code in (7, 8, 16, 17, 26)}
    assert set(answer.names) == {*plain.names, *of_microsoft}
    assert answer.value((14988, 8)) == plain.value((14988, 8)) == b"10000k/20000k"


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("method", ["User_Password", "CHAP_Password", "mschap2"])
@pytest.mark.parametrize("password", ["right horse", "wrong horse"])
def test_each_kind_of_line_takes_each_method(isp, line, method, password):
    account = isp.account()
    if method == "mschap2":
        who = Peer(account.login.encode(), password)
        accepted = asked(isp, who, in_bytes(LINES[line])).code == ACCEPT
    else:
        facts = {method: password, **LINES[line]}
        accepted = isp.client.auth(User_Name=account.login, **facts).accepted

    assert accepted is (password == "right horse")


def test_a_wrong_password_an_unknown_user_and_a_hold_look_the_same(isp):
    """No MS-CHAP-Error: it would say that the login exists."""
    held, locked = isp.account(), isp.account(mac_lock="aa:bb:cc:00:00:01")
    isp.hold(held, "reject")
    ordinary = isp.account().login.encode()

    answers = [
        asked(isp, Peer(ordinary, "wrong horse")),
        asked(isp, Peer(b"nobody-of-that-name", "right horse")),
        asked(isp, Peer(held.login.encode(), "right horse")),
        asked(isp, Peer(locked.login.encode(), "right horse")),
    ]

    assert [(each.code, each.names) for each in answers] == [(REJECT, [80])] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"challenge": bytes(16)},
        {"challenge": b"short"},
        {"challenge": b""},
        {"response": bytes(50)},
        {"response": bytes(49)},
        {"response": b"\x05"},
    ],
    ids=["other-challenge", "short", "none", "zeros", "cut", "byte"],
)
def test_answers_of_odd_shapes_are_refusals_not_failures(isp, changes):
    who = Peer(isp.account().login.encode(), "right horse")

    data = wire.ask(isp.client.auth_port, who.request(KEY, **changes))

    assert data is None or peer.reply(data).code == REJECT
    assert asked(isp, who).code == ACCEPT


def test_an_answer_to_no_challenge_is_no_way_to_another_method(isp):
    """Of several methods the first counts, also where it is offered by half."""
    who = Peer(isp.account().login.encode(), "right horse")
    pap = wire.attribute(2, wire.hidden(b"right horse", KEY, who.authenticator))
    name = wire.attribute(1, who.login)

    answers = []
    for half in (b"", peer.vendor(11, who.challenge), peer.vendor(25, who.response)):
        data = wire.signed_request(
            name + half + pap, KEY, authenticator=who.authenticator
        )
        answer = wire.ask(isp.client.auth_port, data, wait_s=3.0)
        assert answer is not None
        answers.append(answer[0])

    assert answers == [ACCEPT, ACCEPT, REJECT]


def test_an_answer_does_not_fit_another_login(isp):
    mine, other = isp.account(), isp.account()

    stolen = Peer(other.login.encode(), "right horse", name=mine.login.encode())

    assert asked(isp, stolen).code == REJECT


def test_version_1_is_refused(isp):
    account = isp.account()

    answer = isp.client.auth(User_Name=account.login, MS_CHAP_Password="right horse")

    assert answer.rejected
    assert list(answer.attributes) == ["Message-Authenticator"]


def test_the_domain_that_windows_puts_first_is_not_answered_for(isp):
    login = f"ISP{isp.client.auth_port}\\ada"
    isp.account(login=login)

    assert asked(isp, Peer(login.encode(), "right horse", name=b"ada")).code == ACCEPT
    assert asked(isp, Peer(login.encode(), "right horse", name=b"bo")).code == REJECT


@pytest.mark.security
@pytest.mark.parametrize("password", PASSWORDS, ids=range(len(PASSWORDS)))
def test_passwords_of_every_kind(isp, password):
    password = "".join(c for c in password if c.isprintable())
    login = isp.account(password=password).login.encode()
    right = Peer(login, password)

    for wrong in {password[:-1], password + "'", password.swapcase() + "!"}:
        assert asked(isp, Peer(login, wrong)).code == REJECT
    answer = asked(isp, right)
    assert answer.code == ACCEPT
    assert answer.value((311, 26)) == right.expected


def test_a_sign_beyond_two_octets_is_the_embedded_servers_only(server, isp):
    """FreeRADIUS 3.2 cannot write it in UTF-16 (docs/radius.md); PAP works in both."""
    account = isp.account(password="right 😀 horse")

    answer = asked(isp, Peer(account.login.encode(), "right 😀 horse"))

    assert answer.code == (ACCEPT if server.kind == "embedded" else REJECT)
    assert isp.auth(account, "right 😀 horse").accepted
