"""Inside the tunnel of a Wi-Fi login: what a subscriber may not write there."""

from __future__ import annotations

import pytest

from tests.conformance import tunnel
from tests.conformance.isp import SECRET, SERVER_NAME, replaced
from tests.conformance.supplicant import (
    ACCEPT,
    CLASS,
    EAP_MESSAGE,
    MAC,
    REJECT,
    REPLY_MESSAGE,
    SESSION_TIMEOUT,
    SIGNATURE,
    USER_NAME,
    methods,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("server", ["freeradius"], indirect=True),
]


@pytest.fixture
def inside(isp, phone):
    """Logs in by TTLS-PAP with more in the tunnel than a password."""

    def log_in(account, more: bytes = b"", mac: str = MAC):
        right = tunnel.pap(account.login.encode(), b"right horse")
        return conversation(phone, mac).log_in(right + more)

    return log_in


def conversation(phone, mac: str = MAC, **more) -> tunnel.Tunnel:
    return tunnel.Tunnel(
        phone.port, SECRET.encode(), phone.ca, SERVER_NAME, mac, **more
    )


@pytest.mark.security
def test_a_session_is_never_taken_up_again(isp, phone):
    """It would be let in without being asked for, whatever was held meanwhile."""
    right = tunnel.pap(isp.account().login.encode(), b"right horse")
    first = conversation(phone)
    before = first.log_in(right)
    again = conversation(phone, context=first.context, session=first.session)
    after = again.log_in(right)

    assert before
    assert after
    assert (before.code, after.code) == (ACCEPT, ACCEPT)
    assert first.session
    assert not again.resumed


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
    assert answer.value(USER_NAME) == account.login.encode()
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
