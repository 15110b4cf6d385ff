"""Many requests to many NASes in flight at once, in one thread (RFC 5176).

While a NAS has requests in flight it has one socket, connected to it: only its own
datagrams arrive there, and a closed port is known at once. Each request has an
identifier of its own on that socket until it is answered or given up, and repeats
are the very same bytes (section 2.3 with RFC 5080, 2.2.1).
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyrad.packet import CoAPacket

from apps.network.enums import CoaState
from apps.network.radius import packets
from apps.network.radius.coa import (
    CoaOrder,
    CoaOutcome,
    genuine,
    outcome_of,
    request_of,
    words_of,
)

# Two tries in one sending; the row's own attempts are minutes apart.
WAITS_S = (1.0, 2.0)
IDENTIFIERS = 256
# A box that answers one after the other is not made to drop what it cannot hold, and
# one that is gone cannot fill the sender.
PER_NAS_MAX = 32
IN_FLIGHT_MAX = 2048

Answered = tuple[CoaOrder, CoaOutcome]


@dataclass(eq=False, slots=True)
class _Flight:
    """One request on its way."""

    order: CoaOrder
    request: CoAPacket
    data: bytes
    link: _Link
    due: float = 0.0
    tries: int = 0
    trouble: str = ""
    over: bool = False


@dataclass(eq=False, slots=True)
class _Link:
    """The socket to one NAS, and what is in flight on it by identifier."""

    door: socket.socket
    place: tuple[str, int]
    flights: dict[int, _Flight] = field(default_factory=dict)
    last: int = 0

    def free_identifier(self) -> int:
        """The one that was free the longest."""
        for step in range(1, IDENTIFIERS + 1):
            number = (self.last + step) % IDENTIFIERS
            if number not in self.flights:
                self.last = number
                return number
        raise AssertionError("More requests than identifiers on one socket.")


class CoaFlights:
    """Sends orders and gives back how each ended. Not for use by two threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._links: dict[tuple[str, int], _Link] = {}
        self._timers: list[tuple[float, int, _Flight]] = []
        self._ticket = itertools.count()
        self._over: list[Answered] = []

    def __len__(self) -> int:
        return sum(len(link.flights) for link in self._links.values())

    def full(self) -> list[int]:
        """Ids of the NASes that are to be given nothing more for now."""
        return [
            next(iter(link.flights.values())).order.nas_id
            for link in self._links.values()
            if len(link.flights) >= PER_NAS_MAX
        ]

    def start(self, order: CoaOrder) -> None:
        """Send it; its outcome comes from wait()."""
        try:
            link = self._link_to(order)
        except OSError as error:
            lost = CoaOutcome(state=CoaState.SILENT, answer=words_of(error))
            self._over.append((order, lost))
            return
        identifier = link.free_identifier()
        request = request_of(order, identifier=identifier, event_time=int(time.time()))
        flight = _Flight(order, request, request.RequestPacket(), link)
        link.flights[identifier] = flight
        self._send(flight)

    def wait(self, seconds: float) -> list[Answered]:
        """What ended within that time; returns with the first, and with all at hand."""
        until = time.monotonic() + seconds
        while not self._over and (left := until - time.monotonic()) > 0:
            if not self._links:
                time.sleep(left)
                break
            if self._timers:
                left = min(left, self._timers[0][0] - time.monotonic())
            for key, _ in self._selector.select(max(0.0, left)):
                self._receive(key.data)
            self._repeat(time.monotonic())
        over, self._over = self._over, []
        return over

    def close(self) -> None:
        """Let go of the sockets; what is in flight is nobody's any more."""
        for link in self._links.values():
            link.door.close()
        self._links.clear()
        self._selector.close()

    def _link_to(self, order: CoaOrder) -> _Link:
        place = (order.nas_address, order.coa_port)
        if place in self._links:
            return self._links[place]
        family = socket.AF_INET6 if ":" in order.nas_address else socket.AF_INET
        door = socket.socket(family, socket.SOCK_DGRAM)
        try:
            door.settimeout(0)
            door.connect(place)
        except OSError:
            door.close()
            raise
        link = self._links[place] = _Link(door, place, last=time.time_ns() % 256)
        self._selector.register(door, selectors.EVENT_READ, link)
        return link

    def _send(self, flight: _Flight) -> None:
        wait = WAITS_S[flight.tries]
        flight.tries += 1
        try:
            _send_now(flight)
        except OSError as error:
            flight.trouble = words_of(error)
            wait /= 4
        self._wake(flight, time.monotonic() + wait)

    def _wake(self, flight: _Flight, due: float) -> None:
        flight.due = due
        heapq.heappush(self._timers, (due, next(self._ticket), flight))

    def _receive(self, link: _Link) -> None:
        for data in self._datagrams(link):
            flight = link.flights.get(data[1]) if len(data) > 1 else None
            if flight is None:
                continue
            # An ACK may have no attributes, and pyrad's packet is then an empty,
            # hence false, mapping.
            reply = genuine(flight.request, data)
            if reply is not None:
                self._end(flight, outcome_of(reply))

    def _datagrams(self, link: _Link) -> Iterator[bytes]:
        while link.flights:  # with the last one answered, the socket is closed
            try:
                yield link.door.recv(packets.PACKET_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError as error:
                self._hurry(link, words_of(error))
                return

    def _hurry(self, link: _Link, trouble: str) -> None:
        """The kernel says that nobody listens there: no use in waiting for long."""
        for flight in link.flights.values():
            flight.trouble = trouble
            due = time.monotonic() + WAITS_S[flight.tries - 1] / 4
            if due < flight.due:
                self._wake(flight, due)

    def _repeat(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            due, _, flight = heapq.heappop(self._timers)
            if flight.over or flight.due != due:
                continue  # it was answered, or is due at another time
            if flight.tries < len(WAITS_S):
                self._send(flight)
            else:
                answer = flight.trouble or "No answer."
                self._end(flight, CoaOutcome(state=CoaState.SILENT, answer=answer))

    def _end(self, flight: _Flight, outcome: CoaOutcome) -> None:
        link, flight.over = flight.link, True
        del link.flights[flight.request.id]
        self._over.append((flight.order, outcome))
        if not link.flights:
            del self._links[link.place]
            self._selector.unregister(link.door)
            link.door.close()


def _send_now(flight: _Flight) -> None:
    try:
        flight.link.door.send(flight.data)
    except ConnectionRefusedError:
        # That was about a datagram before; this one has not left.
        flight.link.door.send(flight.data)
