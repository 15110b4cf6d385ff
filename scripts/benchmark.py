"""Measures DotMac against references: `python scripts/benchmark.py --help`.

Runs in the environment that scripts/start.py makes, on temporary servers, and
writes docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from dotmac.devtools.refusals import Refused  # noqa: E402
from tools.bench import (  # noqa: E402
    allocation,
    audit,
    authorisation,
    billing,
    buffered,
    coa,
    customers,
    expressions,
    limiter,
    outage,
    radius,
)
from tools.bench.cpu import machine  # noqa: E402
from tools.bench.page import Section, write  # noqa: E402
from tools.bench.site import Bench, bench, load  # noqa: E402

Measure = Callable[[Bench, argparse.Namespace, str], Section]
MEASUREMENTS: dict[str, Measure] = {
    "customers": lambda b, given, stamp: customers.run(
        b, rows=given.rows, rounds=given.rounds, stamp=stamp
    ),
    "authorisation": lambda b, given, stamp: authorisation.run(
        b, rows=given.rows, rounds=given.rounds, stamp=stamp
    ),
    "expressions": lambda _bench, given, stamp: expressions.run(
        evaluations=given.evaluations, rounds=given.rounds, stamp=stamp
    ),
    "allocation": lambda b, given, stamp: allocation.run(
        b, held=given.held, requests=given.requests, rounds=given.rounds, stamp=stamp
    ),
    "radius": lambda b, given, stamp: radius.run(
        b,
        subscribers=given.subscribers,
        requests=given.packets,
        storm=given.storm,
        rounds=given.rounds,
        stamp=stamp,
    ),
    "buffered": lambda b, given, stamp: buffered.run(
        b,
        subscribers=given.subscribers,
        requests=given.packets,
        rounds=given.rounds,
        stamp=stamp,
    ),
    "outage": lambda b, given, stamp: outage.run(
        b, seconds=given.away, rate=given.away_rate, stamp=stamp
    ),
    "audit": lambda b, given, stamp: audit.run(
        b, entries=given.entries, writes=given.writes, rounds=given.rounds, stamp=stamp
    ),
    "billing": lambda b, given, stamp: billing.run(
        b, services=given.services, rounds=given.rounds, stamp=stamp
    ),
    "coa": lambda b, given, stamp: coa.run(
        b, changes=given.changes, rounds=given.rounds, stamp=stamp
    ),
    "limiter": lambda b, given, stamp: limiter.run(
        b, requests=given.calls, rounds=given.rounds, stamp=stamp
    ),
}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark.py",
        description="Measure, and write docs/benchmarks.md.",
    )
    parser.add_argument("names", nargs="+", choices=[*MEASUREMENTS, "all"])
    for name, default, says in (
        ("rows", 1_000_000, "customers in the list"),
        ("held", 60_000, "addresses held in the full pool"),
        ("requests", 400, "allocations a round"),
        ("subscribers", 100_000, "subscribers that RADIUS knows"),
        ("packets", 4_000, "packets of each kind a round"),
        ("storm", 50_000, "Starts in one storm, half of the subscribers at most"),
        ("away", 60, "seconds without PostgreSQL"),
        ("away_rate", 300, "accounting packets a second meanwhile"),
        ("services", 10_000, "services to bill"),
        ("changes", 200, "changes of a speed at once"),
        ("calls", 5_000, "calls of the limiter a round"),
        ("entries", 300_000, "entries in the audit chain that is verified"),
        ("writes", 500, "audited writes of each writer a round"),
        ("evaluations", 50_000, "evaluations of a condition a round"),
        ("rounds", 5, "rounds; the reference and DotMac take turns"),
    ):
        help_text = f"{says} (default {default:,})"
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, default=default, help=help_text)
    page = ROOT / "docs" / "benchmarks.md"
    parser.add_argument("--page", type=Path, default=page, help="the page to write")
    return parser


def main(words: list[str]) -> int:
    """Run each measurement on servers of its own; 1 when a bar was missed, 2 when one
    could not be run."""
    given = _options().parse_args(words)
    # Whoever stops us stops the servers too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(130))
    names = list(MEASUREMENTS) if "all" in given.names else given.names
    missed = False
    for name in dict.fromkeys(names):
        began, crowd = time.monotonic(), load()
        command = " ".join(["python scripts/benchmark.py", *_said(words, name)])
        stamp = (
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`, {given.rounds} rounds. "
            f"{machine()}; load before it began: {crowd:.1f}."
        )
        try:
            with bench() as servers:
                section = MEASUREMENTS[name](servers, given, stamp)
        except Refused as refusal:
            print(refusal, file=sys.stderr)
            return 2
        write(given.page, section)
        missed |= any(not bar.met for bar in section.bars)
        print(section.text())
        print(f"\n({time.monotonic() - began:.0f} s)\n", flush=True)
    return int(missed)


def _said(words: list[str], name: str) -> list[str]:
    """The command of this one measurement, as it can be repeated."""
    hidden = {"--page", *MEASUREMENTS, "all"}
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word not in hidden and before != "--page"
    ]
    return [name, *kept]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
