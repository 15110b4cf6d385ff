"""Attributes of RADIUS: which there are, and a value's text as octets on the wire.

The table comes from FreeRADIUS's dictionaries (`radius.attributes`). What may be
told to a NAS by an engineer is less than what there is: never what belongs to the
server, to the exchange of a login, or what carries a secret.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.network.rules.credentials import MalformedText

# RFC 2865 5: one octet of length, two of header; a vendor's has six more (5.26).
VALUE_OCTETS_MAX = 253
VENDOR_OCTETS_MAX = 247
TAG_MAX = 0x1F  # RFC 2868 3.1
_INTEGERS = {
    "byte": ("!B", 0, 2**8 - 1),
    "short": ("!H", 0, 2**16 - 1),
    "integer": ("!I", 0, 2**32 - 1),
    "integer64": ("!Q", 0, 2**64 - 1),
    "signed": ("!i", -(2**31), 2**31 - 1),
    "date": ("!I", 0, 2**32 - 1),
}
# What a server must say by itself, or never: credentials, signatures, the state of
# an exchange, the session's own name (RFC 2865, 2868, 2869, 3579).
_RESERVED = frozenset(
    {
        "User-Password", "CHAP-Password", "CHAP-Challenge", "State", "Class",
        "Proxy-State", "Message-Authenticator", "EAP-Message", "Vendor-Specific",
        "Session-Timeout", "Acct-Interim-Interval", "Acct-Session-Id", "Error-Cause",
        "MS-CHAP-Error", "MS-CHAP2-Success", "Huawei-User-Password",
    }
)  # fmt: skip
_RESERVED_STARTS = ("MS-MPPE-", "MS-CHAP", "FreeRADIUS-", "Acct-", "Digest-")
_TAGGED_NAME = re.compile(r"^(?P<name>[^:]+)(?::(?P<tag>\d{1,2}))?$")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as the dictionary has it; vendor 0 is the IETF's."""

    name: str
    vendor: int
    number: int
    type: str
    tagged: bool = False
    encryption: int = 0
    words: Mapping[str, int] = field(default_factory=dict)

    @property
    def octets_max(self) -> int:
        return VENDOR_OCTETS_MAX if self.vendor else VALUE_OCTETS_MAX


Table = Mapping[str, Attribute]


def parsed_table(text: str) -> dict[str, Attribute]:
    """The rows of attributes.tsv."""
    found = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        name, vendor, number, kind, tag, encryption, words = cells + [""] * (
            7 - len(cells)
        )
        found[name] = Attribute(
            name, int(vendor), int(number), kind, tag == "tag", int(encryption or 0),
            {
                word: int(value)
                for word, _, value in (
                    pair.rpartition("=") for pair in words.split(",") if pair
                )
            },
        )  # fmt: skip
    return found


def known_attribute(name: str, table: Table) -> tuple[Attribute, int | None]:
    """The attribute of a name such as Tunnel-Type or ERX-Service-Activate:1, and
    the tag, which only a tagged one may have."""
    match = _TAGGED_NAME.match(name)
    attribute = table.get(match["name"]) if match else None
    if match is None or attribute is None:
        raise MalformedText(f"No dictionary has the attribute {name}.")
    if match["tag"] is None:
        return attribute, None
    tag = int(match["tag"])
    if not attribute.tagged or tag > TAG_MAX:
        raise MalformedText(f"{attribute.name} has no tag {tag}.")
    return attribute, tag


def told_attribute(name: str, table: Table) -> tuple[Attribute, int | None]:
    """`known_attribute`, when a NAS may be told it by a map or by an engineer."""
    attribute, tag = known_attribute(name, table)
    if attribute.name in _RESERVED or attribute.name.startswith(_RESERVED_STARTS):
        raise MalformedText(f"{attribute.name} is the server's own to send.")
    if attribute.encryption:
        raise MalformedText(f"{attribute.name} carries a secret.")
    return attribute, tag


def checked_attribute(name: str, value: str, table: Table) -> bytes:
    """The value's octets, when the attribute may be told and the value fits it."""
    attribute, tag = told_attribute(name, table)
    return encoded_value(attribute, tag, value)


def encoded_value(attribute: Attribute, tag: int | None, value: str) -> bytes:
    """What travels as the attribute's value; RFC 2865 5, RFC 2868 3 for the tag."""
    data = _octets(attribute, value)
    if attribute.tagged and attribute.type == "integer":
        if data[0]:
            raise MalformedText(f"{attribute.name} has three octets.")
        data = bytes((tag or 0,)) + data[1:]
    elif tag is not None:
        data = bytes((tag,)) + data
    if not 0 < len(data) <= attribute.octets_max:
        raise MalformedText(f"{attribute.name} has 1 to {attribute.octets_max} octets.")
    return data


def _octets(attribute: Attribute, value: str) -> bytes:
    kind = attribute.type
    if kind in _INTEGERS:
        return _integer(attribute, value)
    if kind == "string":
        if "\0" in value:
            raise MalformedText(f"{attribute.name} has no zero octet.")
        return value.encode()
    if kind == "octets":
        return _hex(attribute, value[2:]) if value.startswith("0x") else value.encode()
    if kind in ("ether", "ifid"):
        size = 6 if kind == "ether" else 8
        data = _hex(attribute, re.sub(r"[-:.]", "", value))
        if len(data) != size:
            raise MalformedText(f"{attribute.name} has {size} octets.")
        return data
    return _address(attribute, value)


def _integer(attribute: Attribute, value: str) -> bytes:
    layout, least, most = _INTEGERS[attribute.type]
    number = attribute.words.get(value)
    if number is None:
        if not re.fullmatch(r"-?[0-9]{1,20}", value):
            raise MalformedText(f"{attribute.name} is a whole number, not {value}.")
        number = int(value)
    if not least <= number <= most:
        raise MalformedText(f"{attribute.name} is between {least} and {most}.")
    return struct.pack(layout, number)


def _hex(attribute: Attribute, digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise MalformedText(f"{attribute.name} is written in hex digits.") from None


def _address(attribute: Attribute, value: str) -> bytes:
    try:
        match attribute.type:
            case "ipaddr":
                return ipaddress.IPv4Address(value).packed
            case "ipv6addr":
                return ipaddress.IPv6Address(value).packed
            case "combo-ip":
                return ipaddress.ip_address(value).packed
            case "ipv4prefix":
                net = ipaddress.IPv4Network(value)
                return bytes((0, net.prefixlen)) + net.network_address.packed
            case _:  # ipv6prefix
                # RFC 3162 2.3: no more octets than the prefix has.
                net6 = ipaddress.IPv6Network(value)
                used = net6.network_address.packed[: (net6.prefixlen + 7) // 8]
                return bytes((0, net6.prefixlen)) + used
    except ValueError:
        pass
    raise MalformedText(f"{attribute.name} is no {attribute.type}: {value}.")
