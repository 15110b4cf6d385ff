"""RADIUS packets as a NAS sends and reads them (RFC 2865, 2866, 2869, 5176)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import Any

from django.conf import settings
from pyrad.dictionary import Dictionary
from pyrad.packet import (
    AccessAccept,
    AcctPacket,
    AuthPacket,
    CoAPacket,
    Packet,
    PacketError,
)

DISCONNECT_REQUEST, DISCONNECT_ACK, DISCONNECT_NAK = 40, 41, 42
COA_REQUEST, COA_ACK, COA_NAK = 43, 44, 45
SESSION_NOT_FOUND = 503
ACCEPT = AccessAccept


class PacketRefused(Exception):
    """The packet is malformed or not signed with this NAS's secret."""


@lru_cache(maxsize=1)
def dictionary() -> Dictionary:
    """The attributes that DotMac speaks; one file for both ends."""
    return Dictionary(str(settings.BASE_DIR / "apps/network/radius/dictionary"))


def access_request(
    *, secret: bytes, login: str, password: str, identifier: int, **attributes: Any
) -> tuple[bytes, AuthPacket]:
    """A signed Access-Request by PAP, and the packet that verifies its answer."""
    packet = AuthPacket(
        id=identifier,
        secret=secret,
        authenticator=secrets.token_bytes(16),
        dict=dictionary(),
    )
    packet["User-Name"] = login
    packet["User-Password"] = packet.PwCrypt(password)
    _set(packet, attributes)
    packet.add_message_authenticator()
    return packet.RequestPacket(), packet


def accounting_request(
    *, secret: bytes, identifier: int, **attributes: Any
) -> tuple[bytes, AcctPacket]:
    """An Accounting-Request and the packet that verifies its answer."""
    packet = AcctPacket(id=identifier, secret=secret, dict=dictionary())
    _set(packet, attributes)
    return packet.RequestPacket(), packet


def read_reply(request: Packet, raw: bytes) -> Packet:
    """The verified answer; raises PacketRefused when it is not the server's."""
    try:
        reply = request.CreateReply(packet=raw)
        good = request.VerifyReply(reply, raw)
    except (PacketError, ValueError, KeyError, IndexError) as error:
        raise PacketRefused(str(error)) from error
    if not good:
        raise PacketRefused("The answer is not signed with our secret.")
    return reply


def read_coa(raw: bytes, secret: bytes) -> CoAPacket:
    """A CoA- or Disconnect-Request from the server, its authenticator checked."""
    try:
        packet = CoAPacket(packet=raw, secret=secret, dict=dictionary())
    except (PacketError, ValueError, KeyError, IndexError) as error:
        raise PacketRefused(str(error)) from error
    zeroed = raw[:4] + bytes(16) + raw[20:]
    wanted = hashlib.md5(zeroed + secret, usedforsecurity=False).digest()
    if not hmac.compare_digest(wanted, raw[4:20]):
        raise PacketRefused("The request is not signed with our secret.")
    return packet


def coa_answer(packet: CoAPacket, code: int, *, error_cause: int = 0) -> bytes:
    """An ACK or NAK with Message-Authenticator."""
    reply = packet.CreateReply()
    reply.code = code
    if error_cause:
        reply["Error-Cause"] = error_cause
    reply.add_message_authenticator()
    return bytes(reply.ReplyPacket())


def first(packet: Packet, name: str, default: Any = None) -> Any:
    """The attribute's first value, or the default."""
    return packet[name][0] if name in packet else default


def attributes_of(packet: Packet) -> dict[str, Any]:
    """The first value of each attribute, by name."""
    names = list(packet.keys())
    return {str(name): packet[name][0] for name in names}


def _set(packet: Packet, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if value is not None:
            packet[name.replace("_", "-")] = value
