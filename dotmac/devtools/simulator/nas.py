"""One NAS: asks the RADIUS server, accounts its sessions, obeys Disconnect and CoA."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from pyrad.packet import Packet

from dotmac.devtools.simulator import wire

log = structlog.get_logger(__name__)

TRIES = 3
PATIENCE_S = 3.0

Ended = Callable[[str], bool]
Changed = Callable[[str, Packet], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class NasFacts:
    """What the NAS was set up with."""

    name: str
    address: str
    secret: str
    coa_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusServer:
    host: str
    auth_port: int
    acct_port: int


class _Asking(asyncio.DatagramProtocol):
    """One outgoing socket: up to 256 requests in flight, told apart by identifier."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[bytes]] = {}

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        future = self.waiting.get(data[1]) if len(data) > 1 else None
        if future is not None and not future.done():
            future.set_result(data)


class _Obeying(asyncio.DatagramProtocol):
    """The CoA socket: answers Disconnect- and CoA-Requests."""

    def __init__(self, nas: Nas) -> None:
        self.nas = nas

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's datagram transports are none by inheritance.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.nas.obey(data)
        if answer is not None:
            self.transport.sendto(answer, addr)


@dataclass
class Nas:
    """A simulated access concentrator on its own loopback address.

    `end(session_id)` and `change(session_id, packet)` are told when the
    server asks; they return False for a session that is not there.
    """

    facts: NasFacts
    server: RadiusServer
    end: Ended
    change: Changed
    obeyed: list[tuple[str, str]] = field(default_factory=list)

    async def start(self) -> None:
        """Open the sockets. Raises OSError when the address or port is taken."""
        loop = asyncio.get_running_loop()
        self._auth = await self._asking(loop, self.server.auth_port)
        self._acct = await self._asking(loop, self.server.acct_port)
        self._coa, _ = await loop.create_datagram_endpoint(
            lambda: _Obeying(self),
            local_addr=(self.facts.address, self.facts.coa_port),
        )
        self._numbers = itertools.cycle(range(256))

    def stop(self) -> None:
        for transport, _ in (self._auth, self._acct):
            transport.close()
        self._coa.close()

    async def _asking(
        self, loop: asyncio.AbstractEventLoop, port: int
    ) -> tuple[asyncio.DatagramTransport, _Asking]:
        return await loop.create_datagram_endpoint(
            _Asking,
            local_addr=(self.facts.address, 0),
            remote_addr=(self.server.host, port),
        )

    async def authenticate(
        self, *, login: str, password: str, **attributes: Any
    ) -> Packet | None:
        """The server's answer, or None when it stays silent."""
        raw, request = wire.access_request(
            secret=self.facts.secret.encode(),
            login=login,
            password=password,
            identifier=next(self._numbers),
            NAS_IP_Address=self.facts.address,
            NAS_Identifier=self.facts.name,
            **attributes,
        )
        return await self._ask(self._auth, raw, request)

    async def account(self, **attributes: Any) -> bool:
        """True when the server took the record."""
        raw, request = wire.accounting_request(
            secret=self.facts.secret.encode(),
            identifier=next(self._numbers),
            NAS_IP_Address=self.facts.address,
            NAS_Identifier=self.facts.name,
            **attributes,
        )
        return await self._ask(self._acct, raw, request) is not None

    async def _ask(
        self,
        endpoint: tuple[asyncio.DatagramTransport, _Asking],
        raw: bytes,
        request: Packet,
    ) -> Packet | None:
        transport, protocol = endpoint
        identifier = raw[1]
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        protocol.waiting[identifier] = future
        try:
            for _ in range(TRIES):
                transport.sendto(raw)
                try:
                    # wait_for would lose a cancellation that meets the answer.
                    async with asyncio.timeout(PATIENCE_S):
                        answer = await asyncio.shield(future)
                except TimeoutError:
                    continue
                return wire.read_reply(request, answer)
        except wire.PacketRefused as error:
            log.warning("bad_answer", nas=self.facts.name, error=str(error))
        finally:
            protocol.waiting.pop(identifier, None)
        return None

    def obey(self, raw: bytes) -> bytes | None:
        """The answer to a request of the server; None to a forged one (RFC 5176 3)."""
        try:
            packet = wire.read_coa(raw, self.facts.secret.encode())
        except wire.PacketRefused as error:
            log.warning("forged_request", nas=self.facts.name, error=str(error))
            return None
        session_id = str(wire.first(packet, "Acct-Session-Id", ""))
        if packet.code == wire.DISCONNECT_REQUEST:
            done = self.end(session_id)
            codes = wire.DISCONNECT_ACK, wire.DISCONNECT_NAK
        elif packet.code == wire.COA_REQUEST:
            done = self.change(session_id, packet)
            codes = wire.COA_ACK, wire.COA_NAK
        else:
            return None
        self.obeyed.append((session_id, "ack" if done else "nak"))
        cause = 0 if done else wire.SESSION_NOT_FOUND
        return wire.coa_answer(packet, codes[0 if done else 1], error_cause=cause)
