"""One kind of packet to one server: CPU, statements, rate, latency, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dotmac.devtools.processes import Child
from tools.bench.cpu import Meter, Series
from tools.bench.radius_targets import Target, Testbed
from tools.load import plan
from tools.load.engine import Pace, run
from tools.load.plan import ACCESS, ACCOUNTING, Maker, Request, Subscriber
from tools.load.report import Results

WINDOW, STORM_WINDOW = 32, 256
WARM = 64
INTERIMS = 3
# Kinds of phases besides the kinds of packets.
STORM = "Start, the storm"
AFTERWARDS = "Interim-Update right after it"
ANALYZED = "Interim-Update after ANALYZE"


@dataclass
class Cost:
    """One kind of packet on one server: a value for each round, and sums."""

    server_us: list[float] = field(default_factory=list)
    postgres_us: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    packets: int = 0
    statements: int = 0
    lookups: int = 0
    lost: int = 0
    unexpected: int = 0
    repeated: int = 0

    @property
    def cpu(self) -> Series:
        """Microseconds of the server and of PostgreSQL for a packet."""
        pairs = zip(self.server_us, self.postgres_us, strict=True)
        return Series([server + postgres for server, postgres in pairs])

    def note(self, results: Results) -> None:
        """Add what became of the packets."""
        self.packets += results.sent + results.repeated_sends
        self.lost += results.lost
        self.unexpected += results.unexpected
        self.repeated += results.repeated_sends


@dataclass
class Phases:
    """Sends batches, and keeps what each cost under (target, kind)."""

    bed: Testbed
    postgres_pid: int
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)

    def closed(
        self, target: Target, child: Child, kind: str, requests: Sequence[Request], *,
        window: int = WINDOW, counted: bool = True,
    ) -> float:  # fmt: skip
        """As fast as the server answers, so many outstanding; answers a second.

        The CPU and the statements belong to this server alone: nobody else uses
        the databases meanwhile.
        """
        assert child.pid is not None
        self.bed.site.execute("SELECT pg_stat_statements_reset()")
        meter = Meter({"server": child.pid, "postgres": self.postgres_pid})
        results = run(requests, server=target.server, pace=Pace(window=window))
        spent = meter.read()
        if counted:
            cost = self.costs.setdefault((target.name, kind), Cost())
            cost.note(results)
            cost.server_us.append(spent["server"] / len(requests) * 1e6)
            cost.postgres_us.append(spent["postgres"] / len(requests) * 1e6)
            cost.rate.append(results.rate)
            self._count_statements(target, cost)
        return results.rate

    def open(
        self, target: Target, kind: str, requests: Sequence[Request], rate: float
    ) -> None:
        """At a rate that is the same for all servers: latencies can be compared."""
        self.bed.site.execute("SELECT pg_stat_statements_reset()")
        results = run(requests, server=target.server, pace=Pace(rate=rate))
        cost = self.costs[target.name, kind]
        cost.note(results)
        tally = results.of(requests[0].kind)
        for values, share in ((cost.p50_ms, 0.5), (cost.p99_ms, 0.99)):
            took = tally.took_ms(share)
            values.append(float("inf") if took is None else took)
        lateness = results.facts()["generator_lateness_ms"]
        cost.late_ms.append(lateness["p99"])
        self._count_statements(target, cost)

    def warm(self, target: Target, maker: Maker, people: Sequence[Subscriber]) -> None:
        """Every thread has its session, and has planned what it will do."""
        for requests in (
            plan.logins(maker, people, WARM),
            *(plan.storm(maker, people, WARM, status) for status in ACCOUNTING),
        ):
            run(requests, server=target.server, pace=Pace(window=WINDOW))

    def _count_statements(self, target: Target, cost: Cost) -> None:
        """Those of the target's role; those that look a NAS up apart."""
        rows = self.bed.site.execute(_CALLS, target.role, target.database)
        cost.statements += int(rows[0][0])
        cost.lookups += int(rows[0][1])


_CALLS = """
SELECT coalesce(sum(s.calls) FILTER (WHERE s.query !~ 'radius_clients'), 0),
       coalesce(sum(s.calls) FILTER (WHERE s.query ~ 'radius_clients'), 0)
  FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
  JOIN pg_database d ON d.oid = s.dbid
 WHERE r.rolname = %s AND d.datname = %s AND s.toplevel
"""


def batch(maker: Maker, kind: str, people: Sequence[Subscriber]) -> list[Request]:
    """A packet of this kind for each subscriber."""
    if kind == ACCESS:
        return plan.logins(maker, people, len(people))
    return plan.storm(maker, people, len(people), kind)


def life(maker: Maker, kind: str, people: Sequence[Subscriber]) -> list[Request]:
    """The same, but INTERIMS of each session: the first of an hour inserts its row of
    usage, the others find it, and they are the most."""
    if kind != "Interim-Update":
        return batch(maker, kind, people)
    return plan.storm(maker, people, INTERIMS * len(people), kind)
