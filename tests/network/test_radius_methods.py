"""PAP, CHAP and MS-CHAPv2 over bytes, without a server."""

from __future__ import annotations

import hashlib

import pytest
from pyrad.packet import AccessAccept, AuthPacket

from apps.network.radius import methods, packets
from tests.conformance import peer, wire

pytestmark = pytest.mark.unit
SECRET = b"a-secret-for-units"


def request(data: bytes) -> AuthPacket:
    packet = packets.decode_auth(data, SECRET)
    assert packet is not None
    return packet


def is_right(data: bytes, password: str) -> bool:
    return methods.check_password(request(data), password) is not None


@pytest.mark.parametrize(
    ("stored", "offered", "right"),
    [
        ("pw", b"pw", True),
        ("pw", b"pW", False),
        ("pw", b"pw\xff", False),
        ("pw ", b"pw", False),
        ("pä", "pä".encode(), True),
        ("x" * 128, b"x" * 128, True),
        ("pw", b"", False),
    ],
)
def test_pap_compares_bytes(stored, offered, right):
    data = wire.access_request(b"ada", offered, SECRET)

    assert is_right(data, stored) is right


@pytest.mark.parametrize("size", [0, 15, 17, 144])
def test_a_hidden_password_of_a_wrong_size_matches_nothing(size):
    body = wire.attribute(1, b"ada") + wire.attribute(2, bytes(size))

    assert not is_right(wire.signed_request(body, SECRET), "")


def test_no_method_at_all_is_no_match():
    assert not is_right(wire.signed_request(wire.attribute(1, b"ada"), SECRET), "pw")


@pytest.mark.parametrize("offered", ["pw", "pw "])
def test_chap_compares_bytes(offered):
    challenge = b"0123456789abcdef"
    mixed = b"\x05" + offered.encode() + challenge
    digest = hashlib.md5(mixed, usedforsecurity=False).digest()
    body = wire.attribute(1, b"ada") + wire.attribute(3, b"\x05" + digest)
    data = wire.signed_request(body + wire.attribute(60, challenge), SECRET)

    assert is_right(data, offered)
    assert not is_right(data, "pW")


def test_of_several_passwords_the_first_method_in_order_counts():
    """So that no method is a way around another one that was wrong."""
    right = wire.attribute(2, wire.hidden(b"pw", SECRET, bytes(16)))
    wrong_chap = right + wire.attribute(3, b"\x05" + bytes(16))
    wrong_mschap = right + peer.vendor(11, bytes(16)) + peer.vendor(25, bytes(50))

    for body in (wrong_chap, wrong_mschap):
        data = wire.signed_request(body, SECRET, authenticator=bytes(16))
        assert not is_right(data, "pw")
    data = wire.signed_request(right, SECRET, authenticator=bytes(16))
    assert is_right(data, "pw")


def test_ms_chap_version_1_is_refused_even_beside_what_is_right():
    ada = peer.Peer(b"ada", "pw")

    first = peer.vendor(1, bytes(50))
    pap = wire.attribute(2, wire.hidden(b"pw", SECRET, ada.authenticator))

    assert is_right(ada.request(SECRET, extra=pap), "pw")
    assert not is_right(ada.request(SECRET, extra=first + pap), "pw")


def test_a_right_answer_is_proved_and_the_keys_are_hidden():
    ada = peer.Peer(b"ada", "pw")
    asked = request(ada.request(SECRET))
    proof = methods.check_password(asked, "pw")
    assert proof is not None
    reply = asked.CreateReply()
    reply.code = AccessAccept
    reply.add_message_authenticator()

    assert proof is not None
    methods.add_proof(reply, proof)

    data = reply.ReplyPacket()
    assert peer.is_genuine(data, ada, SECRET)
    answer = peer.reply(data)
    assert answer.value((311, 26)) == ada.expected
    received, sent = answer.value((311, 17)), answer.value((311, 16))
    assert received[:2] != sent[:2]
    shown = ada.revealed(received, SECRET), ada.revealed(sent, SECRET)
    assert shown == ada.keys()
    assert all(key not in data for key in shown)
    assert answer.value((311, 7)) == b"\0\0\0\x01"
    assert answer.value((311, 8)) == b"\0\0\0\x04"
