"""Packets that radclient would not send, built byte by byte."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import struct

ACCESS_REQUEST = 1
ACCOUNTING_REQUEST = 4
STATUS_SERVER = 12


def attribute(code: int, value: bytes) -> bytes:
    return struct.pack("!BB", code, len(value) + 2) + value


def hidden(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """User-Password as RFC 2865, 5.2 has it."""
    padded = password + b"\0" * (-len(password) % 16 or (16 if not password else 0))
    out, last = b"", authenticator
    for start in range(0, len(padded), 16):
        mask = hashlib.md5(secret + last, usedforsecurity=False).digest()
        last = bytes(
            a ^ b for a, b in zip(padded[start : start + 16], mask, strict=True)
        )
        out += last
    return out


def access_request(
    login: bytes,
    password: bytes,
    secret: bytes,
    *,
    extra: bytes = b"",
    signed: bool = True,
    identifier: int = 7,
    authenticator: bytes | None = None,
) -> bytes:
    """A whole Access-Request, signed unless told otherwise."""
    authenticator = authenticator or os.urandom(16)
    body = attribute(1, login)
    body += attribute(2, hidden(password, secret, authenticator)) + extra
    if signed:
        return signed_request(
            body, secret, identifier=identifier, authenticator=authenticator
        )
    head = struct.pack("!BBH", ACCESS_REQUEST, identifier, 20 + len(body))
    return head + authenticator + body


def signed_request(
    body: bytes,
    secret: bytes,
    *,
    code: int = ACCESS_REQUEST,
    identifier: int = 7,
    authenticator: bytes | None = None,
) -> bytes:
    """An Access-Request of these attributes, its Message-Authenticator first."""
    body = attribute(80, bytes(16)) + body
    head = struct.pack("!BBH", code, identifier, 20 + len(body))
    data = head + (authenticator or os.urandom(16)) + body
    return data[:22] + hmac.digest(secret, data, "md5") + data[38:]


def ask(port: int, *datagrams: bytes, wait_s: float = 1.0, source: str = "127.0.0.1"):
    """Send all, return the first answer, or None for silence."""
    ipv6 = ":" in source
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        door.bind((source, 0))
        door.settimeout(wait_s)
        for data in datagrams:
            door.sendto(data, ("::1" if ipv6 else "127.0.0.1", port))
        try:
            return door.recv(4096)
        except TimeoutError:
            return None


def accounting_request(
    secret: bytes, *attributes: bytes, status: int = 1, identifier: int = 9
) -> bytes:
    """A whole Accounting-Request (RFC 2866, 4.1): Start 1, Stop 2, interim 3."""
    body = attribute(40, struct.pack("!I", status)) + b"".join(attributes)
    head = struct.pack("!BBH", ACCOUNTING_REQUEST, identifier, 20 + len(body))
    signed = hashlib.md5(head + bytes(16) + body + secret, usedforsecurity=False)
    return head + signed.digest() + body


def vendor(number: int, code: int, value: bytes) -> bytes:
    """A vendor's attribute (RFC 2865, 5.26)."""
    return attribute(26, struct.pack("!I", number) + attribute(code, value))


def tell_all(
    port: int, packets: list[bytes], *, source: str, tries: int = 3, at_once: int = 50
) -> int:
    """Send each until it is answered, as a NAS does; returns how many never were.

    Identifiers are the packets' own: at most 256 packets of different ones.
    """
    waiting = {data[1]: data for data in packets}
    assert len(waiting) == len(packets), "identifiers repeat"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((source, 0))
        door.settimeout(2.0)
        for _ in range(tries):
            unsent = list(waiting.values())
            for start in range(0, len(unsent), at_once):
                batch = {data[1] for data in unsent[start : start + at_once]}
                for data in unsent[start : start + at_once]:
                    door.sendto(data, ("127.0.0.1", port))
                while batch & waiting.keys():
                    try:
                        waiting.pop(door.recv(4096)[1], None)
                    except TimeoutError:
                        break
    return len(waiting)
