"""The table of attributes: whence it is, what it refuses, what octets a value has."""

from __future__ import annotations

import pytest

from apps.network.radius import packets
from apps.network.radius.attributes import FILE, attribute_table
from apps.network.rules.attributes import checked_attribute
from apps.network.rules.credentials import MalformedText
from tools import radius_dictionary

pytestmark = pytest.mark.unit


@pytest.mark.skipif(
    not radius_dictionary.DICTIONARIES.exists(), reason="FreeRADIUS is not installed"
)
def test_the_table_is_what_the_installed_dictionaries_say():
    made = radius_dictionary.table(
        radius_dictionary.read(radius_dictionary.DICTIONARIES)
    )

    assert FILE.read_text() == made


def test_the_dictionary_for_requests_says_the_same():
    """Two kinds have another name there: the octets are the same."""
    ours, table = packets.dictionary(), attribute_table()
    alike = {"Event-Timestamp": "date", "User-Password": "string"}
    outside = {"Vendor-Specific", "EAP-Message"}

    for name, attribute in ours.attributes.items():
        if name in outside:
            continue
        row = table[name]
        vendor = ours.vendors.GetForward(attribute.vendor) if attribute.vendor else 0
        assert (row.vendor, row.number) == (vendor, attribute.code), name
        assert alike.get(name, attribute.type) == row.type, name


@pytest.mark.parametrize(
    ("name", "value", "octets"),
    [
        ("Framed-IP-Address", "192.0.2.7", "c0000207"),
        ("Framed-IPv6-Address", "2001:db8::7", "20010db8000000000000000000000007"),
        ("Delegated-IPv6-Prefix", "2001:db8:700::/56", "003820010db8070000"),
        ("Framed-IPv6-Prefix", "::/0", "0000"),
        ("Framed-Interface-Id", "0000:0000:0000:0001", "0000000000000001"),
        ("Idle-Timeout", "600", "00000258"),
        ("Tunnel-Type", "VLAN", "0000000d"),
        ("Tunnel-Type:1", "13", "0100000d"),
        ("Tunnel-Private-Group-Id", "100", "313030"),
        ("Tunnel-Private-Group-Id:31", "100", "1f313030"),
        ("ERX-Service-Activate:1", "x(1m)", "017828316d29"),
        ("Cisco-AVPair", "ip:addr-pool=o'pool", b"ip:addr-pool=o'pool".hex()),
        ("ERX-Dhcp-Options", "0x3504", "3504"),
        ("WISPr-Bandwidth-Max-Up", "4294967295", "ffffffff"),
        ("Mikrotik-Rate-Limit", "x" * 247, b"x".hex() * 247),
        ("Filter-Id", "ü" * 126, "c3bc" * 126),
        ("PMIP6-Home-IPv4-HoA", "192.0.2.0/24", "0018c0000200"),
        ("ALU-AAA-Address-0", "192.0.2.7", "c0000207"),
    ],
)
def test_a_value_becomes_the_octets_that_travel(name, value, octets):
    assert checked_attribute(name, value, attribute_table()).hex() == octets


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Mikrotik-Rate-Limt", "1k/1k", "No dictionary has"),
        ("Filter-Id", "a\0b", "no zero octet"),
        ("Framed-Interface-Id", "0001", "8 octets"),
        ("", "1", "No dictionary has"),
        ("Idle-Timeout:1", "600", "has no tag"),
        ("Tunnel-Type:32", "VLAN", "has no tag"),
        ("Tunnel-Type", "16777216", "three octets"),
        ("Tunnel-Type", "VLANS", "whole number"),
        ("Idle-Timeout", "", "whole number"),
        ("Idle-Timeout", "1.5", "whole number"),
        ("Idle-Timeout", "-1", "between 0 and"),
        ("WISPr-Bandwidth-Max-Up", "4294967296", "between 0 and"),
        ("Framed-IP-Address", "192.0.2", "no ipaddr"),
        ("Delegated-IPv6-Prefix", "2001:db8::1/56", "no ipv6prefix"),
        ("Mikrotik-Rate-Limit", "x" * 248, "1 to 247"),
        ("Filter-Id", "x" * 254, "1 to 253"),
        ("Filter-Id", "", "1 to 253"),
        ("ERX-Dhcp-Options", "0xzz", "hex digits"),
        # What the server says by itself, and what carries a secret.
        ("User-Password", "x", "server's own"),
        ("Message-Authenticator", "0x00", "server's own"),
        ("Class", "1", "server's own"),
        ("Session-Timeout", "1", "server's own"),
        ("MS-MPPE-Send-Key", "0x00", "server's own"),
        ("Acct-Session-Id", "1", "server's own"),
        ("Tunnel-Password", "x", "carries a secret"),
        # The server's variables and parts of an exchange are in no table.
        ("Cleartext-Password", "x", "No dictionary has"),
        ("Auth-Type", "Accept", "No dictionary has"),
        ("Tmp-String-0", "x", "No dictionary has"),
        ("EAP-Message", "0x00", "No dictionary has"),
    ],
)
def test_what_a_nas_must_not_be_told_is_refused(name, value, why):
    with pytest.raises(MalformedText, match=why):
        checked_attribute(name, value, attribute_table())
