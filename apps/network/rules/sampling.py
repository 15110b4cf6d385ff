"""How many decisions of a storm are written down."""

from __future__ import annotations

from collections.abc import Mapping


def sample_rates(counted: Mapping[str, int], *, wanted: int) -> dict[str, int]:
    """One in how many of each source to write, so that about `wanted` remain of all.

    Whoever has less than an even share is written whole; what he leaves is shared by
    the others. So a NAS in a storm does not hide the quiet ones.
    """
    rates, left, sources = {}, wanted, len(counted)
    for source, count in sorted(counted.items(), key=lambda item: (item[1], item[0])):
        share = max(1, left // sources)
        rates[source] = max(1, -(-count // share))
        left -= min(count, share)
        sources -= 1
    return rates


def eased(before: int, needed: int) -> int:
    """Up at once, down by half: a storm that pauses does not begin with a flood."""
    return max(needed, before // 2, 1)
