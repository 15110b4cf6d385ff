"""RADIUS packets, made before the clock runs, and a bounded client for them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import struct
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

ACCESS_REQUEST, ACCESS_ACCEPT = 1, 2
ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
STATUS = {"Start": 1, "Interim-Update": 3, "Stop": 2}
WAIT_S = 3.0
TRIES = 3
LANES = 16


def access_request(number: int, login: str, password: str, secret: bytes) -> bytes:
    """A signed Access-Request with PAP."""
    authenticator = os.urandom(16)
    body = _attribute(80, bytes(16)) + _attribute(1, login.encode())
    body += _attribute(2, _hidden(password.encode(), secret, authenticator))
    body += _attribute(31, _mac(login))
    packet = _head(ACCESS_REQUEST, number, body) + authenticator + body
    signature = hmac.digest(secret, packet, "md5")
    return packet[:22] + signature + packet[38:]


def accounting_request(
    number: int, login: str, secret: bytes, *, status: str, session: str, octets: int
) -> bytes:
    """What a NAS says of a session."""
    body = _attribute(40, struct.pack("!I", STATUS[status]))
    body += _attribute(1, login.encode()) + _attribute(44, session.encode())
    body += _attribute(31, _mac(login)) + _attribute(87, b"ether1")
    body += _attribute(55, struct.pack("!I", int(time.time())))
    body += _attribute(46, struct.pack("!I", octets // 1000))
    body += _attribute(42, struct.pack("!I", octets))
    body += _attribute(43, struct.pack("!I", octets * 8))
    head = _head(ACCOUNTING_REQUEST, number, body)
    digest = hashlib.md5(head + bytes(16) + body + secret, usedforsecurity=False)
    return head + digest.digest() + body


def _attribute(code: int, value: bytes) -> bytes:
    return struct.pack("!BB", code, len(value) + 2) + value


def _head(code: int, number: int, body: bytes) -> bytes:
    return struct.pack("!BBH", code, number & 255, 20 + len(body))


def _mac(login: str) -> bytes:
    digest = hashlib.md5(login.encode(), usedforsecurity=False).hexdigest()
    return "-".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))]).encode()


def _hidden(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    padded = password + b"\0" * (-len(password) % 16)
    out, last = b"", authenticator
    for start in range(0, len(padded), 16):
        mask = hashlib.md5(secret + last, usedforsecurity=False).digest()
        last = bytes(a ^ b for a, b in zip(padded[start:][:16], mask, strict=True))
        out += last
    return out


@dataclass
class Replies:
    """Codes of the answers; 0 stands for silence."""

    codes: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    wall_s: float = 0.0


def send(port: int, packets: Sequence[bytes]) -> Replies:
    """Send all, with LANES of them outstanding."""
    return asyncio.run(_send(port, packets))


async def _send(port: int, packets: Sequence[bytes]) -> Replies:
    replies = Replies()
    waiting = iter(packets)
    began = time.perf_counter()
    await asyncio.gather(*(_lane(port, waiting, replies) for _ in range(LANES)))
    replies.wall_s = time.perf_counter() - began
    return replies


class _Door(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.answers.put_nowait(data)


async def _lane(port: int, waiting: Iterator[bytes], replies: Replies) -> None:
    loop = asyncio.get_running_loop()
    transport, door = await loop.create_datagram_endpoint(
        _Door, remote_addr=("127.0.0.1", port), local_addr=("127.0.0.1", 0)
    )
    for packet in waiting:
        replies.codes[await _ask(transport, door, packet, replies)] += 1
    transport.close()


async def _ask(
    transport: asyncio.DatagramTransport, door: _Door, packet: bytes, replies: Replies
) -> int:
    for attempt in range(TRIES):
        replies.repeated += attempt > 0
        transport.sendto(packet)
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    answer = await door.answers.get()
                    # A late answer to a repeated packet has another number.
                    if answer[1] == packet[1]:
                        return answer[0]
        except TimeoutError:
            continue
    return 0
