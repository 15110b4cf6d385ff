"""What a rate limit costs a request, and whether it ever grants too much."""

from __future__ import annotations

import json
import subprocess  # nosec B404
from collections.abc import Iterator
from typing import Any

from dotmac.devtools.context import ROOT, program
from tools.bench.cpu import Series, percentile
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site

PROCESSES = 2
LIMIT = 2_000
P99_BAR_MS = 2.0
STRATEGIES = ("fixed", "sliding", "bucket", "busy")
HOUR_S = 3600
AWAY_BAR_MS = 50.0
WHOLE, AWAY = "a read, four rules", "a read, Redis gone"


def run(bench: Bench, *, requests: int, rounds: int, stamp: str) -> Section:
    """Latency of one caller, round by round, then all against one limit."""
    site = bench.make("limiter", customers=0, services=False)
    taken = [site.inside("latencies", count=requests) for _ in range(rounds)]
    rows, p99 = [], {}
    for name in taken[0]:
        p50 = Series([percentile(found[name], 0.5) for found in taken])
        p99[name] = Series([percentile(found[name], 0.99) for found in taken])
        rows.append([name, p50.text(3), p99[name].text(3), str(requests * rounds)])
    above, counts = _above_the_limit(site, attempts=LIMIT * 5)
    return Section(
        name="limiter",
        title="Rate limiter",
        stamp=stamp,
        settings=(
            f"One process asks Valkey over loopback, {requests:,} calls a round, one "
            "after the other; redis-py with hiredis. A strategy's call is the Lua call "
            "(for `busy` with giving the place back); the reads are the middleware "
            f"whole, around a view that does nothing: key digests, the Lua call with "
            f"four rules, giving back, headers. Grants: {PROCESSES} processes with 8 "
            f"threads each take {LIMIT * 5:,} times a process from one limit of "
            f"{LIMIT:,} an hour."
        ),
        columns=("call", "p50 ms", "p99 ms", "calls"),
        rows=rows,
        bars=[
            Bar(
                f"p99 of all that a read pays, at most {P99_BAR_MS:g} ms",
                f"{p99[WHOLE].text(2)} ms",
                met=p99[WHOLE].median <= P99_BAR_MS,
            ),
            Bar(
                f"p99 of a read while Redis is gone, at most {AWAY_BAR_MS:g} ms",
                f"{p99[AWAY].text(2)} ms",
                met=p99[AWAY].median <= AWAY_BAR_MS,
            ),
            Bar("grants above the limit, 0", f"{above} ({counts})", met=above == 0),
        ],
    )


def _above_the_limit(site: Site, *, attempts: int) -> tuple[int, str]:
    above, said = 0, []
    for strategy in STRATEGIES:
        answers = list(_racing(site, strategy, attempts))
        granted = sum(answer["granted"] for answer in answers)
        began = min(answer["began"] for answer in answers)
        ended = max(answer["ended"] for answer in answers)
        # A bucket fills while they take.
        flowed = 0
        if strategy == "bucket":
            flowed = int(LIMIT * (ended - began) / HOUR_S) + 1
        above += max(0, granted - LIMIT - flowed)
        said.append(f"{strategy} {granted:,}")
    return above, ", ".join(said)


def _racing(site: Site, strategy: str, attempts: int) -> Iterator[dict[str, Any]]:
    """Several processes at once against the same key."""
    facts = json.dumps({"strategy": strategy, "limit": LIMIT, "attempts": attempts})
    words = [program("python"), "-m", "tools.bench.inside", "grants", facts]
    takers = [
        subprocess.Popen(  # nosec B603
            words,
            env=site.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for taker in takers:
        said, _ = taker.communicate()
        if taker.returncode:
            raise SystemExit(f"Taking by {strategy} failed.")
        yield json.loads(said.splitlines()[-1])
