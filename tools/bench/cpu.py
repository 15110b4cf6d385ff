"""CPU that processes used, from /proc: user and system, children included."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def seconds_of(root: int) -> float:
    """CPU of a process, of what it waited for and of what lives below it.

    A child that ends moves its time to its parent, so the sum never shrinks.
    """
    parents: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
        ticks[int(folder.name)] = sum(int(field) for field in fields[11:15])
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += ticks.get(pid, 0)
        waiting += parents.get(pid, [])
    return total / _TICKS_A_SECOND


class Meter:
    """CPU of named processes since the meter was made."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = dict(processes)
        self._began = self._now()

    def _now(self) -> dict[str, float]:
        return {name: seconds_of(pid) for name, pid in self._processes.items()}

    def read(self) -> dict[str, float]:
        """Seconds by name."""
        now = self._now()
        return {name: now[name] - self._began[name] for name in now}


@dataclass(frozen=True, slots=True)
class Series:
    """One figure, once a round."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, digits: int = 2) -> str:
        """Median, and the span of the rounds."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratio(above: Series, below: Series) -> Series:
    """Round by round, so that a crowded moment weighs on both."""
    pairs = zip(above.values, below.values, strict=True)
    return Series([a / b for a, b in pairs])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def machine() -> str:
    """Processor, cores, memory and system, in a line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}"
    )
