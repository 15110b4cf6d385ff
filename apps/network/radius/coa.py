"""Disconnect and CoA (RFC 5176): one request to a NAS, and what it answered.

`flights` carries them.
"""

from __future__ import annotations

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

SESSION_UNKNOWN = "Session-Context-Not-Found"
_ACKS = (DisconnectACK, CoAACK)
_NAKS = (DisconnectNAK, CoANAK)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoaOrder:
    """Everything that one packet needs; claimed by exactly one worker.

    `attempt` counts the claims of the row: what a later one sent is not settled by
    the answer to an earlier one.
    """

    id: int
    attempt: int = 1
    nas_id: int = 0
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


def request_of(order: CoaOrder, *, identifier: int, event_time: int) -> CoAPacket:
    """The packet; it names the session in every way that NASes look for it."""
    disconnect = order.kind == CoaKind.DISCONNECT
    request = CoAPacket(
        code=DisconnectRequest if disconnect else CoARequest,
        id=identifier,
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


def genuine(request: CoAPacket, data: bytes) -> CoAPacket | None:
    """The answer, where the datagram is one that only the NAS can have made."""
    if not packets.is_well_formed(data):
        return None
    try:
        reply = request.CreateReply(packet=data)
    except PacketError:
        return None
    if reply.code not in _ACKS + _NAKS or not request.VerifyReply(reply, data):
        return None
    return reply


def outcome_of(reply: CoAPacket) -> CoaOutcome:
    """What the answer says."""
    cause = packets.text(reply, "Error-Cause")
    if reply.code in _ACKS:
        return CoaOutcome(state=CoaState.ACKNOWLEDGED, answer=cause)
    return CoaOutcome(
        state=CoaState.REFUSED, answer=cause or "Refused, no cause given."
    )


def words_of(error: OSError) -> str:
    """Why no datagram gets there, without an address."""
    return f"Not reachable: {error.strerror or type(error).__name__}."
