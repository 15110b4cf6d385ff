"""Attributes of a RADIUS answer as text, from its octets (RFC 2865 5, 5.26)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Mapping

from apps.network.rules.attributes import Attribute, Table

HEADER_OCTETS = 20
_VENDOR_SPECIFIC = 26
_NUMBERS = {
    "byte": "!B", "short": "!H", "integer": "!I", "integer64": "!Q", "signed": "!i",
    "date": "!I",
}  # fmt: skip

# Names that FreeRADIUS's dictionary.compat keeps for old files; each has a newer one.
_OLD_NAMES = frozenset(
    {
        "Client-Id", "Client-Port-Id", "Framed-Address", "Login-Host", "Login-Port",
        "Port-Message", "Challenge-State", "Caller-ID",
    }
)  # fmt: skip

ByNumber = Mapping[tuple[int, int], Attribute]


def by_number(table: Table) -> dict[tuple[int, int], Attribute]:
    """Attributes by vendor and number; of several names the one in use today."""
    found: dict[tuple[int, int], Attribute] = {}
    for attribute in table.values():
        # Ascend once took numbers of the IETF (X-…); in the table they come last.
        if attribute.name not in _OLD_NAMES:
            found.setdefault((attribute.vendor, attribute.number), attribute)
    return found


def attributes_of(packet: bytes, known: ByNumber) -> list[tuple[str, str]]:
    """Names and values of a well-formed packet, in its order.

    What no dictionary has is named by its numbers, so that it can still be compared.
    """
    found = []
    for vendor, number, data in _triples(packet):
        attribute = known.get((vendor, number))
        if attribute is None:
            found.append((f"Attr-{vendor}.{number}", f"0x{data.hex()}"))
        else:
            found.append((attribute.name, decoded_value(attribute, data)))
    return found


def _triples(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Vendor (0: the IETF), number and octets of each value."""
    end = int.from_bytes(packet[2:4], "big")
    for number, data in _pieces(packet[HEADER_OCTETS:end]):
        if number != _VENDOR_SPECIFIC or len(data) < 6:
            yield 0, number, data
            continue
        vendor = int.from_bytes(data[:4], "big")
        for inner, value in _pieces(data[4:]):
            yield vendor, inner, value


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        size = max(data[at + 1], 2)
        yield data[at], data[at + 2 : at + size]
        at += size


def decoded_value(attribute: Attribute, data: bytes) -> str:
    """The value's text; the reverse of `encoded_value`. Octets that are no value of
    its type come in hex digits."""
    if attribute.tagged and data:
        data = _untagged(attribute, data)
    try:
        if attribute.type in _NUMBERS:
            return _number(attribute, data)
        if attribute.type == "string":
            return data.decode()
        if attribute.type in ("ipaddr", "ipv6addr", "combo-ip"):
            return str(ipaddress.ip_address(data))
        if attribute.type in ("ipv4prefix", "ipv6prefix"):
            return _prefix(attribute, data)
    except (struct.error, ValueError):
        pass
    return f"0x{data.hex()}"


def _untagged(attribute: Attribute, data: bytes) -> bytes:
    """RFC 2868 3: of a number the first octet, of a text one below 0x20."""
    if attribute.type == "integer":
        return b"\0" + data[1:]
    return data[1:] if data[0] <= 0x1F else data


def _number(attribute: Attribute, data: bytes) -> str:
    (value,) = struct.unpack(_NUMBERS[attribute.type], data)
    word = next((w for w, n in attribute.words.items() if n == value), None)
    return word or str(value)


def _prefix(attribute: Attribute, data: bytes) -> str:
    # RFC 3162 2.3: a reserved octet, the length, no more octets than it has.
    size = 4 if attribute.type == "ipv4prefix" else 16
    address = ipaddress.ip_address(data[2:].ljust(size, b"\0"))
    return str(ipaddress.ip_network((address, data[1]), strict=False))
