"""The customers list against plain DRF, first page and a deep one."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess  # nosec B404
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from dotmac.devtools import plan, servers
from dotmac.devtools.context import ROOT, program
from dotmac.devtools.processes import Child
from tools.bench import web
from tools.bench.cpu import Meter, Series, percentile, ratio
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site, running, wait_for_http

CLIENTS = 4
PAGE = 50
FIRST_BAR, DEEP_BAR, TAIL_BAR = 8.0, 20.0, 1.2


@dataclass
class Target:
    """A server, its two pages and what they cost, round by round."""

    port: int
    pid: int
    authorization: str
    pages: dict[str, str]
    requests: int
    cpu_ms: dict[str, list[float]] = field(
        default_factory=lambda: {"first": [], "deep": []}
    )

    def measure(self, page: str, postgres: int) -> None:
        """One round on one page."""
        asks = [web.Ask(self.pages[page])] * self.requests
        meter = Meter({"server": self.pid, "postgres": postgres})
        web.load(self.port, self.authorization, asks, clients=CLIENTS).expect(200)
        spent = sum(meter.read().values())
        self.cpu_ms[page].append(spent / self.requests * 1000)

    def series(self, page: str) -> Series:
        return Series(self.cpu_ms[page])


def run(bench: Bench, *, rows: int, rounds: int, stamp: str) -> Section:
    """Fill both tables, then take turns."""
    site = bench.make("customers", customers=rows, services=False)
    staff = site.inside("staff")
    with site.web() as ours, plain(bench, site) as (theirs, port, token):
        assert ours.pid is not None
        assert theirs.pid is not None
        few = 30 if rows > 10_000 else 10
        deep = max(1, min(20_000, rows // PAGE))
        dotmac = Target(
            port=site.context.web_port,
            pid=ours.pid,
            authorization="",
            pages={
                "first": "/api/v1/customers",
                "deep": f"/api/v1/customers?cursor={_cursor_at(site, deep)}",
            },
            requests=few * 10,
        )
        reference = Target(
            port=port,
            pid=theirs.pid,
            authorization=f"Token {token}",
            pages={"first": "/customers", "deep": f"/customers?page={deep}"},
            requests=few,
        )
        dotmac.authorization = web.sign_in(site.context.base_url, staff)
        _same_rows(dotmac, reference)
        for target in (dotmac, reference):
            for page in ("first", "deep"):
                target.measure(page, bench.postgres_pid)
                target.cpu_ms[page].clear()
        for _ in range(rounds):
            for page in ("first", "deep"):
                reference.measure(page, bench.postgres_pid)
                dotmac.measure(page, bench.postgres_pid)
        tails = _tails(dotmac, rounds, few * 40)
    return _section(
        rows=rows, deep=deep, ours=dotmac, theirs=reference, tails=tails, stamp=stamp
    )


def _cursor_at(site: Site, page: int) -> str:
    """The cursor of the page that plain DRF calls `page`."""
    found = site.execute(
        "SELECT id FROM identity_customer ORDER BY id DESC OFFSET %s LIMIT 1",
        max(0, (page - 1) * PAGE - 1),
    )
    raw = json.dumps([False, found[0][0]]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _same_rows(ours: Target, theirs: Target) -> None:
    """A comparison needs the same rows, shown with the same fields."""
    for page in ("first", "deep"):
        shown = [
            json.loads(
                web.load(
                    target.port,
                    target.authorization,
                    [web.Ask(target.pages[page])],
                    clients=1,
                )
                .expect(200)
                .bodies[0]
            )["results"]
            for target in (ours, theirs)
        ]
        mine, other = ([row["reference"] for row in rows] for rows in shown)
        fields = [set(rows[0]) for rows in shown if rows]
        if mine != other or fields[0] != fields[-1]:
            raise SystemExit(f"The {page} pages differ: {mine[:3]} and {other[:3]}.")


def _tails(target: Target, rounds: int, requests: int) -> dict[str, Series]:
    """p99 of both pages, asked for in turn, so that a crowded moment hits both."""
    found: dict[str, list[float]] = {"first": [], "deep": []}
    for _ in range(rounds):
        asks = [web.Ask(target.pages[p], tag=p) for p in ("first", "deep")]
        answers = web.load(
            target.port, target.authorization, asks * requests, clients=CLIENTS
        ).expect(200)
        for page, latencies in answers.latencies.items():
            found[page].append(percentile(latencies, 0.99) * 1000)
    return {page: Series(values) for page, values in found.items()}


@contextmanager
def plain(bench: Bench, site: Site) -> Iterator[tuple[Child, int, str]]:
    """The reference on granian with the same options, in a database of its own."""
    url = _plain_database(bench)
    port = servers.free_port()
    environment = {
        **servers.CLEAN,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tools.bench.plain.settings",
        "PLAIN_SECRET_KEY": secrets.token_urlsafe(50),
    }
    token = subprocess.run(  # nosec B603
        [program("python"), "-m", "tools.bench.plain.load"],
        env={**environment, "SOURCE_URL": site.superuser_url},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    entry = next(entry for entry in plan.TABLE if entry.name == "web")
    words = entry.words(site.context)
    words[words.index("--port") + 1] = str(port)
    words[-1] = "tools.bench.plain.wsgi:application"
    with running("plain", words, environment, site.folder) as child:
        wait_for_http(f"http://127.0.0.1:{port}/customers", child)
        yield child, port, token


def _plain_database(bench: Bench) -> str:
    password = secrets.token_urlsafe(24)
    with psycopg.connect(bench.postgres.url("postgres"), autocommit=True) as admin:
        statement = sql.SQL("CREATE ROLE plain LOGIN PASSWORD {}")
        admin.execute(statement.format(sql.Literal(password)))
        admin.execute("CREATE DATABASE plain OWNER plain")
    url = bench.postgres.url("plain", role="plain", password=password)
    assert urlsplit(url).path == "/plain"
    return url


def _section(
    *,
    rows: int,
    deep: int,
    ours: Target,
    theirs: Target,
    tails: dict[str, Series],
    stamp: str,
) -> Section:
    gains = {p: ratio(theirs.series(p), ours.series(p)) for p in ("first", "deep")}
    tail = ratio(tails["deep"], tails["first"])
    names = {"first": "first page", "deep": f"page {deep:,}"}
    table = [
        [
            names[page],
            theirs.series(page).text(1),
            ours.series(page).text(2),
            f"{gains[page].text(1)} times",
            tails[page].text(1),
        ]
        for page in ("first", "deep")
    ]
    bars = [
        Bar(f"CPU of the {names[page]}, at least {bar:.0f} times less",
            f"{gains[page].median:.1f} times", gains[page].median >= bar)
        for page, bar in (("first", FIRST_BAR), ("deep", DEEP_BAR))
    ]  # fmt: skip
    bars.append(
        Bar(f"p99 of the deep page by p99 of the first, at most {TAIL_BAR}",
            f"{tail.text()}", tail.median <= TAIL_BAR)
    )  # fmt: skip
    return Section(
        name="customers",
        title=f"Customers list, {rows:,} rows",
        stamp=stamp,
        settings=_SETTINGS.format(few=theirs.requests, many=ours.requests),
        columns=("page of 50", "plain DRF, CPU ms", "DotMac, CPU ms", "less CPU",
                 "DotMac, p99 ms"),
        rows=table,
        bars=bars,
    )  # fmt: skip


_SETTINGS = """GET with {few} (reference) and {many} (DotMac) requests a round, 4 clients, keep-alive. DotMac: bearer token, session
row read on every request, permission and scope checked, all middleware, a log line a request. Reference: ModelSerializer,
PageNumberPagination with COUNT, TokenAuthentication, IsAuthenticated, one middleware, no log; `CONN_MAX_AGE=None`, primary
key order, the same rows and fields in a table of its own, `VACUUM (ANALYZE)`. Both on granian with the options of start.py
(1 process, 8 threads) and the same PostgreSQL. p99 is taken apart from the CPU, with both pages asked for in turn."""
