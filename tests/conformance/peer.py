"""A subscriber who speaks MS-CHAPv2, and who checks what the server proves."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from apps.network.radius import mschap
from tests.conformance import wire

ACCEPT, REJECT = 2, 3
MICROSOFT = 311


def vendor(code: int, value: bytes) -> bytes:
    """An attribute of Microsoft's (RFC 2548)."""
    return wire.vendor(MICROSOFT, code, value)


@dataclass(frozen=True)
class Reply:
    """An answer taken apart; `pairs` in the order of the wire."""

    code: int
    pairs: list[tuple[object, bytes]]

    def value(self, key: object) -> bytes:
        """The only value of an attribute; Microsoft's have keys like (311, 26)."""
        (found,) = (value for name, value in self.pairs if name == key)
        return found

    @property
    def names(self) -> list[object]:
        return [name for name, _ in self.pairs]


def reply(data: bytes) -> Reply:
    pairs: list[tuple[object, bytes]] = []
    position = 20
    while position < len(data):
        code, size = data[position], data[position + 1]
        value = data[position + 2 : position + size]
        key: object = code
        if code == 26:
            key, value = (int.from_bytes(value[:4], "big"), value[4]), value[6:]
        pairs.append((key, value))
        position += size
    return Reply(data[0], pairs)


@dataclass(frozen=True)
class Peer:
    """One login attempt by MS-CHAPv2."""

    login: bytes
    password: str
    # What the challenge is answered with, where it is another name than the login.
    name: bytes | None = None
    ident: int = 5
    challenge: bytes = field(default_factory=lambda: os.urandom(16))
    own_challenge: bytes = field(default_factory=lambda: os.urandom(16))
    authenticator: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def _asked(self) -> bytes:
        name = self.login if self.name is None else self.name
        return mschap.challenge_hash(self.own_challenge, self.challenge, name)

    @property
    def _hashed(self) -> bytes:
        return mschap.nt_hash(self.password)

    @property
    def answer(self) -> bytes:
        return mschap.challenge_response(self._asked, self._hashed)

    @property
    def response(self) -> bytes:
        """The value of MS-CHAP2-Response (RFC 2548, 2.3.2)."""
        return bytes([self.ident, 0]) + self.own_challenge + bytes(8) + self.answer

    def request(self, secret: bytes, extra: bytes = b"", **changes: bytes) -> bytes:
        """The whole Access-Request; `changes` replace challenge or response."""
        body = wire.attribute(1, self.login)
        body += vendor(11, changes.get("challenge", self.challenge))
        body += vendor(25, changes.get("response", self.response)) + extra
        return wire.signed_request(body, secret, authenticator=self.authenticator)

    @property
    def expected(self) -> bytes:
        """The MS-CHAP2-Success that only one who knows the password can send."""
        twice = mschap.md4(self._hashed)
        proof = mschap.authenticator_response(twice, self.answer, self._asked)
        return bytes([self.ident]) + proof

    def keys(self) -> tuple[bytes, bytes]:
        """What a subscriber sends and receives with, by RFC 3079."""
        success = mschap.check_response(
            password=self.password, user_name=self.login,
            challenge=self.challenge, response=self.response,
        )  # fmt: skip
        assert success is not None
        return success.recv_key, success.send_key

    def revealed(self, hidden: bytes, secret: bytes) -> bytes:
        """An MS-MPPE key as the NAS reads it (RFC 2548, 2.4.2)."""
        salt, rest, clear = hidden[:2], hidden[2:], b""
        last = self.authenticator + salt
        for start in range(0, len(rest), 16):
            block = rest[start : start + 16]
            mask = hashlib.md5(secret + last, usedforsecurity=False).digest()
            clear += bytes(a ^ b for a, b in zip(block, mask, strict=True))
            last = block
        assert salt[0] & 0x80
        return clear[1 : 1 + clear[0]]


def is_genuine(answer: bytes, peer: Peer, secret: bytes) -> bool:
    """Both signatures are right, and Message-Authenticator comes first."""
    if answer[20:22] != bytes([80, 18]):
        return False
    bare = answer[:4] + peer.authenticator + answer[20:22] + bytes(16) + answer[38:]
    signed = answer[:4] + peer.authenticator + answer[20:] + secret
    whole = hashlib.md5(signed, usedforsecurity=False).digest()
    right = hmac.compare_digest(answer[22:38], hmac.digest(secret, bare, "md5"))
    return right and hmac.compare_digest(answer[4:20], whole)
