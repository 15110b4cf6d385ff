"""The embedded RADIUS server, for where FreeRADIUS is not installed. No EAP.

One thread reads two sockets, a few workers ask PostgreSQL (the same functions
as FreeRADIUS does) and answer. A repeated packet gets the answer it got, or
nothing while its first copy is at work. Everything that may grow has a limit.
"""

from __future__ import annotations

import heapq
import selectors
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import structlog

from apps.network.radius import answers, packets
from apps.network.radius.complaints import Complaints
from apps.network.radius.database import Client, RadiusDatabase, RadiusSession
from apps.network.radius.freeradius import CLIENT_LIFETIME_S
from apps.network.radius.spool import Spool

UNKNOWN_LIFETIME_S = 1.0
CLIENTS_MAX = 10_000
REPEAT_S = 5.0
REQUESTS_MAX = 16_384
WAITING_MAX = 4_096
STALE_S = 5.0
COMPLAINT_EVERY_S = 5.0
IDLE_LOOK_EVERY_S = 1.0
_BUFFER = 4 * 1024 * 1024

log = structlog.get_logger(__name__)
# Address and port; of IPv6 with the flow and the link that a link-local one is on.
Peer = tuple[Any, ...]
Answering = Callable[
    [bytes, str, Client, RadiusSession], answers.Answer | answers.Silence
]


@dataclass(slots=True)
class _Request:
    """One packet as received, and what was answered."""

    received: float
    answer: bytes | None = None


@dataclass(order=True, slots=True)
class _Later:
    due: float
    data: bytes = field(compare=False)
    request: _Request = field(compare=False)
    peer: Peer = field(compare=False)
    door: _Door = field(compare=False)


class _Door:
    """A socket, what it answers with, and what it answered lately."""

    def __init__(self, host: str, port: int, answering: Answering) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.socket.settimeout(0)
        if family == socket.AF_INET6:
            # Its own addresses only: IPv4 has doors of its own.
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.answering = answering
        self._seen: OrderedDict[tuple[Peer, bytes], _Request] = OrderedDict()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def admit(self, data: bytes, peer: Peer) -> _Request | None:
        """The request when it is new; a repetition is dealt with here."""
        now = time.monotonic()
        # Code, id, length and authenticator tell packets of one peer apart.
        key = (peer, data[:20])
        known = self._seen.get(key)
        if known is not None and now - known.received < REPEAT_S:
            if known.answer is not None:
                self.send(known.answer, peer)
            return None
        self._forget(now)
        request = self._seen[key] = _Request(now)
        return request

    def _forget(self, now: float) -> None:
        while self._seen:
            key, oldest = next(iter(self._seen.items()))
            if now - oldest.received < REPEAT_S and len(self._seen) < REQUESTS_MAX:
                return
            del self._seen[key]

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes, peer: Peer) -> None:
        try:
            self.socket.sendto(data, peer)
        except OSError as error:
            log.warning("radius.not_sent", peer=peer[0], error=str(error))


def _open_doors(hosts: Sequence[str], auth_port: int, acct_port: int) -> list[_Door]:
    """Two sockets at each address, or none when one of the ports is taken.

    Port 0 is any, and then the same one at all addresses.
    """
    doors: list[_Door] = []
    try:
        for host in hosts:
            doors.append(_Door(host, auth_port, answers.answer_access))
            auth_port = doors[-1].port
            doors.append(_Door(host, acct_port, answers.answer_accounting))
            acct_port = doors[-1].port
    except OSError:
        for door in doors:
            door.close()
        raise
    return doors


class RadiusServer:
    """Serve until `stop` is called, from another thread or a signal handler."""

    def __init__(
        self,
        *,
        hosts: Sequence[str],
        auth_port: int,
        acct_port: int,
        database: RadiusDatabase,
        options: Callable[[], str],
        workers: int = 4,
        reject_delay_s: float = 1.0,
        client_lifetime_s: float = CLIENT_LIFETIME_S,
        decisions: Spool | None = None,
        sessions: Callable[[], RadiusSession] | None = None,
    ) -> None:
        self._open_session = sessions or (lambda: RadiusSession(database, options))
        self._decisions = decisions
        self._reject_delay = reject_delay_s
        self._client_lifetime = client_lifetime_s
        self._doors = _open_doors(hosts, auth_port, acct_port)
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.settimeout(0)
        self._wake_write.settimeout(0)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="radius")
        self._local = threading.local()
        self._sessions: list[RadiusSession] = []
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[float, Client | None]] = {}
        self._later: list[_Later] = []
        self._waiting = 0
        self._complained = 0.0
        self._complaints = Complaints()
        self._looked = 0.0
        self._stopping = False

    @property
    def ports(self) -> tuple[int, int]:
        """Authentication and accounting port; known also when 0 was asked for."""
        return self._doors[0].port, self._doors[1].port

    def serve(self) -> None:
        """Answer until stopped, then finish what is at work."""
        with selectors.DefaultSelector() as selector:
            for door in self._doors:
                selector.register(door.socket, selectors.EVENT_READ, door)
            selector.register(self._wake_read, selectors.EVENT_READ, None)
            while not self._stopping:
                for ready, _ in selector.select(self._patience()):
                    if ready.data is None:
                        self._wake_read.recv(4096)
                    else:
                        self._read(ready.data)
                self._send_due()
                self._renew_idle()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for session in self._sessions:
            session.close()
        for door in self._doors:
            door.close()
        self.close()

    def _renew_idle(self) -> None:
        """Now and then: sessions that nobody uses forget keys that have changed."""
        now = time.monotonic()
        if now - self._looked > IDLE_LOOK_EVERY_S:
            self._looked = now
            for session in self._sessions:
                session.forget_when_stale()

    def stop(self) -> None:
        """Make `serve` return. Safe in a signal handler."""
        self._stopping = True
        self._wake()

    def close(self) -> None:
        """The two ends by which threads wake the one that waits."""
        self._wake_read.close()
        self._wake_write.close()

    def _wake(self) -> None:
        # Full means that it is awake already, closed that it has finished.
        with suppress(OSError):
            self._wake_write.send(b"x")

    def _read(self, door: _Door) -> None:
        """Take in what lies in the socket, a bounded number at a time."""
        for _ in range(64):
            try:
                data, peer = door.socket.recvfrom(packets.PACKET_BYTES_MAX + 1)
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("radius.not_read", error=str(error))
                return
            if not packets.is_well_formed(data):
                self._complaints.say("malformed", peer[0])
            elif self._waiting >= WAITING_MAX:
                self._complaints.say("too_many", peer[0])
            else:
                self._accept(door, packets.without_padding(data), peer)

    def _accept(self, door: _Door, data: bytes, peer: Peer) -> None:
        request = door.admit(data, peer)
        if request is not None:
            with self._lock:
                self._waiting += 1
            self._pool.submit(self._work, door, request, data, peer)

    def _work(self, door: _Door, request: _Request, data: bytes, peer: Peer) -> None:
        try:
            self._answer(door, request, data, peer)
        except psycopg.Error as error:
            # Silence, never a reject. A repetition is to be tried afresh.
            request.received = 0.0
            self._complain(type(error).__name__)
        except Exception:  # the outer edge: one packet must not end the worker
            log.exception("radius.failed", peer=peer[0])
        finally:
            with self._lock:
                self._waiting -= 1

    def _answer(self, door: _Door, request: _Request, data: bytes, peer: Peer) -> None:
        began = request.received
        if time.monotonic() - began > STALE_S:
            return
        session = self._session()
        # fe80::1%eth0: PostgreSQL's addresses have no link.
        address = peer[0].partition("%")[0]
        client = self._client(address, session)
        if client is None:
            self._complaints.say("unknown_nas", address)
            return
        answer = door.answering(data, address, client, session)
        if isinstance(answer, answers.Silence):
            self._complaints.say(answer.kind, address)
            return
        if answer.decision is not None and self._decisions is not None:
            took_us = int((time.monotonic() - began) * 1_000_000)
            self._decisions.write(replace(answer.decision, took_us=took_us))
        if answer.refuses and self._reject_delay:
            self._send_later(answer, request, door, peer)
            return
        request.answer = answer.data
        door.send(answer.data, peer)

    def _session(self) -> RadiusSession:
        session: RadiusSession | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._open_session()
            self._sessions.append(session)
        return session

    def _client(self, address: str, session: RadiusSession) -> Client | None:
        """The NAS, remembered for as long as FreeRADIUS does."""
        now = time.monotonic()
        until, client = self._clients.get(address, (0.0, None))
        if until > now:
            return client
        client = session.client(address)
        if len(self._clients) >= CLIENTS_MAX:
            self._clients.clear()
        lifetime = UNKNOWN_LIFETIME_S if client is None else self._client_lifetime
        self._clients[address] = (now + lifetime, client)
        return client

    def _send_later(
        self, answer: answers.Answer, request: _Request, door: _Door, peer: Peer
    ) -> None:
        due = time.monotonic() + self._reject_delay
        request.received = time.monotonic()
        with self._lock:
            heapq.heappush(self._later, _Later(due, answer.data, request, peer, door))
        self._wake()

    def _patience(self) -> float:
        with self._lock:
            due = self._later[0].due if self._later else time.monotonic() + 1.0
        return max(0.0, due - time.monotonic())

    def _send_due(self) -> None:
        while True:
            with self._lock:
                if not self._later or self._later[0].due > time.monotonic():
                    return
                later = heapq.heappop(self._later)
            later.request.answer = later.data
            later.door.send(later.data, later.peer)

    def _complain(self, error: str) -> None:
        """Say that the database is away, now and then."""
        now = time.monotonic()
        if now - self._complained > COMPLAINT_EVERY_S:
            self._complained = now
            log.error("radius.database_away", error=error)
