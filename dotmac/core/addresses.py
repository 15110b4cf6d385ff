"""Addresses as rules, keys and limits compare them."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

_MAPPED = IPv6Network("::ffff:0:0/96")


def read_address(text: str) -> IPv4Address | IPv6Address:
    """The address; IPv4 that a dual-stack socket wrote as IPv6 is IPv4.

    Raises ValueError for what is none.
    """
    found = ip_address(text)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def read_network(text: str) -> IPv4Network | IPv6Network:
    """The network, likewise; raises ValueError."""
    found = ip_network(text)
    if isinstance(found, IPv4Network) or not found.subnet_of(_MAPPED):
        return found
    low_bits = int(found.network_address) & 0xFFFF_FFFF
    return IPv4Network((low_bits, found.prefixlen - _MAPPED.prefixlen))
