"""Asks a RADIUS server as a NAS would, and tells all that it answers.

Unlike `client`, which checks what DotMac itself says, this one asks servers of others
as well: old ones sign no answer (RFC 2869 5.14), and say what no map knows.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import time
from dataclasses import dataclass
from functools import cache

from pyrad.packet import AccessAccept, AccessReject, AuthPacket, PacketError

from apps.network.radius import packets
from apps.network.radius.attributes import attribute_table
from apps.network.rules.attributes import Attribute
from apps.network.rules.decoding import attributes_of, by_number
from apps.network.rules.imports.comparison import ACCEPTED, REJECTED, SILENT, Answer

TIMEOUT_S = 3.0
TRIES = 2
_CHAP_PASSWORD, _CHAP_CHALLENGE = 3, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One server, as the NAS at `source` sees it. `signed`: answers must be."""

    server: tuple[str, int]
    secret: bytes
    source: str
    signed: bool
    timeout_s: float = TIMEOUT_S
    tries: int = TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who logs in, from which device, and through which NAS by its own word."""

    name: str
    password: str
    nas_address: str
    mac: str = ""
    chap: bool = False


@cache
def _known() -> dict[tuple[int, int], Attribute]:
    return by_number(attribute_table())


def can_ask_from(source: str) -> bool:
    """Whether this machine has the address; IPv4 only, as `ask`."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind((source, 0))
    except OSError:
        return False
    return True


def ask(door: Door, login: Login) -> Answer:
    """Send it and wait; retransmits as a NAS does. Never raises for what comes back."""
    packet = _request(door, login)
    data = packet.RequestPacket()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((door.source, 0))
        for _ in range(door.tries):
            line.sendto(data, door.server)
            answer = _await(line, packet, door)
            if answer is not None:
                return answer
    return Answer(SILENT)


def _request(door: Door, login: Login) -> AuthPacket:
    packet = AuthPacket(
        secret=door.secret,
        dict=packets.dictionary(),
        authenticator=AuthPacket.CreateAuthenticator(),
    )
    packet.AddAttribute("User-Name", login.name)
    if login.chap:
        number, challenge = secrets.token_bytes(1), secrets.token_bytes(16)
        digest = hashlib.md5(
            number + login.password.encode() + challenge, usedforsecurity=False
        ).digest()
        packet[_CHAP_PASSWORD] = [number + digest]
        packet[_CHAP_CHALLENGE] = [challenge]
    else:
        packet[packets.USER_PASSWORD] = [packet.PwCrypt(login.password)]
    packet.AddAttribute("NAS-IP-Address", login.nas_address)
    packet.AddAttribute("Service-Type", 2)
    packet.AddAttribute("Framed-Protocol", 1)
    if login.mac:
        packet.AddAttribute("Calling-Station-Id", login.mac)
    packet.add_message_authenticator()
    return packet


def _await(line: socket.socket, packet: AuthPacket, door: Door) -> Answer | None:
    deadline = time.monotonic() + door.timeout_s
    while (left := deadline - time.monotonic()) > 0:
        line.settimeout(left)
        try:
            data, peer = line.recvfrom(packets.PACKET_BYTES_MAX)
        except OSError:  # a time-out, or the port is closed: ask again
            time.sleep(min(0.1, max(0.0, deadline - time.monotonic())))
            continue
        if peer[:2] != door.server or not packets.is_well_formed(data):
            continue
        answer = _answer(packet, data, door)
        if answer is not None:
            return answer
    return None


def _answer(packet: AuthPacket, data: bytes, door: Door) -> Answer | None:
    """What a genuine answer says; None for anything else on the socket."""
    try:
        reply = packet.CreateReply(packet=data)
    except PacketError:
        return None
    if not packet.VerifyReply(reply, data, enforce_ma=door.signed):
        return None
    if reply.code not in (AccessAccept, AccessReject):
        return None
    verdict = ACCEPTED if reply.code == AccessAccept else REJECTED
    return Answer(verdict, tuple(attributes_of(data, _known())))
