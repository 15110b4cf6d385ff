"""What the measurement of RADIUS says: a table, and whether each promise holds."""

from __future__ import annotations

from collections.abc import Iterator

from dotmac.settings.network import RADIUS_THREADS
from tools.bench.cpu import Series, ratio
from tools.bench.page import Bar, Section
from tools.bench.radius_phases import (
    AFTERWARDS,
    ANALYZED,
    INTERIMS,
    STORM,
    STORM_WINDOW,
    WINDOW,
    Cost,
    Phases,
)
from tools.bench.radius_targets import DOTMAC, EMBEDDED, FULL, LEAN
from tools.load.plan import ACCESS, ACCOUNTING

OURS = (DOTMAC, EMBEDDED)
# Issue 4: of CPU at most, of the rate at least, by the reference.
CPU_OF = {LEAN: 0.65, FULL: 0.30}
RATE_OF = {LEAN: 1.5, FULL: 3.0}
ACCOUNTING_OF = {"Start": 1.2, "Interim-Update": 1.1, "Stop": 1.0}
AFTER_STORM = 0.8


def section(
    phases: Phases, *, subscribers: int, stamp: str, storm: int, many: int, rate: float
) -> Section:
    """The section of docs/benchmarks.md."""
    costs = phases.costs
    late = [value for cost in costs.values() for value in cost.late_ms]
    ours = [cost for (name, _), cost in costs.items() if name in OURS]
    return Section(
        name="radius",
        title=f"RADIUS, {subscribers:,} subscribers",
        stamp=stamp,
        settings=_SETTINGS.format(
            many=many, storm=storm, rate=rate, window=WINDOW, interims=INTERIMS, storm_window=STORM_WINDOW,
            threads=RADIUS_THREADS,
        ),
        columns=("packet", "server", "CPU µs", "of it the server", "of it PostgreSQL",
                 "statements", "packets/s", "p50 ms", "p99 ms", "lost", "unexpected"),
        rows=[
            _row(name, kind, costs[name, kind])
            for kind in (ACCESS, *ACCOUNTING, STORM, AFTERWARDS, ANALYZED)
            for name in (DOTMAC, LEAN, FULL, EMBEDDED)
            if (name, kind) in costs
        ],
        bars=[*_bars(costs), *_storm_bars(costs, storm)],
        notes=f"Latencies are of the open loop, at {rate:.0f} a second; the generator "
        f"itself was late by {Series(late).text(1)} ms at its 99th percentile. Packets "
        f"sent again by it: {sum(c.repeated for c in costs.values())}. Look-ups of the NAS, "
        f"once a minute and not counted above: {sum(c.lookups for c in ours)}.",
    )  # fmt: skip


def _row(name: str, kind: str, cost: Cost) -> list[str]:
    return [
        kind,
        name,
        cost.cpu.text(0),
        Series(cost.server_us).text(0),
        Series(cost.postgres_us).text(0),
        f"{cost.statements / cost.packets:.3f}",
        Series(cost.rate).text(0),
        Series(cost.p50_ms).text(1) if cost.p50_ms else "",
        Series(cost.p99_ms).text(1) if cost.p99_ms else "",
        str(cost.lost),
        str(cost.unexpected),
    ]


Costs = dict[tuple[str, str], Cost]


def _bars(costs: Costs) -> Iterator[Bar]:
    login = costs[DOTMAC, ACCESS]
    for name, most in CPU_OF.items():
        yield _at_most(
            f"CPU of an Access-Request, at most {most:.2f} of {name}",
            ratio(login.cpu, costs[name, ACCESS].cpu), most,
        )  # fmt: skip
    for name, least in RATE_OF.items():
        yield _at_least(
            f"Access-Requests a second, at least {least} times {name}",
            ratio(Series(login.rate), Series(costs[name, ACCESS].rate)), least,
        )  # fmt: skip
    yield _at_most(
        f"p99 of an Access-Request, no more than {LEAN}",
        ratio(Series(login.p99_ms), Series(costs[LEAN, ACCESS].p99_ms)), 1.0,
    )  # fmt: skip
    for kind in ACCOUNTING:
        most = ACCOUNTING_OF[kind]
        yield _at_most(
            f"CPU of {kind}, at most {most} of stock",
            ratio(costs[DOTMAC, kind].cpu, costs[LEAN, kind].cpu), most,
        )  # fmt: skip


def _storm_bars(costs: Costs, storm: int) -> Iterator[Bar]:
    ours = {key: cost for key, cost in costs.items() if key[0] in OURS}
    rates = [Series(costs[DOTMAC, kind].rate) for kind in (AFTERWARDS, ANALYZED)]
    yield _at_least(
        "interims right after the storm, at least 0.8 of the rate after ANALYZE",
        ratio(*rates), AFTER_STORM,
    )  # fmt: skip
    lost = sum(cost.lost for cost in ours.values())
    unexpected = sum(cost.unexpected for cost in ours.values())
    sent = sum(cost.packets for cost in ours.values())
    calls = sum(cost.statements for cost in ours.values())
    yield Bar(
        f"packets without an answer, 0 (storms of {storm:,} Starts among them)",
        f"{lost} of {sent}", lost == 0,
    )  # fmt: skip
    yield Bar("unexpected answers, 0", str(unexpected), unexpected == 0)
    yield Bar(
        "statements a packet, exactly 1",
        f"{calls} statements for {sent} packets", calls == sent,
    )  # fmt: skip


def _at_most(says: str, series: Series, bound: float) -> Bar:
    return Bar(says, series.text(), series.median <= bound)


def _at_least(says: str, series: Series, bound: float) -> Bar:
    return Bar(says, series.text(), series.median >= bound)


_SETTINGS = """{many} subscribers a round: a packet of each kind, {interims} interims, made beforehand by `tools/load`, {window} outstanding; then half
as many Access-Requests in an open loop of {rate:.0f} a second (half of what the slowest server answered in the round that warms
up), the same for all. PAP with Message-Authenticator, every answer's signature checked. DotMac: FreeRADIUS with the
configuration of `write_freeradius_config` ({threads} threads) and the embedded server with its defaults; sealed passwords, an address
each, a tenth throttled by a hold, sessions limited to one, decisions spooled. Stock: Debian's schema and queries.conf on the same PostgreSQL in
a database of its own, {threads} threads with a connection each, nothing else of the default site; the same users give the same
attributes (checked). *Lean* asks the five queries of authorize; *full* also counts open sessions (with an index that
Debian's schema lacks) and writes radpostauth. Beforehand, once a round: the session tables emptied and analyzed, a storm of {storm} Starts
({storm_window} outstanding), interims right after it, ANALYZE, interims of others; these sessions stay open. autovacuum is off while measured,
VACUUM (ANALYZE) before each round. Statements are top-level calls of the server's role in `pg_stat_statements`. Accounting
commits: one flush of the log a packet."""
