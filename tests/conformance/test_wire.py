"""Signatures, strangers, malformed packets, names and passwords of every kind."""

from __future__ import annotations

import hashlib
import hmac
import string
import struct

import pytest
from django.utils import timezone

from apps.network import operations
from tests.conformance import peer, wire
from tests.conformance.isp import ACTOR, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.security]
KEY = SECRET.encode()
ACCEPT, REJECT = 2, 3


def test_an_unsigned_request_is_not_answered(isp):
    account = isp.account()

    assert isp.auth(account, Message_Authenticator=None, wait_s=1).silent
    assert isp.auth(account).accepted


def test_an_old_nas_may_be_excused_from_signing_and_gets_signed_answers(isp):
    nas = isp.nas(require_message_authenticator=False)
    account = isp.account()
    where = {"Packet_Src_IP_Address": str(nas.address)}

    answer = isp.auth(account, Message_Authenticator=None, **where)

    assert answer.accepted
    assert answer.pairs[0][0] == "Message-Authenticator"


def test_a_forged_signature_is_not_answered_where_none_is_demanded_either(isp):
    nas = isp.nas(require_message_authenticator=False)
    account = isp.account()
    data = wire.access_request(account.login.encode(), b"right horse", KEY)
    forged = data[:22] + bytes(16) + data[38:]

    port, source = isp.client.auth_port, str(nas.address)
    assert wire.ask(port, forged, source=source) is None
    assert wire.ask(port, data, source=source)[0] == ACCEPT


def test_answers_carry_right_signatures_and_the_signature_first(isp):
    account = isp.account()
    for password, code in ((b"right horse", ACCEPT), (b"wrong", REJECT)):
        request = wire.access_request(account.login.encode(), password, KEY)

        answer = wire.ask(isp.client.auth_port, request)

        assert answer[0] == code
        assert answer[20:22] == bytes([80, 18])
        bare = answer[:4] + request[4:20] + answer[20:22] + bytes(16) + answer[38:]
        assert answer[22:38] == hmac.digest(KEY, bare, "md5")
        signed = answer[:4] + request[4:20] + answer[20:] + KEY
        assert answer[4:20] == hashlib.md5(signed, usedforsecurity=False).digest()


@pytest.mark.parametrize("password", [b"right horse", b"wrong"])
@pytest.mark.parametrize("count", [1, 2, 50])
def test_proxy_state_comes_back_whole_and_in_order(isp, password, count):
    """RFC 2865, 5.33: whoever passed the request on knows it again by that."""
    states = [f"hop-{number}".encode() for number in range(count)]
    extra = b"".join(wire.attribute(33, state) for state in states)
    login = isp.account().login.encode()

    answer = wire.ask(
        isp.client.auth_port, wire.access_request(login, password, KEY, extra=extra)
    )

    pairs = peer.reply(answer).pairs
    assert pairs[0][0] == 80
    assert [value for name, value in pairs if name == 33] == states
    assert answer[0] == (ACCEPT if password == b"right horse" else REJECT)


def test_proxy_state_in_an_unsigned_request_gets_no_answer(isp):
    """The forger of an answer needs one (BlastRADIUS)."""
    login = isp.account().login.encode()
    extra = wire.attribute(33, b"hop")

    data = wire.access_request(login, b"right horse", KEY, extra=extra, signed=False)

    assert wire.ask(isp.client.auth_port, data) is None


def test_a_repeated_request_gets_one_answer_of_the_same_bytes(isp):
    account = isp.account()
    data = wire.access_request(account.login.encode(), b"right horse", KEY)

    first = wire.ask(isp.client.auth_port, data)
    second = wire.ask(isp.client.auth_port, data, data)

    assert first[0] == second[0] == ACCEPT


def test_a_stranger_gets_no_answer(isp):
    account = isp.account()

    assert isp.auth(account, Packet_Src_IP_Address="127.9.9.8", wait_s=1).silent
    assert isp.auth(account, secret="another-secret-of-24-chars", wait_s=1).silent


def test_a_new_nas_is_answered_at_once_and_a_disabled_one_never(isp):
    fresh, disabled = isp.nas(), isp.nas()
    operations.change_nas(
        nas_id=disabled.pk, changes={"enabled": False}, actor=ACTOR, now=timezone.now()
    )
    account = isp.account()

    assert isp.auth(account, Packet_Src_IP_Address=str(fresh.address)).accepted
    assert isp.auth(
        account, Packet_Src_IP_Address=str(disabled.address), wait_s=1
    ).silent


MALFORMED = {
    "empty": b"",
    "short": b"\x01\x01\x00\x14" + bytes(10),
    "length-beyond-the-datagram": b"\x01\x01\x01\x00" + bytes(16),
    "length-below-the-header": b"\x01\x01\x00\x05" + bytes(16),
    "attribute-of-length-zero": b"\x01\x01\x00\x16" + bytes(16) + b"\x01\x00",
    "attribute-of-length-one": b"\x01\x01\x00\x17" + bytes(16) + b"\x01\x01x",
    "attribute-beyond-the-end": b"\x01\x01\x00\x18" + bytes(16) + b"\x01\x09ab",
    "half-an-attribute": b"\x01\x01\x00\x15" + bytes(16) + b"\x01",
    "unknown-code": b"\xfa\x01\x00\x14" + bytes(16),
    "an-answer": b"\x02\x01\x00\x14" + bytes(16),
    "oversized": b"\x01\x01\x10\x64" + bytes(4190),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_packets_are_not_answered_and_do_no_harm(isp, data):
    for port in (isp.client.auth_port, isp.client.acct_port):
        assert wire.ask(port, data, wait_s=0.2) is None

    assert isp.auth(isp.account()).accepted


def test_odd_passwords_on_the_wire_are_refusals_not_failures(isp):
    account = isp.account()
    login = attribute_login = account.login.encode()
    cases = [
        wire.access_request(login, b"\xff\xfe", KEY),
        wire.access_request(login, b"right horse\0x", KEY),
        wire.access_request(b"\xff\xfe\x80", b"x", KEY),
        wire.access_request(attribute_login + b"\0", b"right horse", KEY),
        wire.access_request(b"", b"x", KEY),
    ]

    answers = [wire.ask(isp.client.auth_port, data) for data in cases]

    assert all(answer is None or answer[0] == REJECT for answer in answers), answers
    assert isp.auth(account).accepted


def test_a_chap_answer_of_the_wrong_size_is_refused(isp):
    account = isp.account()
    body = wire.attribute(80, bytes(16)) + wire.attribute(1, account.login.encode())
    body += wire.attribute(3, b"\x01" + bytes(5))
    data = struct.pack("!BBH", 1, 9, 20 + len(body)) + bytes(range(16)) + body
    data = data[:22] + hmac.digest(KEY, data, "md5") + data[38:]

    answer = wire.ask(isp.client.auth_port, data)

    assert answer is None or answer[0] == REJECT


LOGINS = [
    "o'brien+home", 'quo"te', "back\\slash", "%{User-Name}", "%{sql:SELECT+1}",
    "`id`", "$HOME", "';DROP+TABLE+x;--", "a=27b", "Ọlá@isp.ng", "用户", "0x41",
    "{curly}", "#hash", "0x616461", "1", "'", "\\'", "ada%", "a,b;c|d&e", "😀",
]  # fmt: skip


@pytest.mark.parametrize("name", LOGINS)
def test_logins_of_every_kind(isp, name):
    # Suites of both servers share a database, so that logins need a mark.
    login = f"{name}{isp.client.auth_port}"
    account = isp.account(login=login)
    other = isp.account()

    assert isp.auth(account).accepted
    assert isp.client.auth(User_Name=login, CHAP_Password="right horse").accepted
    assert isp.auth(account, "wrong").rejected
    isp.client.acct("Start", User_Name=login, Acct_Session_Id="x1")
    (row,) = isp.sessions(login)
    assert row.account_id == account.pk
    assert isp.auth(other).accepted


@pytest.mark.parametrize("form", ["0x{hex}", "\\x{hex}", "{hex}", "={hex}"])
def test_a_login_written_in_hex_is_another_login(isp, form):
    account = isp.account()
    login = form.format(hex=account.login.encode().hex()).encode()

    answer = wire.ask(
        isp.client.auth_port, wire.access_request(login, b"right horse", KEY)
    )

    assert answer[0] == REJECT


@pytest.mark.parametrize("session", ["0x81000001", "0x8100000", "o'x", "é\\x", "%n"])
def test_session_ids_of_every_kind(isp, session):
    account = isp.account()

    isp.client.acct("Start", User_Name=account.login, Acct_Session_Id=session)

    assert [row.acct_session_id for row in isp.sessions(account.login)] == [session]


PASSWORDS = [
    "'", '"', "''", '"abc"', "'abc'", "`abc`", "a'b\"c`d", "\\", "\\\\", "a\\'b",
    "%{User-Name}", "%n", "0x616263", "{clear}x", "$1$salt", "Ọ̀kẹ́ ₦ 密码", "=27",
    " leading", "a  b", "x" * 128, "é" * 64, "#", "\\n", "\\x41", "%%", "a'",
    *("".join(string.printable[i : i + 24]) for i in range(0, 95, 24)),
]  # fmt: skip


@pytest.mark.parametrize("password", PASSWORDS, ids=range(len(PASSWORDS)))
def test_passwords_of_every_kind(isp, password):
    password = "".join(c for c in password if c.isprintable())
    account = isp.account(password=password)
    login = account.login.encode()
    nas = isp.client.auth_port

    for wrong in (password[:-1], password + "'", password.swapcase() + "!"):
        answer = wire.ask(nas, wire.access_request(login, wrong.encode()[:128], KEY))
        if wrong.encode()[:128] != password.encode():
            assert answer[0] == REJECT
    request = wire.access_request(login, password.encode(), KEY)
    assert wire.ask(nas, request)[0] == ACCEPT
    challenge = b"0123456789abcdef"
    digest = hashlib.md5(
        b"\x05" + password.encode() + challenge, usedforsecurity=False
    ).digest()
    body = wire.attribute(80, bytes(16)) + wire.attribute(1, login)
    body += wire.attribute(3, b"\x05" + digest) + wire.attribute(60, challenge)
    data = struct.pack("!BBH", 1, 77, 20 + len(body)) + bytes(range(16)) + body
    data = data[:22] + hmac.digest(KEY, data, "md5") + data[38:]
    assert wire.ask(nas, data)[0] == ACCEPT
