"""Access-Requests and accounting: CPU and statements a packet, on both servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dotmac.devtools.processes import Child
from tools.bench import packets
from tools.bench.cpu import Meter, Series
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site

SERVERS = ("FreeRADIUS", "embedded")
KINDS = ("Access-Request", "Start", "Interim-Update", "Stop")
PASSWORD = "generated-password"  # noqa: S105 - what generate_isp writes  # nosec B105
START_S = 20


@dataclass
class Cost:
    """One kind of packet on one server."""

    server_us: list[float] = field(default_factory=list)
    postgres_us: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    packets: int = 0
    statements: int = 0
    lookups: int = 0
    lost: int = 0
    repeated: int = 0


@dataclass
class Run:
    """What all phases share."""

    bench: Bench
    site: Site
    secret: bytes
    logins: list[str]
    many: int
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)

    def phase(self, child: Child, kind: str, number: int, *, counted: bool) -> None:
        """Send one kind for the round's subscribers and add up what it cost."""
        assert child.pid is not None
        batch = self._packets(kind, child.name, number)
        access = kind == "Access-Request"
        context = self.site.context
        port = context.auth_port if access else context.acct_port
        self.site.execute("SELECT pg_stat_statements_reset()")
        meter = Meter({"server": child.pid, "postgres": self.bench.postgres_pid})
        replies = packets.send(port, batch)
        spent = meter.read()
        wanted = packets.ACCESS_ACCEPT if access else packets.ACCOUNTING_RESPONSE
        if set(replies.codes) - {wanted, 0}:
            raise SystemExit(f"{child.name} answered {kind} with {replies.codes}.")
        if not counted:
            return
        cost = self.costs.setdefault((child.name, kind), Cost())
        cost.server_us.append(spent["server"] / len(batch) * 1e6)
        cost.postgres_us.append(spent["postgres"] / len(batch) * 1e6)
        cost.rate.append(len(batch) / replies.wall_s)
        cost.packets += len(batch) + replies.repeated
        cost.lost += replies.codes[0]
        cost.repeated += replies.repeated
        calls, lookups = self._calls()
        cost.statements += calls
        cost.lookups += lookups

    def _packets(self, kind: str, server: str, number: int) -> list[bytes]:
        first = number * self.many % len(self.logins)
        logins = (self.logins[first:] + self.logins[:first])[: self.many]
        if kind == "Access-Request":
            return [
                packets.access_request(index, login, PASSWORD, self.secret)
                for index, login in enumerate(logins)
            ]
        octets = {"Start": 0, "Interim-Update": 500_000, "Stop": 900_000}[kind]
        return [
            packets.accounting_request(
                index, login, self.secret, status=kind, octets=octets,
                session=f"{server[:1]}{number}-{login}",
            )
            for index, login in enumerate(logins)
        ]  # fmt: skip

    def _calls(self) -> tuple[int, int]:
        """Statements of role radius, and those that look a NAS up, apart."""
        rows = self.site.execute(_CALLS, self.site.name)
        return int(rows[0][0]), int(rows[0][1])


_CALLS = """
SELECT coalesce(sum(s.calls) FILTER (WHERE s.query !~ 'radius_clients'), 0),
       coalesce(sum(s.calls) FILTER (WHERE s.query ~ 'radius_clients'), 0)
  FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
  JOIN pg_database d ON d.oid = s.dbid
 WHERE r.rolname = 'radius' AND d.datname = %s AND s.toplevel
"""


def run(
    bench: Bench, *, subscribers: int, requests: int, rounds: int, stamp: str
) -> Section:
    """Both servers on one database, in turn, each kind of packet in a phase."""
    site = bench.make("radius", customers=subscribers, services=True)
    secret = site.inside("nas", address="127.0.0.1")["secret"].encode()
    found = site.execute("SELECT login FROM network_accessaccount ORDER BY id")
    work = Run(bench, site, secret, [str(row[0]) for row in found], requests)
    # Round 0 warms up; each round takes the next subscribers.
    for number in range(rounds + 1):
        for name in SERVERS:
            with site.radius(name) as child:
                _wait(work, child)
                for kind in KINDS:
                    work.phase(child, kind, number, counted=number > 0)
    return _section(subscribers, work, stamp)


def _wait(work: Run, child: Child) -> None:
    """Until the server answers, and knows the NAS."""
    deadline = time.monotonic() + START_S
    login = work.logins[-1]
    port = work.site.context.auth_port
    probe: Callable[[], bytes] = lambda: packets.access_request(  # noqa: E731
        0, login, PASSWORD, work.secret
    )
    while packets.send(port, [probe()]).codes[packets.ACCESS_ACCEPT] != 1:
        if not child.is_alive or time.monotonic() > deadline:
            raise SystemExit(f"{child.name} does not answer: {child.tail(20)}")
    # Every thread opens its connection before the count.
    packets.send(port, [probe() for _ in range(packets.LANES * 4)])


def _section(subscribers: int, work: Run, stamp: str) -> Section:
    rows = []
    for (server, kind), cost in work.costs.items():
        pairs = zip(cost.server_us, cost.postgres_us, strict=True)
        rows.append(
            [
                server,
                kind,
                Series([a + b for a, b in pairs]).text(0),
                Series(cost.server_us).text(0),
                Series(cost.postgres_us).text(0),
                f"{cost.statements / cost.packets:.3f}",
                Series(cost.rate).text(0),
            ]
        )
    costs = work.costs.values()
    sent, calls = (sum(c.packets for c in costs), sum(c.statements for c in costs))
    lost, repeated = (sum(c.lost for c in costs), sum(c.repeated for c in costs))
    lookups = sum(c.lookups for c in costs)
    return Section(
        name="radius",
        title=f"RADIUS, {subscribers:,} subscribers",
        stamp=stamp,
        settings=_SETTINGS.format(many=work.many),
        columns=("server", "packet", "CPU µs", "of it the server",
                 "of it PostgreSQL", "statements", "packets/s"),
        rows=rows,
        bars=[
            Bar("statements a packet, exactly 1",
                f"{calls} statements for {sent} packets", calls == sent),
        ],
        notes=f"Packets without an answer: {lost}; sent again after "
        f"{packets.WAIT_S:.0f} s: {repeated}. Look-ups of the NAS, once a minute "
        f"and not counted above: {lookups}.",
    )  # fmt: skip


_SETTINGS = """{many} packets of a kind a round, each of another subscriber, 16 outstanding, made beforehand; PAP with
Message-Authenticator, accepted with speed and address. FreeRADIUS with the configuration of `write_freeradius_config` (8
threads), the embedded server with its defaults; both on the same database, in turn. Statements are top-level calls of role
`radius` in `pg_stat_statements`. Accounting commits: one flush of the log a packet."""
