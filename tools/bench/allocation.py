"""Addresses over HTTP, sixteen clients at a time, from an empty and a full pool."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.bench import web
from tools.bench.cpu import Meter, Series, percentile
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site

CLIENTS = 16


@dataclass
class Row:
    """One pool's rounds."""

    name: str
    server_ms: list[float] = field(default_factory=list)
    postgres_ms: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    given: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    def add(self, answers: web.Answers, spent: dict[str, float]) -> None:
        """One round."""
        count = answers.count
        self.server_ms.append(spent["web"] / count * 1000)
        self.postgres_ms.append(spent["postgres"] / count * 1000)
        self.rate.append(count / answers.wall_s)
        self.p99_ms.append(percentile(answers.latencies[""], 0.99) * 1000)
        self.statuses += answers.statuses
        self.given += len({json.loads(body).get("address") for body in answers.bodies})

    def cells(self) -> list[str]:
        both = [a + b for a, b in zip(self.server_ms, self.postgres_ms, strict=True)]
        return [
            self.name,
            Series(both).text(),
            Series(self.server_ms).text(),
            Series(self.postgres_ms).text(),
            Series(self.rate).text(0),
            Series(self.p99_ms).text(0),
            str(sum(self.statuses.values())),
        ]


def run(bench: Bench, *, held: int, requests: int, rounds: int, stamp: str) -> Section:
    """Allocate from both pools in turn."""
    wanted = requests * (rounds + 1)
    site = bench.make("allocation", customers=held + wanted, services=True)
    staff = site.inside("staff")
    full = site.inside("pool", name="full", cidr="172.16.0.0/16", held=held)["id"]
    pools = [full]
    rows = {"empty": Row("empty"), "full": Row(f"{held:,} held")}
    found = site.execute("SELECT id FROM network_accessaccount ORDER BY id")
    free = iter([int(row[0]) for row in found[held:]])
    again = iter([int(row[0]) for row in found])
    with site.web() as server:
        assert server.pid is not None
        processes = {"web": server.pid, "postgres": bench.postgres_pid}
        authorization = web.sign_in(site.context.base_url, staff)
        port = site.context.web_port
        for number in range(rounds + 1):
            cidr = f"172.{17 + number}.0.0/16"
            empty = site.inside("pool", name=f"empty {number}", cidr=cidr, held=0)["id"]
            pools.append(empty)
            for name, pool, accounts in (("empty", empty, again), ("full", full, free)):
                asks = list(_asks(pool, accounts, requests))
                meter = Meter(processes)
                answers = web.load(
                    port, authorization, asks, clients=CLIENTS, keep_bodies=True
                )
                # The first round warms up.
                if number:
                    rows[name].add(answers, meter.read())
    return _section(rows, _duplicates(site, pools), stamp)


def _asks(pool: int, accounts: Iterator[int], count: int) -> Iterator[web.Ask]:
    for _ in range(count):
        body = json.dumps({"account": next(accounts)}).encode()
        yield web.Ask(f"/api/v1/pools/{pool}/allocate", "POST", body)


def _duplicates(site: Site, pools: list[int]) -> int:
    """Addresses with two holders, and requests that gave none."""
    rows = site.execute(
        "SELECT count(*) - count(DISTINCT address) FROM network_addressassignment"
        " WHERE released_at IS NULL AND pool_id = ANY(%s)",
        pools,
    )
    return int(rows[0][0])


def _section(rows: dict[str, Row], duplicates: int, stamp: str) -> Section:
    statuses: Counter[int] = sum((row.statuses for row in rows.values()), Counter())
    asked, given = sum(statuses.values()), sum(row.given for row in rows.values())
    broken = sum(count for status, count in statuses.items() if status >= 500)
    said = ", ".join(f"{count} of {status}" for status, count in statuses.items())
    return Section(
        name="allocation",
        title="Address allocation, 16 clients",
        stamp=stamp,
        settings=_SETTINGS,
        columns=("pool (/16)", "CPU ms an allocation", "of it web", "of it PostgreSQL",
                 "allocations/s", "p99 ms", "requests"),
        rows=[row.cells() for row in rows.values()],
        bars=[
            Bar("addresses with two holders, 0",
                f"{duplicates} ({given} different addresses in {asked} answers)",
                duplicates == 0 and given == asked),
            Bar("answers of 5xx, 0", f"{broken} ({said})", broken == 0),
        ],
    )  # fmt: skip


_SETTINGS = """`POST /api/v1/pools/{id}/allocate` with a bearer token, each request for another account, granian with start.py's options
(1 process, 8 threads). An empty pool is new in each round; the full one has its first addresses held by COPY beforehand."""
