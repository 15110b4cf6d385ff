"""Two servers' answers to one login, compared in what they mean."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports.rates import Pair, rates_of, speaks_of_rate

# What differs by nature, and says nothing about the line.
IGNORED = frozenset({"Class", "Message-Authenticator", "State", "Proxy-State"})
SILENT, REJECTED, ACCEPTED = "silent", "rejected", "accepted"
_SESSION_TIMEOUT = "Session-Timeout"
# DotMac says it always; where the old server left it out, the NAS had its own.
_ALWAYS_SAID = "Acct-Interim-Interval"
DIFFERENCES_MAX = 20
_VALUE_MAX = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: silent, rejected or accepted, and with which attributes."""

    verdict: str
    attributes: tuple[Pair, ...] = ()


def differences(old: Answer, new: Answer, *, timeout_s: int) -> list[str]:
    """Sentences, one for each difference; empty where both mean the same.

    Speeds are compared in kbit/s whatever vendor's words say them, in any order.
    Session-Timeout may differ by `timeout_s`: each server counts to the end of the
    account by its own clock. A silent server compares with nothing.
    """
    for name, answer in (("The old server", old), ("DotMac", new)):
        if answer.verdict == SILENT:
            return [f"{name} gave no answer."]
    if old.verdict != new.verdict:
        return [f"The old server {_says(old)}, DotMac {_says(new)}."]
    if old.verdict == REJECTED:
        return []  # what stands in a refusal changes nothing on a line
    before, after = _meaning(old.attributes), _meaning(new.attributes)
    told = [
        f"{name}: {_shown(before.get(name))} before, {_shown(after.get(name))} now"
        for name in sorted(before.keys() | after.keys())
        if not _same(name, before.get(name), after.get(name), timeout_s)
    ]
    return told[:DIFFERENCES_MAX]


def _says(answer: Answer) -> str:
    return "lets it in" if answer.verdict == ACCEPTED else "refuses it"


def _meaning(attributes: Sequence[Pair]) -> dict[str, list[str]]:
    """Values by name, in order of value; a speed stands under "speed"."""
    found: dict[str, list[str]] = {}
    speeds = [pair for pair in attributes if speaks_of_rate(pair)]
    for name, value in attributes:
        if name not in IGNORED and not speaks_of_rate((name, value)):
            found.setdefault(name, []).append(_plain(value))
    if speeds:
        try:
            found["speed"] = [str(rate) for rate in rates_of(speeds)] or ["no limit"]
        except MalformedText:  # not to be read: compared as it stands
            found["speed"] = [f"{name} = {value}" for name, value in speeds]
    return {name: sorted(values) for name, values in found.items()}


def _plain(value: str) -> str:
    """Addresses in one spelling."""
    if ":" in value and "/" in value:
        try:
            return str(ipaddress.ip_network(value, strict=False))
        except ValueError:
            return value
    return value


def _same(
    name: str, before: list[str] | None, after: list[str] | None, timeout_s: int
) -> bool:
    if before == after or (name == _ALWAYS_SAID and before is None):
        return True
    if name != _SESSION_TIMEOUT or before is None or after is None:
        return False
    numbers = [int(text) for text in (*before, *after) if text.isdecimal()]
    return len(numbers) == 2 and abs(numbers[0] - numbers[1]) <= timeout_s


def _shown(values: list[str] | None) -> str:
    if values is None:
        return "nothing"
    return ", ".join(values)[:_VALUE_MAX]
