"""How a login proves its password: PAP, CHAP, MS-CHAPv2.

What is compared are bytes: pyrad drops those that are no UTF-8 from a PAP password
and strips white space from a CHAP one. EAP is FreeRADIUS's alone.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass

from pyrad.packet import AuthPacket, Packet

from apps.network.radius import mschap, packets

_BLOCK = 16
_PASSWORD_BYTES_MAX = 128  # RFC 2865, 5.2

CHAP_PASSWORD = 3
CHAP_CHALLENGE = 60
EAP_MESSAGE = 79

# RFC 2548
MICROSOFT = 311
MS_CHAP_RESPONSE = (MICROSOFT, 1)
MS_MPPE_ENCRYPTION_POLICY = (MICROSOFT, 7)
MS_MPPE_ENCRYPTION_TYPES = (MICROSOFT, 8)
MS_CHAP_CHALLENGE = (MICROSOFT, 11)
MS_MPPE_SEND_KEY = (MICROSOFT, 16)
MS_MPPE_RECV_KEY = (MICROSOFT, 17)
MS_CHAP2_RESPONSE = (MICROSOFT, 25)
MS_CHAP2_SUCCESS = (MICROSOFT, 26)
# The NAS may encrypt the link, and if it does, with 128 bits.
_ENCRYPTION_ALLOWED, _128_BITS = struct.pack("!I", 1), struct.pack("!I", 4)


@dataclass(frozen=True, slots=True)
class Proof:
    """A right password; `success` is what MS-CHAPv2 has to answer."""

    success: mschap.Success | None = None


def uses_eap(request: AuthPacket) -> bool:
    """The login is inside an EAP conversation, which needs FreeRADIUS."""
    return EAP_MESSAGE in request


def check_password(request: AuthPacket, password: str) -> Proof | None:
    """Judge what the request offers; None for wrong, and for no method of ours.

    Of a request that offers several the first of this order counts, as in FreeRADIUS.
    MS-CHAPv1 (RFC 2433) is refused: it proves nothing of the server, and its LAN
    Manager answer gives the password away.
    """
    if MS_CHAP_RESPONSE in request:
        return None
    for offered, judge in _METHODS:
        if offered in request:
            return judge(request, password)
    return None


def add_proof(reply: Packet, proof: Proof) -> None:
    """What the NAS needs to end MS-CHAPv2 and to encrypt (RFC 2548, 2.3.3 and 2.4)."""
    success = proof.success
    if success is None:
        return
    reply[MS_CHAP2_SUCCESS] = [success.message]
    hidden = receive = reply.SaltCrypt(success.recv_key)
    while hidden[:2] == receive[:2]:  # a salt is used once in a packet
        hidden = reply.SaltCrypt(success.send_key)
    reply[MS_MPPE_RECV_KEY], reply[MS_MPPE_SEND_KEY] = [receive], [hidden]
    reply[MS_MPPE_ENCRYPTION_POLICY] = [_ENCRYPTION_ALLOWED]
    reply[MS_MPPE_ENCRYPTION_TYPES] = [_128_BITS]


def reveal(hidden: bytes, secret: bytes, authenticator: bytes) -> bytes | None:
    """The bytes of a User-Password (RFC 2865, 5.2); None when malformed."""
    if len(hidden) % _BLOCK or len(hidden) > _PASSWORD_BYTES_MAX:
        return None
    clear, last = bytearray(), authenticator
    for start in range(0, len(hidden), _BLOCK):
        block = hidden[start : start + _BLOCK]
        mask = hashlib.md5(secret + last, usedforsecurity=False).digest()
        clear += bytes(a ^ b for a, b in zip(block, mask, strict=True))
        last = block
    return bytes(clear).rstrip(b"\0")


def _ms_chap2(request: AuthPacket, password: str) -> Proof | None:
    success = mschap.check_response(
        password=password,
        user_name=packets.raw(request, packets.USER_NAME),
        challenge=packets.raw(request, MS_CHAP_CHALLENGE),
        response=packets.raw(request, MS_CHAP2_RESPONSE),
    )
    return Proof(success) if success else None


def _chap(request: AuthPacket, password: str) -> Proof | None:
    chap = packets.raw(request, CHAP_PASSWORD)
    if len(chap) != 1 + _BLOCK:
        return None
    challenge = packets.raw(request, CHAP_CHALLENGE) or request.authenticator
    mixed = chap[:1] + password.encode() + challenge
    expected = hashlib.md5(mixed, usedforsecurity=False).digest()
    return Proof() if hmac.compare_digest(chap[1:], expected) else None


def _pap(request: AuthPacket, password: str) -> Proof | None:
    hidden = packets.raw(request, packets.USER_PASSWORD)
    offered = reveal(hidden, request.secret, request.authenticator)
    if not hidden or offered is None:
        return None
    return Proof() if hmac.compare_digest(offered, password.encode()) else None


_Judge = Callable[[AuthPacket, str], Proof | None]
_METHODS: tuple[tuple[int | tuple[int, int], _Judge], ...] = (
    (MS_CHAP2_RESPONSE, _ms_chap2),
    (CHAP_PASSWORD, _chap),
    (packets.USER_PASSWORD, _pap),
)
