"""RADIUS packets as bytes: what is well-formed, and rows to attributes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import structlog
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket, Packet, PacketError

from apps.network.radius.attributes import attribute_table
from apps.network.rules.attributes import encoded_value, known_attribute
from apps.network.rules.credentials import MalformedText

log = structlog.get_logger(__name__)

PACKET_BYTES_MIN = 20
PACKET_BYTES_MAX = 4096  # RFC 2865
ATTRIBUTES_MAX = 200  # as max_attributes in FreeRADIUS's radiusd.conf
_SIGNATURE_BYTES = 16

USER_NAME = 1
USER_PASSWORD = 2
CALLING_STATION_ID = 31
MESSAGE_AUTHENTICATOR = 80

# Rows that speak to the server and never travel on the wire.
_INTERNAL = (
    "Cleartext-Password", "Auth-Type", "Tmp-String-0", "Tmp-String-1", "Tmp-String-4",
    "Tmp-Integer-0",
)  # fmt: skip


@cache
def dictionary() -> Dictionary:
    return Dictionary(str(Path(__file__).parent / "dictionary"))


def is_well_formed(data: bytes) -> bool:
    """Lengths that add up, not too many attributes, and at most one
    Message-Authenticator of its size.

    pyrad is lenient here: it takes a last attribute that is cut short.
    """
    if not PACKET_BYTES_MIN <= len(data) <= PACKET_BYTES_MAX:
        return False
    length = int.from_bytes(data[2:4], "big")
    if not PACKET_BYTES_MIN <= length <= len(data):
        return False
    position, signatures, count = PACKET_BYTES_MIN, 0, 0
    while position < length:
        if position + 2 > length or data[position + 1] < 2:
            return False
        size = data[position + 1]
        if data[position] == MESSAGE_AUTHENTICATOR:
            signatures += 1
            if size != 2 + _SIGNATURE_BYTES:
                return False
        position += size
        count += 1
    return position == length and signatures <= 1 and count <= ATTRIBUTES_MAX


def without_padding(data: bytes) -> bytes:
    """A well-formed packet as long as it says (RFC 2865, 3)."""
    return data[: int.from_bytes(data[2:4], "big")]


def decode_auth(data: bytes, secret: bytes) -> AuthPacket | None:
    return _decode(AuthPacket, data, secret)


def decode_acct(data: bytes, secret: bytes) -> AcctPacket | None:
    return _decode(AcctPacket, data, secret)


def _decode(kind: type[Packet], data: bytes, secret: bytes) -> Packet | None:
    try:
        return kind(packet=data, secret=secret, dict=dictionary())
    except PacketError:
        return None


def raw(packet: Packet, *codes: int | tuple[int, int]) -> bytes:
    """The first value as it came of the first of these that is there; else empty.

    A vendor's attribute is its vendor's number and its own.
    """
    for code in codes:
        if values := packet.get(code):
            return bytes(values[0])
    return b""


def text(packet: Packet, name: str) -> str:
    """The first value in its printed form, as FreeRADIUS expands it."""
    try:
        values = packet.get(name)
    except (ValueError, TypeError):
        return ""
    return str(values[0]) if values else ""


def unquoted(value: str) -> str:
    """A value as rlm_sql reads it: radius_pairvalue() undone."""
    if len(value) < 2 or not value.startswith("'"):
        return value
    inner = iter(value[1:-1])
    return "".join(next(inner, "") if char == "\\" else char for char in inner)


def add_rows(reply: Packet, rows: list[tuple[str, str, str]]) -> None:
    """Put the NAS's attributes into the packet, as FreeRADIUS would.

    A row is attribute, value and op: `+=` adds a value to those that are there,
    `:=` replaces them. What no dictionary knows, or does not fit, stays out and
    is logged: maps and forms refuse it before it is saved.
    """
    table = attribute_table()
    for name, value, op in rows:
        if name in _INTERNAL:
            continue
        try:
            attribute, tag = known_attribute(name, table)
            data = encoded_value(attribute, tag, unquoted(value))
        except MalformedText as error:
            log.warning("radius.attribute_left_out", attribute=name, why=str(error))
            continue
        # As pyrad keeps them: by number, a vendor's by the vendor's and its own.
        key = (
            (attribute.vendor, attribute.number)
            if attribute.vendor
            else attribute.number
        )
        if op != "+=" and key in reply:
            del reply[key]
        reply.setdefault(key, []).append(data)
