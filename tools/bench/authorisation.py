"""What deciding costs with many customers, grants and rules; what a scope costs."""

from __future__ import annotations

from typing import Any

from tools.bench import web
from tools.bench.cpu import Meter, Series, ratio
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site

TIME_BAR_MS, QUERIES_BAR, LIST_BAR = 2.0, 2, 1.5
PEOPLE = {
    "owner": "the owner: every permission, everywhere",
    "branch": "head of a reseller with ten branches (5 % of the customers)",
    "granted": "support of one branch with grants on 100 customers",
    "heavy": "one person who holds all 10,000 grants",
}
CLIENTS = 2
DECISIONS = 1_000
LIST = "/api/v1/customers"


def run(bench: Bench, *, rows: int, rounds: int, stamp: str) -> Section:
    """Decisions inside a process, then lists through the web server in turn."""
    site = bench.make("authorisation", customers=rows, services=False)
    people = site.inside("authorisation_people", customers=rows)
    site.execute("VACUUM (ANALYZE)")
    measured = [_decisions(bench, site) for _ in range(rounds)]
    costs: dict[str, list[float]] = {name: [] for name in PEOPLE}
    with site.web() as server:
        assert server.pid is not None
        signed = {name: web.sign_in(site.context.base_url, people[name])
                  for name in costs}  # fmt: skip
        for number in range(rounds + 1):
            for name, spent in costs.items():
                meter = Meter({"web": server.pid, "postgres": bench.postgres_pid})
                asks = [web.Ask(LIST)] * 200
                web.load(
                    site.context.web_port, signed[name], asks, clients=CLIENTS
                ).expect(200)
                if number:  # the first round warms up
                    spent.append(sum(meter.read().values()) / len(asks) * 1000)
    return _section(rows, measured, costs, stamp)


def _decisions(bench: Bench, site: Site) -> dict[str, dict[str, Any]]:
    """Each person in a process of its own, with what PostgreSQL used meanwhile."""
    found = {}
    for name in PEOPLE:
        meter = Meter({"postgres": bench.postgres_pid})
        found[name] = site.inside("authorise", names=[name], times=DECISIONS)[name]
        found[name]["postgres_ms"] = meter.read()["postgres"] / DECISIONS * 1000
    return found


def _section(
    rows: int,
    measured: list[dict[str, dict[str, Any]]],
    costs: dict[str, list[float]],
    stamp: str,
) -> Section:
    slowest = max(_series(measured, name, "p99_ms").median for name in PEOPLE)
    queries = max(measured[0][name]["queries"] for name in PEOPLE)
    owner = Series(costs["owner"])
    dearest = max(ratio(Series(costs[name]), owner).median for name in PEOPLE)
    return Section(
        name="authorisation",
        title=f"Authorisation, {rows:,} customers, 10,000 grants, 20 rules",
        stamp=stamp,
        settings=_SETTINGS,
        columns=("person", "a decision, median ms", "p99 ms", "its own CPU, mean ms",
                 "PostgreSQL, CPU, mean ms", "queries",
                 "list of 50, CPU ms"),
        rows=_table(measured, costs),
        bars=[
            Bar(f"p99 of a decision from call to answer, of each person, at most {TIME_BAR_MS} ms",
                f"{slowest:.2f} ms", slowest <= TIME_BAR_MS),
            Bar(f"queries of a request before its view, at most {QUERIES_BAR}",
                f"{queries} (session, person, rights and rules)",
                queries <= QUERIES_BAR),
            Bar(f"a scoped list by the unrestricted one, at most {LIST_BAR} times",
                f"{dearest:.2f} times", dearest <= LIST_BAR),
        ],
    )  # fmt: skip


def _table(
    measured: list[dict[str, dict[str, Any]]], costs: dict[str, list[float]]
) -> list[list[str]]:
    """A line for each person."""
    return [
        [
            says,
            _series(measured, name, "median_ms").text(2),
            _series(measured, name, "p99_ms").text(2),
            _series(measured, name, "cpu_ms").text(2),
            _series(measured, name, "postgres_ms").text(2),
            str(measured[0][name]["queries"]),
            Series(costs[name]).text(2),
        ]
        for name, says in PEOPLE.items()
    ]


def _series(measured: list[dict[str, dict[str, Any]]], name: str, what: str) -> Series:
    return Series([one[name][what] for one in measured])


_SETTINGS = """A decision is all that a request asks before its view: the token's signature, the session's row with its user, rights and rules from
their rows (nothing is cached), the actor, one permission with every rule asked; 1,000 a round in one process, each timed by the wall
from call to answer, PostgreSQL's part in it. 10,000 grants are spread over a hundred members of staff, and 10,000 more belong to one.
Twenty rules are on, ten about the permission asked; five of these are evaluated to their last clause. Lists: `GET /api/v1/customers` by granian with start.py's options, 200 requests
a round, bearer token; CPU of web and PostgreSQL, the people taking turns."""
