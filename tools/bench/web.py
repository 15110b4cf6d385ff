"""A small HTTP client: keep-alive, a fixed number of clients, a closed loop."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import struct
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `tag` groups its latency."""

    path: str
    method: str = "GET"
    body: bytes = b""
    tag: str = ""


@dataclass
class Answers:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def count(self) -> int:
        return sum(self.statuses.values())

    def expect(self, status: int) -> Answers:
        """Stop when anything else was answered: it would be no measurement."""
        if set(self.statuses) != {status}:
            said = [body[:300] for body in self.bodies[-1:]]
            raise SystemExit(f"Expected {status}, got {dict(self.statuses)}: {said}")
        return self


def load(
    port: int,
    authorization: str,
    asks: Sequence[Ask],
    *,
    clients: int,
    keep_bodies: bool = False,
) -> Answers:
    """Send all requests with so many clients, each waiting for its answer."""
    return asyncio.run(_load(port, authorization, asks, clients, keep_bodies))


async def _load(
    port: int,
    authorization: str,
    asks: Sequence[Ask],
    clients: int,
    keep_bodies: bool,  # noqa: FBT001 - handed through
) -> Answers:
    answers = Answers()
    waiting = iter(asks)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for ask in waiting:
            writer.write(_request(ask, authorization))
            began = time.perf_counter()
            status, body = await _answer(reader)
            took = time.perf_counter() - began
            answers.statuses[status] += 1
            answers.latencies.setdefault(ask.tag, []).append(took)
            if keep_bodies or not answers.bodies:
                answers.bodies.append(body)
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    answers.wall_s = time.perf_counter() - began
    return answers


def _request(ask: Ask, authorization: str) -> bytes:
    head = (
        f"{ask.method} {ask.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {authorization}\r\nAccept: application/json\r\n"
    )
    if ask.body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(ask.body)}\r\n"
    return head.encode() + b"\r\n" + ask.body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    body = await reader.readexactly(int(fields["content-length"]))
    return int(first.split()[1]), body


def sign_in(base_url: str, staff: dict[str, str]) -> str:
    """An Authorization header through the real sign-in, with a one-time code."""
    body = {
        "username": staff["username"],
        "password": staff["password"],
        "otp": totp(staff["secret"]),
    }
    answer = _post(f"{base_url}/api/v1/auth/login", body)
    return f"Bearer {answer['access']}"


def _post(url: str, body: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # nosec B310
        return dict(json.load(answer))


def totp(secret: str, at: float | None = None) -> str:
    """The code of this half minute, or of another one (RFC 6238)."""
    step = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.digest(base64.b32decode(secret), step, "sha1")
    offset = digest[-1] & 15
    number: int = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"
