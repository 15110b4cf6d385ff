"""RADIUS packets as a NAS sends them, and whether an answer is genuine."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
NAMES = {
    ACCESS_ACCEPT: "Access-Accept",
    ACCESS_REJECT: "Access-Reject",
    ACCESS_CHALLENGE: "Access-Challenge",
    ACCOUNTING_RESPONSE: "Accounting-Response",
}
STATUS = {"Start": 1, "Stop": 2, "Interim-Update": 3}
MESSAGE_AUTHENTICATOR = 80
_HEAD = 20
_USER_REQUEST = 1  # Acct-Terminate-Cause


@dataclass(frozen=True, slots=True)
class Session:
    """What a NAS knows of one session when it sends an Accounting-Request.

    `at` is its clock, in seconds since 1970; `octets` what the subscriber sent (he
    received eight times as much).
    """

    name: str
    at: int
    seconds: int = 0
    octets: int = 0
    address: str = ""


def access_request(
    identifier: int,
    login: str,
    password: str,
    secret: bytes,
    *,
    method: str = "pap",
    mac: str = "",
) -> bytes:
    """An Access-Request with PAP or CHAP (RFC 2865), signed (RFC 3579, 3.2)."""
    authenticator = os.urandom(16)
    body = attribute(MESSAGE_AUTHENTICATOR, bytes(16)) + attribute(1, login.encode())
    if method == "pap":
        body += attribute(2, _hidden(password.encode(), secret, authenticator))
    else:
        body += attribute(3, _chap(identifier & 255, password.encode(), authenticator))
    if mac:
        body += attribute(31, mac.encode())
    packet = _head(ACCESS_REQUEST, identifier, body) + authenticator + body
    signature = hmac.digest(secret, packet, "md5")
    return packet[: _HEAD + 2] + signature + packet[_HEAD + 18 :]


def accounting_request(
    identifier: int,
    status: str,
    login: str,
    secret: bytes,
    session: Session,
    *,
    mac: str = "",
) -> bytes:
    """An Accounting-Request (RFC 2866) with Event-Timestamp and gigawords (RFC 2869)."""
    body = attribute(40, struct.pack("!I", STATUS[status]))
    body += attribute(1, login.encode()) + attribute(44, session.name.encode())
    body += attribute(87, b"ether1") + attribute(55, struct.pack("!I", session.at))
    if mac:
        body += attribute(31, mac.encode())
    if session.address:
        body += attribute(8, bytes(int(part) for part in session.address.split(".")))
    if status != "Start":
        body += attribute(46, struct.pack("!I", session.seconds))
        body += _counter(42, 52, session.octets) + _counter(43, 53, session.octets * 8)
    if status == "Stop":
        body += attribute(49, struct.pack("!I", _USER_REQUEST))
    head = _head(ACCOUNTING_REQUEST, identifier, body)
    return head + _md5(head + bytes(16) + body + secret) + body


def mac_of(login: str) -> str:
    """A device for a login, always the same: locally administered, upper case."""
    digest = hashlib.md5(login.encode(), usedforsecurity=False).hexdigest().upper()
    return "-".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))])


def is_genuine(answer: bytes, request: bytes, secret: bytes) -> bool:
    """Is it an answer to this request, made by somebody who knows the secret?

    Checks the Response Authenticator and, where there is one, the
    Message-Authenticator: of an answer it covers the request's authenticator.
    """
    if len(answer) < _HEAD or int.from_bytes(answer[2:4], "big") != len(answer):
        return False
    asked, body = request[4:_HEAD], answer[_HEAD:]
    if _md5(answer[:4] + asked + body + secret) != answer[4:_HEAD]:
        return False
    place = _place_of_signature(body)
    if place is None:
        return True
    blank = body[:place] + bytes(16) + body[place + 16 :]
    wanted = hmac.digest(secret, answer[:4] + asked + blank, "md5")
    return hmac.compare_digest(wanted, body[place : place + 16])


def attribute(code: int, value: bytes) -> bytes:
    """One attribute as it travels."""
    return struct.pack("!BB", code, len(value) + 2) + value


def _place_of_signature(body: bytes) -> int | None:
    position = 0
    while position + 2 <= len(body) and body[position + 1] >= 2:
        if body[position] == MESSAGE_AUTHENTICATOR and body[position + 1] == 18:
            return position + 2
        position += body[position + 1]
    return None


def _head(code: int, identifier: int, body: bytes) -> bytes:
    return struct.pack("!BBH", code, identifier & 255, _HEAD + len(body))


def _counter(code: int, overflow: int, octets: int) -> bytes:
    low = attribute(code, struct.pack("!I", octets & 0xFFFFFFFF))
    return low + attribute(overflow, struct.pack("!I", octets >> 32))


def _hidden(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """User-Password: at least one block, also when it is empty (RFC 2865, 5.2)."""
    padded = password + b"\0" * (-len(password) % 16 or (0 if password else 16))
    out, last = b"", authenticator
    for start in range(0, len(padded), 16):
        mask = _md5(secret + last)
        last = bytes(
            a ^ b for a, b in zip(padded[start : start + 16], mask, strict=True)
        )
        out += last
    return out


def _chap(identifier: int, password: bytes, challenge: bytes) -> bytes:
    """CHAP-Password; the Request Authenticator is the challenge (RFC 2865, 5.3)."""
    head = bytes([identifier])
    return head + _md5(head + password + challenge)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
