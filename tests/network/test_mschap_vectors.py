"""MS-CHAPv2 against the examples that the RFCs themselves give."""

from __future__ import annotations

import hashlib

import pytest

from apps.network.radius import mschap

pytestmark = [pytest.mark.unit, pytest.mark.security]
# RFC 2759, 9.2
PASSWORD = "clientPass"
CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
ASKED = bytes.fromhex("D02E4386BCE91226")
HASHED = bytes.fromhex("44EBBA8D5312B8D611474411F56989AE")
TWICE = bytes.fromhex("41C00C584BD2D91C4017A2A12FA59F3F")
ANSWER = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
PROOF = b"S=407A5589115FD0D6209F510FE9C04566932CDA56"
# RFC 3079, 3.5.3
SEND_KEY = bytes.fromhex("8B7CDC149B993A1BA118CB153F56DCCB")
RESPONSE = b"\x07\x00" + PEER + bytes(8) + ANSWER


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        ("a", "bde52cb31de33e46245e05fbdbd6fb24"),
        ("abc", "a448017aaf21d8525fc10ae87aa6729d"),
        ("message digest", "d9130a8164549fe818874806e1c7014b"),
        ("abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "043f8582f241db351ce627e153e7f0e4",
        ),
        ("1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_gives_what_rfc_1320_prints(text, digest):
    assert mschap.md4(text.encode()).hex() == digest


def test_each_step_gives_what_rfc_2759_prints():
    assert mschap.nt_hash(PASSWORD) == HASHED
    assert mschap.md4(HASHED) == TWICE
    assert mschap.challenge_hash(PEER, CHALLENGE, b"User") == ASKED
    assert mschap.challenge_response(ASKED, HASHED) == ANSWER
    assert mschap.authenticator_response(TWICE, ANSWER, ASKED) == PROOF


def sha1(data):
    return hashlib.sha1(data, usedforsecurity=False).digest()


def judged(**changes):
    facts = {
        "password": PASSWORD, "user_name": b"User", "challenge": CHALLENGE,
        "response": RESPONSE, **changes,
    }  # fmt: skip
    return mschap.check_response(**facts)


def test_a_right_answer_earns_the_proof_and_the_keys_of_rfc_3079():
    success = judged()

    assert success.message == b"\x07" + PROOF
    assert success.send_key == SEND_KEY
    # The RFC prints one direction; the other follows its formula, written out.
    master = sha1(TWICE + ANSWER + b"This is the MPPE Master Key")[:16]
    assert master.hex().upper() == "FDECE3717A8C838CB388E527AE3CDD31"
    words = (
        b"On the client side, this is the send key; "
        b"on the server side, it is the receive key."
    )
    receive = sha1(master + bytes(40) + words + b"\xf2" * 40)
    assert success.recv_key == receive[:16]


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "clientpass"},
        {"password": ""},
        {"user_name": b"user"},
        {"challenge": CHALLENGE[:-1] + b"\x7f"},
        {"response": RESPONSE[:-1] + b"\xde"},
        {"response": RESPONSE[:2] + bytes(16) + RESPONSE[18:]},
        {"challenge": CHALLENGE[:-1]},
        {"challenge": CHALLENGE + b"\0"},
        {"response": RESPONSE[:-1]},
        {"response": RESPONSE + b"\0"},
        {"response": b""},
    ],
)
def test_anything_else_earns_nothing(changes):
    assert judged(**changes) is None


def test_the_domain_of_windows_is_no_part_of_the_name():
    assert judged(user_name=b"ISP\\User") == judged()
    assert judged(user_name=b"User\\") is None


@pytest.mark.parametrize(
    ("password", "digest"),  # by openssl dgst -md4 -provider legacy
    [
        ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        ("password", "8846f7eaee8fb117ad06bdd830b7586c"),
        ("Ọ̀kẹ́ ₦ 密码", "80df40bf07961ac8c36a526ec8f68ce5"),
        ("😀", "4b58a10cc20a4e7d808d218e1f80aabc"),
    ],
)
def test_passwords_are_hashed_as_utf_16(password, digest):
    assert mschap.nt_hash(password).hex() == digest
