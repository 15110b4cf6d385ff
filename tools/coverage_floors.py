"""Holds the coverage floors: rules and operations whole, the rest at 90 percent.

Reads what `coverage json` wrote. The test run calls it before pytest's closing
line; by hand: `python tools/coverage_floors.py .coverage.json`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

OVERALL_MIN = 90.0
WHOLE = re.compile(r"^apps/[a-z]+/(rules|operations)(\.py$|/)")
SHOWN_MAX = 40


def shortfalls(report: dict[str, Any]) -> list[str]:
    """A sentence for each floor that is not held."""
    found = [
        f"{name}: {_gaps(facts)}"
        for name, facts in sorted(report["files"].items())
        if WHOLE.match(name) and _gaps(facts)
    ]
    overall = float(report["totals"]["percent_covered"])
    if overall < OVERALL_MIN:
        found.append(
            f"All together: {overall:.1f} %, at least {OVERALL_MIN:.0f} wanted"
        )
    return found


def _gaps(facts: dict[str, Any]) -> str:
    lines = [str(line) for line in facts["missing_lines"]]
    branches = [f"{a}→{b}" for a, b in facts.get("missing_branches", [])]
    parts = []
    if lines:
        parts.append(f"lines {', '.join(lines[:SHOWN_MAX])}")
    if branches:
        parts.append(f"branches {', '.join(branches[:SHOWN_MAX])}")
    return "; ".join(parts)


def main(path: str) -> int:
    """Print what falls short; 1 if anything does."""
    found = shortfalls(json.loads(Path(path).read_text()))
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or [".coverage.json"]))
