"""Octets of an answer as text: the reverse of what is encoded, for every type."""

from __future__ import annotations

import pytest

from apps.network.radius.attributes import attribute_table
from apps.network.rules.attributes import Attribute, encoded_value, known_attribute
from apps.network.rules.decoding import attributes_of, by_number, decoded_value

pytestmark = pytest.mark.unit
TABLE = attribute_table()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Framed-IP-Address", "100.64.0.7"), ("Framed-IPv6-Address", "2001:db8::7"),
        ("Delegated-IPv6-Prefix", "2001:db8:7::/56"), ("Session-Timeout", "86400"),
        ("Service-Type", "Framed"), ("Reply-Message", "Ẹ káàbọ̀"),
        ("Tunnel-Type:3", "VLAN"), ("Tunnel-Private-Group-Id:3", "113"),
        ("Tunnel-Private-Group-Id", "113"), ("Mikrotik-Rate-Limit", "5M/20M"),
        ("WISPr-Bandwidth-Max-Up", "5000000"), ("Class", "0x00ff"),
    ],
)  # fmt: skip
def test_what_is_encoded_is_read_again(name, value):
    attribute, tag = known_attribute(name, TABLE)
    assert decoded_value(attribute, encoded_value(attribute, tag, value)) == value


def test_an_ipv4_prefix_and_octets_that_fit_no_type():
    prefix = Attribute("P", 0, 1, "ipv4prefix")
    assert decoded_value(prefix, b"\x00\x18\xc0\x00\x02\x00") == "192.0.2.0/24"
    for kind, data in (("integer", b"\1"), ("ipaddr", b"\1"), ("string", b"\xff")):
        assert decoded_value(Attribute("A", 0, 1, kind), data) == f"0x{data.hex()}"


def test_a_packet_with_vendors_and_strangers():
    def piece(number, data):
        return bytes((number, len(data) + 2)) + data

    mikrotik = TABLE["Mikrotik-Rate-Limit"]
    inner = piece(mikrotik.number, b"1M/2M") + piece(250, b"\1")
    body = (
        piece(8, bytes((100, 64, 0, 7)))
        + piece(26, mikrotik.vendor.to_bytes(4, "big") + inner)
        + piece(26, b"\0\0")
        + piece(0, b"x")
    )
    packet = bytes((2, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    assert attributes_of(packet + b"behind", by_number(TABLE)) == [
        ("Framed-IP-Address", "100.64.0.7"),
        ("Mikrotik-Rate-Limit", "1M/2M"),
        (f"Attr-{mikrotik.vendor}.250", "0x01"),
        ("Attr-0.26", "0x0000"),
        ("Attr-0.0", "0x78"),
    ]  # fmt: skip
