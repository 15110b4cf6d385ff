"""One-time codes: which time step a code belongs to (RFC 6238)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime

STEP_S = 30
DIGITS = 6
# Telephones' clocks differ: the codes before and after are accepted as well.
TOLERANCE = 1


def steps_at(now: datetime) -> range:
    """The time steps whose codes are accepted now, the oldest first."""
    current = int(now.timestamp()) // STEP_S
    return range(current - TOLERANCE, current + TOLERANCE + 1)


def matching_step(code: str, expected: Mapping[int, int]) -> int | None:
    """The step whose code was sent; all are compared, in constant time."""
    sent = code.strip().replace(" ", "")
    if len(sent) != DIGITS or not (sent.isascii() and sent.isdigit()):
        return None
    found = None
    for step, value in expected.items():
        if hmac.compare_digest(sent, f"{value:0{DIGITS}d}"):
            found = step
    return found


def seconds_until_step(step: int, now: datetime) -> int:
    """How long until the code of this step is shown; at least one second."""
    return max(1, step * STEP_S - int(now.timestamp()))
