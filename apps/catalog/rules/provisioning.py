"""The steps of provisioning, when to try again, and what the check demands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

# An address is held for an account, so the account comes first. The address
# follows in its own transaction and the check last, so that nobody is active
# (and billed) who was not let in by the real RADIUS server.
STEPS = ("open_access", "allocate_address", "check")
ATTEMPTS_MAX = 5
KBPS_MAX = (2**32 - 1) // 1000
_DELAY_FIRST_S = 5
_DELAY_MAX_S = 120

_ADDRESSES = ("Framed-IP-Address", "Framed-IPv6-Address", "Delegated-IPv6-Prefix")
_POOL = "Framed-Pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the order promises: a held address, or else the NAS's own pool."""

    down_kbps: int
    up_kbps: int
    address: str | None
    framed_pool: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    down_kbps: int
    up_kbps: int

    def __str__(self) -> str:
        return f"{self.down_kbps}/{self.up_kbps} kbit/s"

    def sayable(self) -> tuple[int, int]:
        """What a RADIUS integer of bit/s can say of it (WISPr): 4.29 Gbit/s."""
        return min(self.down_kbps, KBPS_MAX), min(self.up_kbps, KBPS_MAX)


def retry_delay_s(attempts: int) -> int:
    """Seconds until the next attempt: 5, 10, 20 and so on."""
    return int(min(_DELAY_FIRST_S * 2 ** (attempts - 1), _DELAY_MAX_S))


def first_open_step(states: Sequence[tuple[str, str]]) -> str | None:
    """The name of the first (name, state) that is neither done nor skipped."""
    return next(
        (name for name, state in states if state not in {"done", "skipped"}), None
    )


def address_text(held: IPv4Interface | IPv6Interface) -> str:
    """100.64.0.2 for a host, 2001:db8:1::/56 for a delegated prefix."""
    host = held.network.prefixlen == held.max_prefixlen
    return str(held.ip if host else held)


def differences(
    expected: Expected, given: Rate | None, attributes: Mapping[str, str]
) -> list[str]:
    """Sentences on where an Access-Accept and the order disagree."""
    promised = Rate(expected.down_kbps, expected.up_kbps)
    found = []
    if given is None or given.sayable() != promised.sayable():
        found.append(f"speed ordered {promised}, RADIUS gives {given or 'none'}")
    return found + _place_differences(expected, attributes)


def _place_differences(expected: Expected, attributes: Mapping[str, str]) -> list[str]:
    if expected.address is not None:
        given = [attributes[name] for name in _ADDRESSES if name in attributes]
        if expected.address in given:
            return []
        shown = ", ".join(given) or "none"
        return [f"address held {expected.address}, RADIUS gives {shown}"]
    pool = attributes.get(_POOL, "")
    if pool != expected.framed_pool:
        return [
            f"pool ordered {expected.framed_pool or 'none'}, "
            f"RADIUS gives {pool or 'none'}"
        ]
    return []
