"""NASes of IPv6, old ones that do not sign, and the question whether a server lives."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from apps.network.models import Nas
from tests.conformance import wire
from tests.conformance.isp import SECRET, make_nas

pytestmark = [pytest.mark.integration, pytest.mark.security]
KEY = SECRET.encode()
ACCEPT, REJECT, ACCOUNTED = 2, 3, 5
PROXY_STATE = 33


@pytest.fixture
def nas6(isp):
    """The one NAS that this machine can be over IPv6."""
    return Nas.objects.filter(address="::1").first() or make_nas("::1")


def test_a_nas_of_ipv6_logs_in_and_accounts(isp, nas6):
    account = isp.account()
    login = account.login.encode()
    request = wire.access_request(login, b"right horse", KEY)
    start = wire.accounting_request(
        KEY, wire.attribute(1, login), wire.attribute(44, b"six")
    )

    assert wire.ask(isp.client.auth_port, request, source="::1")[0] == ACCEPT
    assert wire.ask(isp.client.acct_port, start, source="::1")[0] == ACCOUNTED
    (row,) = isp.sessions(account.login)
    assert row.nas_id == nas6.pk


def test_proxy_state_unsigned_gets_no_answer_from_an_excused_nas_either(isp):
    """Whoever forges an answer needs one in the request (BlastRADIUS)."""
    old = str(isp.nas(require_message_authenticator=False).address)
    login = isp.account().login.encode()
    state = wire.attribute(PROXY_STATE, b"hop")

    def ask(**facts):
        data = wire.access_request(login, b"right horse", KEY, **facts)
        return wire.ask(isp.client.auth_port, data, source=old, wait_s=0.5)

    assert ask(extra=state, signed=False) is None
    assert ask(signed=False)[0] == ACCEPT
    assert ask(extra=state)[0] == ACCEPT


def status(secret: bytes = KEY, **facts) -> bytes:
    return wire.signed_request(b"", secret, code=wire.STATUS_SERVER, **facts)


def test_a_server_says_that_it_lives_on_both_ports(isp):
    """RFC 5997; the answer is signed, and for the question that was asked."""
    expected = {isp.client.auth_port: ACCEPT, isp.client.acct_port: ACCOUNTED}
    for port, code in expected.items():
        request = status(identifier=port % 256)

        answer = wire.ask(port, request)

        assert answer[:2] == bytes([code, port % 256])
        assert answer[20:22] == bytes([80, 18])
        bare = answer[:4] + request[4:20] + answer[20:22] + bytes(16) + answer[38:]
        assert answer[22:38] == hmac.digest(KEY, bare, "md5")
        signed = answer[:4] + request[4:20] + answer[20:] + KEY
        assert answer[4:20] == hashlib.md5(signed, usedforsecurity=False).digest()


def test_nobody_else_is_told_that_it_lives(isp):
    unsigned = bytes([wire.STATUS_SERVER, 7]) + b"\0\x14" + bytes(range(16))
    forged = status(b"another-secret-of-24-chars")
    for port in (isp.client.auth_port, isp.client.acct_port):
        assert wire.ask(port, unsigned, wait_s=0.3) is None
        assert wire.ask(port, forged, wait_s=0.3) is None
        assert wire.ask(port, status(), source="127.11.9.9", wait_s=0.3) is None
