"""Takes named guards away, one by one, and sees whether a test turns red.

    python tools/plant_faults.py [--app APP ...] [--name NAME ...] [--list]

Coverage says that a line ran, not that anybody would miss it. For each guard of
`tools/faults/table` a throw-away copy of the tree is made without it (or a
database without it), and the tests that must notice are run there; they are run
on an unchanged copy first. Exit code 1 unless every guard is caught.

With DOTMAC_TEST_DIR the test servers' files are kept between runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.faults.database import servers, template_for  # noqa: E402
from tools.faults.guard import Guard  # noqa: E402
from tools.faults.planting import (  # noqa: E402
    Databases,
    Finding,
    Verdict,
    examine,
)
from tools.faults.table import GUARDS  # noqa: E402


def main(words: Sequence[str]) -> int:
    """Plant the chosen faults; 1 if one of them was not noticed."""
    given = _options().parse_args(words)
    chosen = [
        guard
        for guard in GUARDS
        if (not given.app or guard.app in given.app)
        and (not given.name or guard.name in given.name)
    ]
    if not chosen:
        print("There is no such guard: --list shows them all.", file=sys.stderr)
        return 2
    if given.list:
        _show(chosen)
        return 0
    with servers():
        return plant_all(chosen, source=ROOT, databases=template_for)


def plant_all(guards: Sequence[Guard], *, source: Path, databases: Databases) -> int:
    """Examine the guards, tell how each fared, and sum it up."""
    print(f"{len(guards)} guards. First their tests on the unchanged tree.", flush=True)
    began = time.monotonic()
    findings: list[Finding] = []
    for finding in examine(guards, source=source, databases=databases):
        findings.append(finding)
        print(
            f"[{len(findings)}/{len(guards)}] {finding.guard.title}: "
            f"{finding.verdict} ({finding.seconds:.0f} s) {_shortened(finding.says)}",
            flush=True,
        )
    _sum_up(findings, time.monotonic() - began)
    return 0 if all(one.verdict == Verdict.CAUGHT for one in findings) else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    apps = sorted({guard.app for guard in GUARDS})
    parser.add_argument("--app", action="append", choices=apps)
    parser.add_argument("--name", action="append", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="show them, plant none")
    return parser


def _show(guards: Sequence[Guard]) -> None:
    for guard in guards:
        print(f"{guard.title} ({guard.kind}): {guard.keeps}")
        for test in guard.tests:
            print(f"    {test}")


def _sum_up(findings: Sequence[Finding], seconds: float) -> None:
    width = max(len(finding.guard.title) for finding in findings)
    print()
    for finding in findings:
        guard = finding.guard
        print(f"{guard.title:<{width}}  {guard.kind:<10}  {finding.verdict}")
    missed = [one for one in findings if one.verdict != Verdict.CAUGHT]
    caught = len(findings) - len(missed)
    print(f"\n{caught} of {len(findings)} faults were caught, {seconds:.0f} s.")
    for finding in missed:
        print(f"\n{finding.guard.title}: {finding.verdict}\n{finding.says}")


def _shortened(text: str) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= 120 else f"{first[:117]}..."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
