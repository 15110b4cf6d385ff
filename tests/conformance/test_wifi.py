"""Wi-Fi with logins through FreeRADIUS: who gets in, and what the wire gives away."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import pytest
from django.utils import timezone

from apps.network import operations
from tests.conformance import tunnel
from tests.conformance.isp import (
    ACTOR,
    SECRET,
    SERVER_NAME,
    make_certificates,
    replaced,
    superuser,
)
from tests.conformance.peer import ACCEPT, REJECT
from tests.conformance.supplicant import MAC, Phone
from tests.conformance.test_reasons import _decisions
from tests.conformance.test_statements import _calls, forget_statements
from tests.conformance.test_wire import LOGINS, PASSWORDS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("server", ["freeradius"], indirect=True),
]
# RFC 2865, RFC 3579
USER_NAME, REPLY_MESSAGE, CLASS, PROXY_STATE, EAP_MESSAGE, SIGNATURE = (
    1,
    18,
    25,
    33,
    79,
    80,
)
VENDOR, SESSION_TIMEOUT, FRAMED_POOL = 26, 27, 88
METHODS = [
    ("PEAP", "auth=MSCHAPV2"),
    ("TTLS", "auth=PAP"),
    ("TTLS", "auth=MSCHAPV2"),
    ("TTLS", "autheap=MSCHAPV2"),
]
methods = pytest.mark.parametrize(("method", "inner"), METHODS)


@pytest.fixture
def phone(server, isp):
    """A phone that was set up as docs/radius.md says."""
    folder = server.child.log.parent / "radius-certificates"
    return Phone(isp.client.auth_port, SECRET, folder / "ca.pem", SERVER_NAME)


def login_of(account) -> bytes:
    return bytes(account.login.encode())


@methods
def test_a_right_password_gets_in_with_the_plan(isp, phone, method, inner):
    account = isp.account()

    outcome = phone.but(method=method, inner=inner, login=login_of(account)).connect()

    assert outcome.accepted
    assert outcome.code == ACCEPT
    assert outcome.names[0] == SIGNATURE
    assert outcome.value(USER_NAME) == f"'{account.login}'"
    assert outcome.value(CLASS) == str(account.pk).encode().hex()
    speed = b"10000k/20000k".hex()
    assert any(name == VENDOR and speed in value for name, value in outcome.pairs)
    # The two keys of the link, Class, interim interval and speed; no proof of the
    # inner MS-CHAPv2, none of its keys, and the failure or success of EAP.
    assert sorted(outcome.names) == [1, 25, 26, 26, 26, 79, 80, 85]


@methods
def test_a_wrong_password_stays_out(server, isp, phone, method, inner):
    account = isp.account()

    who = phone.but(method=method, inner=inner, login=login_of(account))
    outcome = who.but(password=b"wrong horse").connect()

    assert not outcome.accepted
    assert outcome.names == [SIGNATURE, EAP_MESSAGE]
    assert _decisions(server, account.login) == [(account.login, False, "password")]


@methods
def test_every_refusal_looks_the_same_and_is_noted_once(
    server, isp, phone, method, inner
):
    mark = uuid.uuid4().hex
    held, locked = isp.account(), isp.account(mac_lock="aa:bb:cc:00:00:02")
    walled = isp.account()
    isp.hold(held, "reject")
    isp.hold(walled, "walled_garden", "non_payment")
    accounts = (held, locked, walled)

    logins = [*map(login_of, accounts), mark.encode()]
    who = [phone.but(method=method, inner=inner, login=each) for each in logins]
    refused = [who[i].connect() for i in (0, 1, 3)]
    garden = who[2].connect()

    assert [(o.accepted, o.names) for o in refused] == [
        (False, [SIGNATURE, EAP_MESSAGE])
    ] * 3
    assert garden.accepted
    assert FRAMED_POOL in garden.names
    assert garden.value(SESSION_TIMEOUT) == "600"
    assert _decisions(server, mark, *(a.login for a in accounts)) == [
        (held.login, False, "hold"),
        (locked.login, False, "mac"),
        (mark, False, "unknown"),
        (walled.login, True, "walled_garden"),
    ]


def test_a_hold_is_lifted_for_the_next_login(isp, phone):
    account = isp.account()
    isp.hold(account, "reject")
    who = phone.but(login=login_of(account))
    assert not who.connect().accepted
    operations.lift_hold(
        account_id=account.pk, reason="admin", actor=ACTOR, now=timezone.now()
    )

    assert who.connect().accepted


@pytest.fixture
def statements(radius_database):
    """How many statements role radius ran meanwhile, the NAS's look-ups left out."""

    @contextmanager
    def counted():
        found: list[int] = []
        with superuser(radius_database) as admin:
            forget_statements(admin, radius_database)
            yield found
            calls = _calls(admin, radius_database)
        calls.pop("radius_clients(", 0)
        found.append(sum(calls.values()))

    return counted


@methods
def test_a_login_is_one_statement(isp, phone, statements, method, inner):
    """However many packets the conversation has; and a second one is asked anew."""
    who = phone.but(method=method, inner=inner, login=login_of(isp.account()))

    with statements() as found:
        assert who.connect().accepted
    with statements() as found_wrong:
        assert not who.but(password=b"wrong horse").connect().accepted
    with statements() as found_thrice:
        assert who.but(logins=3).connect().accepted

    assert (found, found_wrong, found_thrice) == ([1], [1], [3])


def assert_nothing_was_told(server, who, statements):
    """The phone ended it: no password was sent, nobody asked, and support sees why."""
    with statements() as found:
        assert not who.connect().accepted
    assert found == [0]
    assert _decisions(server, who.login.decode()) == []
    assert _decisions(server, who.anonymous) == [(who.anonymous, False, "method")]


@pytest.mark.security
def test_a_phone_tells_nothing_to_a_server_of_another_name(
    server, isp, phone, statements
):
    who = phone.but(expects="radius.example.org", login=login_of(isp.account()))

    assert_nothing_was_told(server, who.but(anonymous="of-another-name"), statements)


@pytest.mark.security
def test_a_phone_tells_nothing_to_another_authoritys_server(
    server, isp, phone, statements, tmp_path
):
    other = make_certificates(tmp_path).path / "ca.pem"
    who = phone.but(ca=other, login=login_of(isp.account()))

    assert_nothing_was_told(server, who.but(anonymous="of-another-ca"), statements)


def test_a_nas_that_was_disabled_gets_no_answer(isp, phone):
    """Also while the server still remembers it: the account is asked for through it."""
    nas = isp.nas()
    who = phone.but(login=login_of(isp.account()), nas=str(nas.address))
    assert who.connect().accepted
    operations.change_nas(
        nas_id=nas.pk, changes={"enabled": False}, actor=ACTOR, now=timezone.now()
    )

    outcome = who.but(wait_s=2).connect()

    assert (outcome.accepted, outcome.code) == (False, 0)


@pytest.mark.security
@pytest.mark.parametrize(
    ("method", "inner"),
    [("MD5", ""), ("MSCHAPV2", ""), ("GTC", ""), ("PEAP", "auth=GTC"),
     ("PEAP", "auth=MD5"), ("TTLS", "auth=MSCHAP"), ("TTLS", "autheap=MD5")],
)  # fmt: skip
def test_weak_methods_do_not_get_in(isp, phone, method, inner):
    who = phone.but(login=login_of(isp.account()))

    outcome = who.but(method=method, inner=inner).connect()

    assert not outcome.accepted
    assert outcome.names == [SIGNATURE, EAP_MESSAGE]
    assert who.connect().accepted


def test_proxy_state_stays_with_the_failure_and_the_success(isp, phone):
    who = phone.but(login=login_of(isp.account()), extra=("33:s:one", "33:s:two"))

    refused, accepted = who.but(password=b"wrong").connect(), who.connect()

    assert accepted.accepted
    for outcome in (refused, accepted):
        states = [value for name, value in outcome.pairs if name == PROXY_STATE]
        assert states == [b"one".hex(), b"two".hex()]
        assert outcome.names[0] == SIGNATURE
    assert EAP_MESSAGE in refused.names


def test_what_is_used_belongs_to_the_account_by_its_class(isp, phone):
    """An access point may go on naming whom it was told outside the tunnel."""
    account = isp.account()
    outcome = phone.but(login=login_of(account)).connect()

    isp.client.acct(
        "Start", User_Name=f"anon-{account.pk}", Acct_Session_Id="wifi",
        Class="0x" + outcome.value(CLASS),
    )  # fmt: skip

    (session,) = isp.sessions(f"anon-{account.pk}")
    assert session.account_id == account.pk


@pytest.mark.security
@pytest.mark.parametrize("password", PASSWORDS, ids=range(len(PASSWORDS)))
def test_passwords_of_every_kind(isp, phone, password):
    password = "".join(c for c in password if c.isprintable())
    who = phone.but(login=login_of(isp.account(password=password)))

    for method, inner in METHODS[:3]:
        this = who.but(method=method, inner=inner, password=password.encode())
        assert this.connect().accepted, (method, inner)
    for wrong in (password[:-1], password + "'"):
        if wrong:
            assert not who.but(password=wrong.encode()).connect().accepted


@pytest.mark.security
@pytest.mark.parametrize("name", LOGINS)
def test_logins_of_every_kind(server, isp, phone, name):
    login = f"{name}-wifi"
    isp.account(login=login)
    who = phone.but(login=login.encode())

    for method, inner in METHODS[:3]:
        assert who.but(method=method, inner=inner).connect().accepted, (method, inner)
    assert _decisions(server, login) == [(login, True, "open")] * 3


@pytest.fixture
def inside(isp, phone):
    """Logs in by TTLS-PAP with more in the tunnel than a password."""

    def log_in(account, more: bytes = b"", mac: str = MAC):
        conversation = tunnel.Tunnel(
            phone.port, SECRET.encode(), phone.ca, SERVER_NAME, mac
        )
        right = tunnel.pap(login_of(account), b"right horse")
        return conversation.log_in(right + more)

    return log_in


@pytest.mark.security
def test_a_device_cannot_be_claimed_inside_the_tunnel(isp, inside):
    account = isp.account(mac_lock="aa:bb:cc:00:00:02")
    claimed = tunnel.avp(31, b"aa:bb:cc:00:00:02")

    assert inside(account, claimed).code == REJECT
    # Also where the NAS names no device at all.
    assert inside(account, claimed, mac="").code == REJECT
    assert inside(account, mac="aa:bb:cc:00:00:02").code == ACCEPT


@pytest.mark.security
@pytest.mark.parametrize(
    "more",
    [
        tunnel.avp(1, b"somebody-else"),
        tunnel.avp(25, b"1"),
        tunnel.avp(24, b"state"),
        tunnel.avp(80, bytes(16)),
        tunnel.avp(1000, (4).to_bytes(4, "big")),  # Auth-Type
        tunnel.avp(1084, bytes([127, 9, 9, 9])),  # Packet-Src-IP-Address
        tunnel.avp(1100, b"wrong horse"),  # Cleartext-Password
    ],
    ids=["name", "class", "state", "signature", "auth-type", "source", "password"],
)
def test_what_else_is_in_the_tunnel_changes_nothing(isp, inside, more):
    account = isp.account()

    answer = inside(account, more)

    assert answer.code == ACCEPT
    assert answer.value(USER_NAME) == login_of(account)
    assert answer.value(CLASS) == str(account.pk).encode()


_AUTHORIZE = """
    CREATE OR REPLACE FUNCTION radius_authorize(
        p_login text, p_nas inet, p_mac text DEFAULT '', p_port text DEFAULT '',
        p_circuit text DEFAULT '', p_remote text DEFAULT '', p_called text DEFAULT '',
        p_kind text DEFAULT '', p_client text DEFAULT '')
    RETURNS TABLE (id int, username text, attribute text, value text, op text)
    LANGUAGE sql VOLATILE AS $$ VALUES {rows} $$
"""


@pytest.mark.security
@methods
def test_a_line_without_password_is_not_for_a_tunnel(
    isp, phone, radius_database, method, inner
):
    """Whom a NAS vouches for by the device is nobody to a phone that names him."""
    rows = "(1, '', 'Auth-Type', 'Accept', ':='), (1, '', 'Tmp-String-1', 'open', ':=')"
    who = phone.but(method=method, inner=inner, login=b"aa:bb:cc:00:00:01")

    with replaced(radius_database, "radius_authorize", _AUTHORIZE.format(rows=rows)):
        outcome = who.connect()

    assert not outcome.accepted
    assert outcome.names == [SIGNATURE, EAP_MESSAGE]


def test_several_values_of_one_attribute_come_out_of_the_tunnel(
    isp, inside, radius_database
):
    # No plain login: those have an answer of their own.
    account = isp.account(profile={"idle_s": 60})
    rows = ", ".join(
        f"(1, '', '{name}', '{value}', '{op}')"
        for name, value, op in (
            ("Cleartext-Password", "right horse", ":="),
            ("Tmp-String-1", "open", ":="),
            ("Reply-Message", "one", "+="),
            ("Session-Timeout", "60", ":="),
            ("Reply-Message", "two", "+="),
        )
    )

    with replaced(radius_database, "radius_authorize", _AUTHORIZE.format(rows=rows)):
        answer = inside(account)

    assert answer.code == ACCEPT
    messages = [value for name, value in answer.pairs if name == REPLY_MESSAGE]
    assert messages == [b"one", b"two"]
    assert answer.value(SESSION_TIMEOUT) == (60).to_bytes(4, "big")
