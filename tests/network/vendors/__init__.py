"""What each vendor's equipment is told: one table a vendor, one test for all.

A table's CASES have every attribute besides Class and Acct-Interim-Interval, which
are everybody's. The line of a case has 20 Mbit/s down and 10 up, 512 kbit/s both ways
under a hold, and what `profile` says. Each table names its unit and its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Told = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A line and what its NAS is told; `coa` where a running session can change."""

    says: str
    told: Told
    coa: Told = ()
    profile: Mapping[str, Any] = field(default_factory=dict)
    hold: str = ""
    # Pools of the NAS for IPv4, the line's IPv6 prefix and the delegated one.
    nas_pools: bool = False
    # An address, a prefix of each kind and two routed blocks of DotMac's pools.
    holds_addresses: bool = False
    vlan: bool = False
    redirect: bool = False


HELD: Told = (
    ("Framed-IP-Address", "100.64.0.2"),
    ("Framed-IPv6-Prefix", "2001:db8:0:1::/64"),
    ("Delegated-IPv6-Prefix", "2001:db8:1000::/56"),
)
ROUTES: Told = (
    ("Framed-Route", "203.0.113.0/29 100.64.0.2 1"),
    ("Framed-IPv6-Route", "2001:db8:2000::/48 :: 1"),
)
LEASH: Told = (("Session-Timeout", "600"),)
VLAN: Told = (
    ("Tunnel-Type", "VLAN"),
    ("Tunnel-Medium-Type", "IEEE-802"),
    ("Tunnel-Private-Group-Id", "101"),
)
RFC_POOLS: Told = (
    ("Framed-Pool", "nas v4"),
    ("Framed-IPv6-Pool", "nas-link"),
    ("Delegated-IPv6-Prefix-Pool", "nas'pd"),
)
