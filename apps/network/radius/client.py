"""Asks a RADIUS server as a NAS would: real Access- and Status-Requests over UDP."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from pyrad.packet import AccessAccept, AuthPacket, PacketError, StatusServer

from apps.network.radius import packets

TIMEOUT_S = 3.0
TRIES = 2
_RATE_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What the server said. `silent` when it said nothing that is genuine."""

    accepted: bool
    silent: bool = False
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.attributes.get("Framed-IP-Address", "")

    @property
    def pool(self) -> str:
        return self.attributes.get("Framed-Pool", "")

    @property
    def walled(self) -> bool:
        """Let in with the walled garden's short leash."""
        return self.accepted and self.attributes.get("Session-Timeout") == "600"

    @property
    def rate_kbps(self) -> tuple[int, int] | None:
        """Download and upload, from whichever vendor's words; None when unlimited."""
        if limit := self.attributes.get("Mikrotik-Rate-Limit"):
            up, _, down = limit.split(" ")[0].partition("/")
            return _bits(down or up) // 1000, _bits(up) // 1000
        down = self.attributes.get("WISPr-Bandwidth-Max-Down", "")
        up = self.attributes.get("WISPr-Bandwidth-Max-Up", "")
        return (int(down) // 1000, int(up) // 1000) if down and up else None


def _bits(value: str) -> int:
    unit = value[-1:] if value[-1:] in "kMG" else ""
    return int(value.removesuffix(unit)) * _RATE_UNITS[unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuestion:
    """Whom to ask, and as which NAS."""

    server: tuple[str, int]
    secret: str
    nas_address: str = "127.0.0.2"
    timeout_s: float = TIMEOUT_S
    tries: int = TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessQuestion(StatusQuestion):
    """One login attempt, and through whom it is made."""

    login: str
    password: str
    mac: str = ""


def check_access(question: AccessQuestion) -> CheckResult:
    """Send it and wait; retransmits as a NAS does.

    An answer counts only with a right Response Authenticator and a right
    Message-Authenticator: anything else on the socket is passed over.
    """
    reply = _answer(_access_request(question), question)
    if reply is None:
        return CheckResult(accepted=False, silent=True)
    return CheckResult(
        accepted=reply.code == AccessAccept, attributes=_attributes(reply)
    )


def is_alive(question: StatusQuestion) -> bool:
    """Ask with Status-Server (RFC 5997), which no account and no log hears of.

    True when a genuine answer came: the server lives and has its database.
    """
    packet = _request(question, code=StatusServer)
    packet.add_message_authenticator()
    return _answer(packet, question) is not None


def _answer(packet: AuthPacket, question: StatusQuestion) -> AuthPacket | None:
    data = packet.RequestPacket()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((question.nas_address, 0))
        for _ in range(question.tries):
            door.sendto(data, question.server)
            reply = _await(door, packet, question)
            if reply is not None:
                return reply
    return None


def _request(question: StatusQuestion, **kind: int) -> AuthPacket:
    packet = AuthPacket(
        secret=question.secret.encode(),
        dict=packets.dictionary(),
        authenticator=AuthPacket.CreateAuthenticator(),
        **kind,
    )
    packet.AddAttribute("NAS-IP-Address", question.nas_address)
    return packet


def _access_request(question: AccessQuestion) -> AuthPacket:
    packet = _request(question)
    packet.AddAttribute("User-Name", question.login)
    packet[packets.USER_PASSWORD] = [packet.PwCrypt(question.password)]
    packet.AddAttribute("Service-Type", 2)
    packet.AddAttribute("Framed-Protocol", 1)
    if question.mac:
        packet.AddAttribute("Calling-Station-Id", question.mac)
    packet.add_message_authenticator()
    return packet


def _await(
    door: socket.socket, packet: AuthPacket, question: StatusQuestion
) -> AuthPacket | None:
    deadline = time.monotonic() + question.timeout_s
    while (left := deadline - time.monotonic()) > 0:
        door.settimeout(left)
        try:
            data, peer = door.recvfrom(packets.PACKET_BYTES_MAX)
        except OSError:  # a time-out, or the port is closed: ask again
            time.sleep(min(0.1, max(0.0, deadline - time.monotonic())))
            continue
        if peer[:2] != question.server or not packets.is_well_formed(data):
            continue
        reply = _genuine(packet, data)
        if reply is not None:
            return reply
    return None


def _genuine(packet: AuthPacket, data: bytes) -> AuthPacket | None:
    try:
        reply = packet.CreateReply(packet=data)
    except PacketError:
        return None
    return reply if packet.VerifyReply(reply, data, enforce_ma=True) else None


def _attributes(reply: AuthPacket) -> dict[str, str]:
    """Names and printed values; of a repeated attribute the first."""
    found = {}
    for name in reply.keys():  # noqa: SIM118 - pyrad's keys() has the names
        if not isinstance(name, str) or name == "Message-Authenticator":
            continue
        value = reply[name][0]
        found[name] = (
            value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        )
    return found
