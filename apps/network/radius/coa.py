"""Disconnect and CoA (RFC 5176): one request to a NAS, and what it answered."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from pyrad.packet import (
    CoAACK,
    CoANAK,
    CoAPacket,
    CoARequest,
    DisconnectACK,
    DisconnectNAK,
    DisconnectRequest,
    PacketError,
)

from apps.network.enums import CoaKind, CoaState
from apps.network.radius import packets

# Two tries in one sending; the row's own attempts are minutes apart.
WAITS_S = (1.0, 2.0)
SESSION_UNKNOWN = "Session-Context-Not-Found"
_ACKS = (DisconnectACK, CoAACK)
_NAKS = (DisconnectNAK, CoANAK)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoaOrder:
    """Everything that one packet needs; claimed by exactly one worker."""

    id: int
    kind: str
    nas_address: str
    coa_port: int
    secret: str = field(repr=False)
    login: str
    acct_session_id: str
    framed_address: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoaOutcome:
    """How it ended: acknowledged, refused or silent, with the NAS's words."""

    state: str
    answer: str = ""

    @property
    def session_unknown(self) -> bool:
        return self.state == CoaState.REFUSED and self.answer == SESSION_UNKNOWN


def send(order: CoaOrder) -> CoaOutcome:
    """Send it, wait, repeat once. Makes no claim beyond what came back."""
    request = _request(order, event_time=int(time.time()))
    data = request.RequestPacket()
    family = socket.AF_INET6 if ":" in order.nas_address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        try:
            # Connected: only the NAS's own datagrams arrive, and a closed port
            # is known at once.
            door.connect((order.nas_address, order.coa_port))
        except OSError as error:
            return CoaOutcome(state=CoaState.SILENT, answer=_words(error))
        refused = ""
        for wait in WAITS_S:
            try:
                door.send(data)
                reply = _await(door, request, wait)
            except OSError as error:
                refused = _words(error)
                time.sleep(wait / 4)
                continue
            if reply is not None:
                return _outcome(reply)
    return CoaOutcome(state=CoaState.SILENT, answer=refused or "No answer.")


def _request(order: CoaOrder, *, event_time: int) -> CoAPacket:
    """Names the session in every way that NASes look for it."""
    disconnect = order.kind == CoaKind.DISCONNECT
    request = CoAPacket(
        code=DisconnectRequest if disconnect else CoARequest,
        secret=order.secret.encode(),
        dict=packets.dictionary(),
    )
    request.add_message_authenticator()
    if order.login:  # of an account that was forgotten meanwhile there is none
        request.AddAttribute("User-Name", order.login)
    request.AddAttribute("Acct-Session-Id", order.acct_session_id)
    ours = "NAS-IPv6-Address" if ":" in order.nas_address else "NAS-IP-Address"
    request.AddAttribute(ours, order.nas_address)
    if order.framed_address and ":" not in order.framed_address:
        request.AddAttribute("Framed-IP-Address", order.framed_address)
    request.AddAttribute("Event-Timestamp", event_time)
    packets.add_rows(request, [(*pair, "+=") for pair in order.attributes])
    return request


def _await(door: socket.socket, request: CoAPacket, wait: float) -> CoAPacket | None:
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        door.settimeout(left)
        try:
            data = door.recv(packets.PACKET_BYTES_MAX)
        except TimeoutError:
            return None
        # An ACK may have no attributes, and pyrad's packet is then an empty,
        # hence false, mapping.
        if packets.is_well_formed(data):
            reply = _genuine(request, data)
            if reply is not None:
                return reply
    return None


def _genuine(request: CoAPacket, data: bytes) -> CoAPacket | None:
    try:
        reply = request.CreateReply(packet=data)
    except PacketError:
        return None
    if reply.code not in _ACKS + _NAKS or not request.VerifyReply(reply, data):
        return None
    return reply


def _outcome(reply: CoAPacket) -> CoaOutcome:
    cause = packets.text(reply, "Error-Cause")
    if reply.code in _ACKS:
        return CoaOutcome(state=CoaState.ACKNOWLEDGED, answer=cause)
    return CoaOutcome(
        state=CoaState.REFUSED, answer=cause or "Refused, no cause given."
    )


def _words(error: OSError) -> str:
    return f"Not reachable: {error.strerror or type(error).__name__}."
