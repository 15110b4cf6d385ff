"""The steps of provisioning, when to try again, and what the check demands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# An address is held for an account, so the account comes first. The address
# follows in its own transaction and the check last, so that nobody is active
# (and billed) who was not let in by the real RADIUS server.
STEPS = ("open_access", "allocate_address", "check")
ATTEMPTS_MAX = 5
_DELAY_FIRST_S = 5
_DELAY_MAX_S = 120

_MIKROTIK = "Mikrotik-Rate-Limit"
_WISPR_DOWN = "WISPr-Bandwidth-Max-Down"
_WISPR_UP = "WISPr-Bandwidth-Max-Up"
_ADDRESS = "Framed-IP-Address"
_RATE = re.compile(r"(\d+)([kKMG]?)/(\d+)([kKMG]?)(?:\s.*)?")
_KBPS = {"": 0.001, "k": 1, "K": 1, "M": 1_000, "G": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the order promises; address is None when the NAS chooses it."""

    down_kbps: int
    up_kbps: int
    address: str | None


@dataclass(frozen=True, slots=True)
class Rate:
    down_kbps: int
    up_kbps: int

    def __str__(self) -> str:
        return f"{self.down_kbps}/{self.up_kbps} kbit/s"


def retry_delay_s(attempts: int) -> int:
    """Seconds until the next attempt: 5, 10, 20 and so on."""
    return int(min(_DELAY_FIRST_S * 2 ** (attempts - 1), _DELAY_MAX_S))


def first_open_step(states: Sequence[tuple[str, str]]) -> str | None:
    """The name of the first (name, state) that is neither done nor skipped."""
    return next(
        (name for name, state in states if state not in {"done", "skipped"}), None
    )


def rate_of(attributes: Mapping[str, str]) -> Rate | None:
    """The speed in an Access-Accept; None when it carries none we can read.

    MikroTik writes rx/tx as the router sees it: the customer's upload first.
    """
    if found := _RATE.fullmatch(attributes.get(_MIKROTIK, "").strip()):
        up, up_unit, down, down_unit = found.groups()
        return Rate(
            round(int(down) * _KBPS[down_unit]), round(int(up) * _KBPS[up_unit])
        )
    down, up = attributes.get(_WISPR_DOWN, ""), attributes.get(_WISPR_UP, "")
    if down.isdigit() and up.isdigit():
        return Rate(int(down) // 1000, int(up) // 1000)
    return None


def differences(expected: Expected, attributes: Mapping[str, str]) -> list[str]:
    """Sentences on where an Access-Accept and the order disagree."""
    found = []
    promised = Rate(expected.down_kbps, expected.up_kbps)
    given = rate_of(attributes)
    if given != promised:
        shown = given or "none"
        found.append(f"speed ordered {promised}, RADIUS gives {shown}")
    address = attributes.get(_ADDRESS)
    if expected.address is not None and address != expected.address:
        shown_address = address or "none"
        found.append(f"address held {expected.address}, RADIUS gives {shown_address}")
    return found
