"""The wall: which addresses are outside, judged where a connection is made.

A name is resolved once, and what is connected to is the number that was judged, so
a name that answers differently a moment later (DNS rebinding), or a host written in
octal or with other dots, meets the same wall. Not outside are all ranges that the
IANA registries keep from the public Internet, those that carry an IPv4 address
inside (mapped, NAT64, 6to4, Teredo), and the clouds' metadata services.
"""

from __future__ import annotations

import socket
import typing
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ipaddress import ip_network as network

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# A name with many numbers must not make one call wait for each of them.
TRIED_MAX = 4

_INSIDE_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        # Azure's service of its machines: a public number that answers only inside.
        "168.63.129.16/32",
    )
)  # fmt: skip
# Of IPv6 only this is given out for the Internet, but for the parts after it.
_GLOBAL_V6 = IPv6Network("2000::/3")
_INSIDE_V6 = tuple(
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class AddressInside(Exception):
    """The host is, or has become, an address that is not outside."""


def networks_of(text: str) -> list[Network]:
    """Networks between blanks or commas. Raises ValueError for what is none."""
    return [network(word) for word in text.replace(",", " ").split()]


def is_outside(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether a connection to it leaves the house, or goes where it was allowed."""
    if any(address in one for one in allowed):
        return True
    if isinstance(address, IPv4Address):
        return not any(address in one for one in _INSIDE_V4)
    return address in _GLOBAL_V6 and not any(address in one for one in _INSIDE_V6)


class Wall(httpcore.NetworkBackend):
    """Connects to what is outside; raises AddressInside for everything else."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: typing.Any = None,
    ) -> httpcore.NetworkStream:
        """To the first number of the host that is outside and answers."""
        outside = [one for one in _numbers(host, port) if self._lets(one)]
        if not outside:
            # Without the number: who asks must not learn how names resolve inside.
            raise AddressInside(f"{host[:100]} is not an address outside.")
        failure: Exception = httpcore.ConnectError(host)
        for number in outside[:TRIED_MAX]:
            try:
                return self._backend.connect_tcp(
                    number, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: typing.Any = None,
    ) -> httpcore.NetworkStream:
        raise AddressInside("A socket of this machine is not outside.")

    def _lets(self, number: str) -> bool:
        return is_outside(ip_address(number), self._allowed)


def _numbers(host: str, port: int) -> list[str]:
    """What the host resolves to now, each once."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(where[0]) for *_kind, where in found))
