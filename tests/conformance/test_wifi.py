"""Wi-Fi with logins through FreeRADIUS: who gets in, and what the wire gives away."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import pytest
from django.utils import timezone

from apps.network import operations
from tests.conformance import wire
from tests.conformance.isp import ACTOR, SECRET, make_certificates, superuser
from tests.conformance.supplicant import (
    ACCEPT,
    CLASS,
    EAP_MESSAGE,
    FRAMED_POOL,
    METHODS,
    PROXY_STATE,
    SESSION_TIMEOUT,
    SIGNATURE,
    USER_NAME,
    VENDOR,
    methods,
)
from tests.conformance.test_reasons import _decisions
from tests.conformance.test_statements import _calls, forget_statements
from tests.conformance.test_wire import LOGINS, PASSWORDS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("server", ["freeradius"], indirect=True),
]


@methods
def test_a_right_password_gets_in_with_the_plan(isp, phone, method, inner):
    account = isp.account()

    outcome = phone.but(
        method=method, inner=inner, login=account.login.encode()
    ).connect()

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

    who = phone.but(method=method, inner=inner, login=account.login.encode())
    outcome = who.but(password=b"wrong horse").connect()

    assert not outcome.accepted
    assert outcome.names == [SIGNATURE, EAP_MESSAGE]
    assert _decisions(server, account.login, phone.anonymous) == [
        (account.login, False, "password")
    ]
    assert "horse" not in server.child.log.read_text()


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

    logins = [*(account.login.encode() for account in accounts), mark.encode()]
    who = [phone.but(method=method, inner=inner, login=each) for each in logins]
    refused = [who[i].connect() for i in (0, 1, 3)]
    garden = who[2].connect()

    assert [(o.accepted, o.names) for o in refused] == [
        (False, [SIGNATURE, EAP_MESSAGE])
    ] * 3
    assert garden.accepted
    assert FRAMED_POOL in garden.names
    assert garden.value(SESSION_TIMEOUT) == "600"
    names = (mark, phone.anonymous, *(account.login for account in accounts))
    assert _decisions(server, *names) == [
        (held.login, False, "hold"),
        (locked.login, False, "mac"),
        (mark, False, "unknown"),
        (walled.login, True, "walled_garden"),
    ]


def test_a_hold_is_lifted_for_the_next_login(isp, phone):
    account = isp.account()
    isp.hold(account, "reject")
    who = phone.but(login=account.login.encode())
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
    who = phone.but(method=method, inner=inner, login=isp.account().login.encode())

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
    who = phone.but(expects="radius.example.org", login=isp.account().login.encode())

    assert_nothing_was_told(server, who, statements)


@pytest.mark.security
def test_a_phone_tells_nothing_to_another_authoritys_server(
    server, isp, phone, statements, tmp_path
):
    other = make_certificates(tmp_path).path / "ca.pem"
    who = phone.but(ca=other, login=isp.account().login.encode())

    assert_nothing_was_told(server, who, statements)


def test_a_nas_that_was_disabled_gets_no_answer(isp, phone):
    """Also while the server still remembers it: the account is asked for through it."""
    nas = isp.nas()
    who = phone.but(login=isp.account().login.encode(), nas=str(nas.address))
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
    who = phone.but(login=isp.account().login.encode())

    outcome = who.but(method=method, inner=inner).connect()

    assert not outcome.accepted
    assert outcome.names == [SIGNATURE, EAP_MESSAGE]
    assert who.connect().accepted


@pytest.mark.security
@pytest.mark.parametrize(
    "eap",
    [
        b"",
        b"\x02",
        b"\x02\x01\x00\x05\x01",  # an identity of no letters
        b"\x02\x01\xff\xff\x01x",  # longer than the packet
        b"\x02\x01\x00\x04",  # shorter than a type
        b"\x01\x01\x00\x06\x01x",  # a request
        b"\x02\x01\x00\x06\x15\x00",  # TTLS, of no conversation
        b"\x02\x01\x00\x06\x1a\x02",  # MS-CHAPv2, of no conversation
        b"\xff" * 253,
    ],
)
def test_eap_that_is_none_lets_nobody_in(isp, phone, eap):
    login = isp.account().login.encode()
    for state in (b"", wire.attribute(24, bytes(16))):
        body = wire.attribute(1, login) + wire.attribute(EAP_MESSAGE, eap) + state
        request = wire.signed_request(body, SECRET.encode())

        answer = wire.ask(isp.client.auth_port, request, wait_s=0.3)

        assert answer is None or answer[0] != ACCEPT
    assert phone.but(login=login).connect().accepted


def test_proxy_state_stays_with_the_failure_and_the_success(isp, phone):
    who = phone.but(login=isp.account().login.encode(), extra=("33:s:one", "33:s:two"))

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
    outcome = phone.but(login=account.login.encode()).connect()

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
    who = phone.but(login=isp.account(password=password).login.encode())

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
    noted = _decisions(server, login, phone.anonymous)
    assert noted == [(login, True, "open")] * 3
