"""Sends packets on a schedule that does not wait for answers, and counts what comes.

One thread: it sends what is due, reads what has come, and says how late it was
itself. An answer's time is the kernel's (SO_TIMESTAMPNS), so reading late does
not make a server look slow.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tools.load import packets
from tools.load.plan import ACCESS, Request
from tools.load.report import Results, Tally

Address = tuple[str, int]
IDS = 256
SOCKETS_MIN, SOCKETS_MAX = 16, 512
# Sent at once when the schedule has run ahead, before answers are read again.
BURST = 32
_BUFFER = 4 * 1024 * 1024
_BYTES_MAX = 4096
_SO_TIMESTAMPNS = 35  # Linux; the socket module has no name for it
_WAITING, _ANSWERED, _LOST = 1, 2, 3
_SPIN_S = 0.001
_REST_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and for how long an answer is waited for.

    `rate`: packets a second whatever the answers do; 0 sends as fast as `window`
    lets. `window`: packets outstanding at most, 0 for no bound; a full window holds
    the schedule back, which then counts as lateness. A packet is sent `tries` times,
    `wait_s` apart, the same bytes each time; it is lost `wait_s` after the last.
    Answers to lost packets are looked for until `linger_s` after the end.
    """

    rate: float = 0.0
    window: int = 0
    wait_s: float = 3.0
    tries: int = 3
    linger_s: float = 0.5

    def __post_init__(self) -> None:
        if self.rate <= 0 and self.window <= 0:
            raise ValueError("Without a rate a window is needed.")
        if self.tries < 1 or self.wait_s <= 0:
            raise ValueError("A packet is sent once at least, and waited for.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Who is asked, the secret shared with it, and the NASes' own addresses."""

    auth: Address
    acct: Address
    secret: bytes
    sources: Sequence[str] = ("127.0.0.1",)


def run(requests: Sequence[Request], *, server: Server, pace: Pace) -> Results:
    """Send all and return when each is answered or lost. Raises OSError when a
    source address is not ours."""
    with _Run(requests, server, pace).opened() as work, _undisturbed():
        return work.carry()


def sockets_for(pace: Pace) -> int:
    """So many that an identifier is used again only after its packet is done with."""
    waiting = pace.window or pace.rate * pace.wait_s * pace.tries
    return int(min(SOCKETS_MAX, max(SOCKETS_MIN, waiting * 2 // IDS + 1)))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without pauses for collecting garbage: nothing here is circular."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Run:
    """The state of one run; a slot is one identifier of one socket."""

    def __init__(self, requests: Sequence[Request], server: Server, pace: Pace) -> None:
        self._requests, self._server, self._pace = requests, server, pace
        count = len(requests)
        self._slots = sockets_for(pace) * IDS
        self._now_in: list[int] = [-1] * self._slots
        self._before_in: list[int] = [-1] * self._slots
        self._state = bytearray(count)
        self._sent_ns = [0] * count
        self._again: deque[tuple[float, int, int]] = deque()
        self._next = self._outstanding = 0
        self._sockets: list[socket.socket] = []
        self._by_fd: dict[int, int] = {}
        self._results = Results()
        self._tallies = {kind: self._results.of(kind) for kind in _kinds(requests)}

    @contextmanager
    def opened(self) -> Iterator[_Run]:
        """With sockets, which are closed in any case."""
        with select.epoll() as self._poll:
            try:
                for number in range(self._slots // IDS):
                    self._open(number)
                yield self
            finally:
                for door in self._sockets:
                    door.close()

    def _open(self, number: int) -> None:
        sources = self._server.sources
        source = sources[number % len(sources)]
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        door = socket.socket(family, socket.SOCK_DGRAM)
        self._sockets.append(door)
        door.settimeout(0)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        door.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        door.bind((source, 0))
        self._by_fd[door.fileno()] = number
        self._poll.register(door.fileno(), select.EPOLLIN)

    def carry(self) -> Results:
        """The whole run."""
        used, self._began = os.times(), time.monotonic()
        count = len(self._requests)
        while self._next < count or self._outstanding:
            self._repeat_or_give_up()
            self._send_due()
            self._read(self._patience())
        ended = time.monotonic()
        if self._results.lost or self._results.repeated_sends:
            self._linger(ended + self._pace.linger_s)
        after = os.times()
        self._results.seconds = ended - self._began
        self._results.generator_s = sum(after[:2]) - sum(used[:2])
        return self._results

    def _linger(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    # Sending

    def _due(self, number: int) -> float:
        rate = self._pace.rate
        return self._began + number / rate if rate else self._began

    def _may_send(self) -> bool:
        """There is a next one, the window has room and its identifier is free."""
        if self._next >= len(self._requests):
            return False
        if self._pace.window and self._outstanding >= self._pace.window:
            return False
        holder = self._now_in[self._next % self._slots]
        return holder < 0 or self._state[holder] != _WAITING

    def _send_due(self) -> None:
        for _ in range(BURST):
            if not self._may_send():
                return
            now, due = time.monotonic(), self._due(self._next)
            if due > now:
                return
            if self._pace.rate:
                self._results.lateness.append(now - due)
            self._send_first(self._next, now)
            self._next += 1

    def _send_first(self, number: int, now: float) -> None:
        slot = number % self._slots
        self._before_in[slot], self._now_in[slot] = self._now_in[slot], number
        self._state[number] = _WAITING
        self._outstanding += 1
        self._again.append((now + self._pace.wait_s, number, 1))
        self._tallies[self._requests[number].kind].sent += 1
        self._sent_ns[number] = time.time_ns()
        self._put(number)

    def _put(self, number: int) -> None:
        request = self._requests[number]
        server = self._server
        target = server.auth if request.kind == ACCESS else server.acct
        door = self._sockets[number % self._slots // IDS]
        try:
            door.sendto(request.data, target)
        except OSError:
            # A full buffer, or nobody there: a datagram that was lost on the way.
            self._results.not_sent += 1

    def _repeat_or_give_up(self) -> None:
        """What has waited long enough: the same bytes again, or lost."""
        now = time.monotonic()
        while self._again and self._again[0][0] <= now:
            _, number, tries = self._again.popleft()
            if self._state[number] != _WAITING:
                continue
            tally = self._tallies[self._requests[number].kind]
            if tries < self._pace.tries:
                tally.repeated_sends += 1
                self._put(number)
                self._again.append((now + self._pace.wait_s, number, tries + 1))
            else:
                self._state[number] = _LOST
                self._outstanding -= 1
                tally.lost += 1

    def _patience(self) -> float:
        """Until something is due; 0 when that is now."""
        moments = [self._again[0][0]] if self._again else []
        if self._may_send():
            moments.append(self._due(self._next))
        return max(0.0, min(moments, default=0.0) - time.monotonic())

    # Reading

    def _read(self, patience_s: float) -> None:
        """Wait for an answer, but no longer than that; take in all that came."""
        if 0 < patience_s < _SPIN_S:
            # epoll knows whole milliseconds only.
            time.sleep(patience_s)
            patience_s = 0
        for fd, _ in self._poll.poll(min(patience_s, _REST_S)):
            self._drain(self._by_fd[fd])

    def _drain(self, number: int) -> None:
        door = self._sockets[number]
        for _ in range(IDS):
            try:
                data, extra, _, peer = door.recvmsg(_BYTES_MAX, 64)
            except OSError:
                return
            self._take_in(number, data, _arrived(extra), (peer[0], peer[1]))

    def _take_in(self, door: int, data: bytes, at_ns: int, peer: Address) -> None:
        number = self._asked(door, data, peer)
        if number is None:
            self._results.foreign += 1
            return
        request, state = self._requests[number], self._state[number]
        tally = self._tallies[request.kind]
        if state == _WAITING:
            self._state[number] = _ANSWERED
            self._outstanding -= 1
            self._count(tally, request, data[0], at_ns - self._sent_ns[number])
        elif state == _LOST:
            tally.late += 1
        else:
            tally.repeated_answers += 1

    def _asked(self, door: int, data: bytes, peer: Address) -> int | None:
        """Which request this answers, of the two last ones of its identifier."""
        if len(data) < 2 or peer not in {self._server.auth, self._server.acct}:
            return None
        slot = door * IDS + data[1]
        for number in (self._now_in[slot], self._before_in[slot]):
            if number < 0:
                continue
            asked = self._requests[number].data
            if packets.is_genuine(data, asked, self._server.secret):
                return number
        return None

    def _count(self, tally: Tally, request: Request, code: int, took_ns: int) -> None:
        tally.codes[code] += 1
        tally.took_ns.append(max(0, took_ns))
        if code != request.expects:
            tally.unexpected += 1
            self._results.keep(request, code)


def _kinds(requests: Sequence[Request]) -> list[str]:
    return list(dict.fromkeys(request.kind for request in requests))


def _arrived(extra: list[tuple[int, int, bytes]]) -> int:
    """The kernel's time of arrival in nanoseconds, else the time of reading."""
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) >= 16:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()
