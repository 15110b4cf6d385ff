"""Address arithmetic that needs no database."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from apps.network.rules.credentials import MalformedText

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def parsed_network(text: str) -> Network:
    """The network; host bits that are set are refused, and the right one named."""
    try:
        return ip_network(text.strip())
    except ValueError:
        pass
    try:
        meant = ip_network(text.strip(), strict=False)
    except ValueError:
        raise MalformedText(
            "A prefix looks like 192.0.2.0/24 or 2001:db8::/32."
        ) from None
    raise MalformedText(f"Host bits are set. Do you mean {meant}?")


def parsed_address(text: str) -> Address:
    """One IPv4 or IPv6 address without a prefix length or scope."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        raise MalformedText("An address looks like 192.0.2.1 or 2001:db8::1.") from None
    if getattr(address, "scope_id", None):
        raise MalformedText("An address has no interface scope.")
    return address


def usable_as_source(address: Address) -> bool:
    """Whether a device can send packets from it."""
    return not (address.is_unspecified or address.is_multicast or _broadcast(address))


def lies_within(address: str, networks: Iterable[str]) -> bool:
    """Whether one of the networks has the address; what is no network has none."""
    known = ip_address(address)
    for text in networks:
        try:
            network = ip_network(text.strip())
        except ValueError:
            continue
        if known.version == network.version and known in network:
            return True
    return False


def default_gateway(network: Network) -> Address | None:
    """The first host; none where every address is a host (/31, /32, /127, /128)."""
    if network.prefixlen >= network.max_prefixlen - 1:
        return None
    return network.network_address + 1


def is_host_of(address: Address, network: Network) -> bool:
    """Inside, and neither the network's own address nor its IPv4 broadcast."""
    if address not in network:
        return False
    if network.prefixlen >= network.max_prefixlen - 1:
        return True
    if address == network.network_address:
        return False
    return network.version == 6 or address != network.broadcast_address


def delegation_fits(network: Network, length: int) -> bool:
    """Whether blocks of that length can be cut from the network."""
    return network.prefixlen <= length <= network.max_prefixlen


def enclosing_blocks(address: Address) -> list[str]:
    """The address and every block around it, as PostgreSQL writes them.

    Who holds an address may hold it as part of a delegated prefix; looking for
    these exact values lets an ordinary index answer.
    """
    top = address.max_prefixlen
    return [
        f"{ip_network((address, length), strict=False).network_address}/{length}"
        for length in range(top, 0, -1)
    ]


def _broadcast(address: Address) -> bool:
    return address == IPv4Address("255.255.255.255")
