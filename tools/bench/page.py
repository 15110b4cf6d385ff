"""docs/benchmarks.md: a section for each measurement, replaced when it runs again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HEAD = """# Benchmarks

Written by `scripts/benchmark.py` (the start by `tools/rehearse.py`); each section says when and with which command. Servers are temporary ones with the
settings that `scripts/start.py` gives them (PostgreSQL's defaults: fsync and full_page_writes on).

How to read it: **CPU is user plus system time** of the server and of PostgreSQL (from `/proc`, children included); the
client's own CPU is not in it. The reference and DotMac take turns in one run, so **the ratios count**; seconds and rates
belong to the machine and its moment, which was shared with other work. A figure is the median of the rounds, with the
lowest and highest round in parentheses. A bar that was missed says so.
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """What was promised, and whether it holds."""

    says: str
    value: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One measurement."""

    name: str
    title: str
    stamp: str
    settings: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[Bar]
    notes: str = ""

    def text(self) -> str:
        """As it stands in the page."""
        table = [self.columns, ["---"] * len(self.columns), *self.rows]
        lines = [f"| {' | '.join(cells)} |" for cells in table]
        bars = [
            f"- {bar.says}: **{bar.value}**, {'met' if bar.met else 'MISSED'}"
            for bar in self.bars
        ]
        parts = [f"## {self.title}", self.stamp, self.settings, "\n".join(lines)]
        parts += ["\n".join(bars)] if bars else []
        parts += [self.notes] if self.notes else []
        return "\n\n".join(parts)


def write(path: Path, section: Section) -> None:
    """Put the section in its place; other sections stay."""
    text = path.read_text() if path.exists() else HEAD
    found = dict(_SECTION.findall(text))
    found[section.name] = section.text()
    body = "".join(
        f"\n<!-- {name} -->\n{found[name].strip()}\n<!-- end -->\n" for name in found
    )
    path.write_text(HEAD + body)


_SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
