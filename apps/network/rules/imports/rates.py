"""Speeds in the words of many vendors, as kbit/s.

Down is towards the subscriber. Each vendor's unit and direction are those of its map
in radius/vendors; ChilliSpot-* is CoovaChilli's, in kbit/s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.network.rules.credentials import MalformedText

Pair = tuple[str, str]

MIKROTIK = "Mikrotik-Rate-Limit"
# Names of down and up, and how many bit/s the unit is.
_COUPLES = (
    ("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up", 1),
    ("Huawei-Output-Average-Rate", "Huawei-Input-Average-Rate", 1),
    (
        "Cambium-ePMP-Max-Burst-Downlink-Rate",
        "Cambium-ePMP-Max-Burst-Uplink-Rate",
        1000,
    ),
    ("ChilliSpot-Bandwidth-Max-Down", "ChilliSpot-Bandwidth-Max-Up", 1000),
)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_BITS = re.compile(r"^(\d{1,15})([kKmMgG]?)$")
_FILTER = re.compile(r"^\d{1,10}/\d{1,10}$")
# accel-ppp reads speeds from a Filter-Id of this form, and only of this.
FILTER = "Filter-Id"
RATE_NAMES = frozenset(
    {MIKROTIK, *(name for couple in _COUPLES for name in couple[:2])}
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A speed as a RateProfile has it; bursts of 0 mean none."""

    down_kbps: int
    up_kbps: int
    burst_down_kbps: int = 0
    burst_up_kbps: int = 0
    burst_threshold_down_kbps: int = 0
    burst_threshold_up_kbps: int = 0
    burst_s: int = 0
    priority: int = 0

    def __str__(self) -> str:
        text = f"{short(self.down_kbps)} down, {short(self.up_kbps)} up"
        if self.burst_s:
            text += (
                f", burst {short(self.burst_down_kbps)}/{short(self.burst_up_kbps)}"
                f" {self.burst_s} s from {short(self.burst_threshold_down_kbps)}"
                f"/{short(self.burst_threshold_up_kbps)}"
            )
        return text + (f", priority {self.priority}" if self.priority else "")


def short(kbps: int) -> str:
    """20M, 512k, 1G."""
    for unit, letter in ((1_000_000, "G"), (1_000, "M")):
        if kbps and kbps % unit == 0:
            return f"{kbps // unit}{letter}"
    return f"{kbps}k"


def speaks_of_rate(pair: Pair) -> bool:
    """Whether the attribute is a speed."""
    name, value = pair
    return name in RATE_NAMES or (name == FILTER and bool(_FILTER.match(value)))


def rate_of(pairs: Sequence[Pair]) -> Rate | None:
    """The speed that these attributes give; None where they give none, or no limit.

    Raises MalformedText where one cannot be read, says half of it only, or where two
    vendors' words for it differ.
    """
    found = rates_of(pairs)
    if len(found) > 1:
        told = "; ".join(str(rate) for rate in found)
        raise MalformedText(f"Its attributes give more than one speed: {told}.")
    return found[0] if found else None


def rates_of(pairs: Sequence[Pair]) -> list[Rate]:
    """Every different speed, in the order of the vendors above."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name, value.strip())
    readers: list[Callable[[dict[str, str]], Rate | None]] = [_mikrotik, _filter]
    found = [reader(values) for reader in readers]
    found += [_couple(values, *couple) for couple in _COUPLES]
    kept: list[Rate] = []
    for rate in found:
        if rate is not None and not any(_same(rate, other) for other in kept):
            kept.append(rate)
    return kept


def _same(rate: Rate, other: Rate) -> bool:
    """Others than MikroTik say nothing of bursts: that contradicts nobody."""
    return (rate.down_kbps, rate.up_kbps) == (other.down_kbps, other.up_kbps)


def _filter(values: dict[str, str]) -> Rate | None:
    text = values.get(FILTER, "")
    if not _FILTER.match(text):
        return None
    down, up = text.split("/")
    return _limited(int(down) * 1000, int(up) * 1000)


def _couple(values: dict[str, str], down: str, up: str, unit: int) -> Rate | None:
    if down not in values and up not in values:
        return None
    for name in (down, up):
        if name not in values:
            raise MalformedText(f"One way has a speed, the other has none: no {name}.")
        if not re.fullmatch(r"\d{1,15}", values[name]):
            raise MalformedText(f"{name} is a whole number, not {values[name]}.")
    return _limited(int(values[down]) * unit, int(values[up]) * unit)


def _limited(down: int, up: int) -> Rate | None:
    """None where both are 0: no limit."""
    if down == up == 0:
        return None
    return Rate(_kbps(down), _kbps(up))


def _kbps(bits: int) -> int:
    if bits < 1000 or bits % 1000:
        raise MalformedText(f"A speed is whole kbit/s, not {bits} bit/s.")
    return bits // 1000


def _mikrotik(values: dict[str, str]) -> Rate | None:
    """rx/tx, burst rate, threshold, time, priority, lowest rate: the subscriber's
    upload first, since the router receives it (MikroTik's RADIUS page)."""
    text = values.get(MIKROTIK, "")
    parts = text.split()
    if not parts:
        return None
    if len(parts) > 6:
        raise _unreadable(text)
    up, down = _two(parts[0], text)
    if up == down == 0:
        return None
    burst_up, burst_down = _two(parts[1], text) if len(parts) > 1 else (0, 0)
    at_up, at_down = _two(parts[2], text) if len(parts) > 2 else (0, 0)
    seconds = _seconds(parts[3], text) if len(parts) > 3 else 1
    priority = _whole(parts[4], text) if len(parts) > 4 else 0
    if len(parts) > 5 and _two(parts[5], text) not in ((0, 0), (up, down)):
        raise MalformedText(f"A guaranteed lowest speed is not kept: {text}.")
    rate = Rate(_kbps(down), _kbps(up), priority=priority if 1 <= priority <= 8 else 0)
    if not burst_up and not burst_down:
        return rate
    burst = Rate(
        rate.down_kbps, rate.up_kbps, _kbps(burst_down or down), _kbps(burst_up or up),
        _kbps(at_down or down), _kbps(at_up or up), seconds, rate.priority,
    )  # fmt: skip
    slow = burst.burst_down_kbps < rate.down_kbps or burst.burst_up_kbps < rate.up_kbps
    if slow or seconds < 1:
        raise MalformedText(f"A burst is faster than the speed, and lasts: {text}.")
    return burst


def _two(text: str, whole: str) -> tuple[int, int]:
    first, slash, second = text.partition("/")
    one = _bits(first, whole)
    return one, _bits(second, whole) if slash else one


def _bits(text: str, whole: str) -> int:
    match = _BITS.match(text)
    if match is None:
        raise _unreadable(whole)
    return int(match[1]) * _UNITS[match[2].lower()]


def _seconds(text: str, whole: str) -> int:
    first, slash, second = text.partition("/")
    one = _whole(first.removesuffix("s"), whole)
    if slash and _whole(second.removesuffix("s"), whole) != one:
        raise MalformedText(f"A burst lasts as long both ways: {whole}.")
    return one


def _whole(text: str, whole: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text):
        raise _unreadable(whole)
    return int(text)


def _unreadable(text: str) -> MalformedText:
    return MalformedText(f"{MIKROTIK} cannot be read: {text}.")
