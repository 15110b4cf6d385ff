"""A minute without PostgreSQL, FreeRADIUS killed in it: what is there afterwards."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from apps.network.radius import buffer
from dotmac.devtools.context import manage
from dotmac.devtools.processes import Child
from dotmac.devtools.servers import HOST
from tools.bench.cpu import Meter
from tools.bench.page import Bar, Section
from tools.bench.radius_targets import make_subscribers
from tools.bench.site import Bench, Site, running
from tools.load import plan
from tools.load.engine import Pace, Server
from tools.load.engine import run as send
from tools.load.packets import access_request
from tools.load.plan import Maker, Subscriber
from tools.load.report import Results

PREFIX, LOGIN = "outage", "nobody"
REPLAY_BAR = 1_500
WAIT_S, TRIES, START_S, HOME_S = 3.0, 8, 30, 600
_COUNT = "SELECT count(*) FROM network_sessionlive"
_HERE = (
    "SELECT count(*), count(DISTINCT acct_session_id), count(DISTINCT nas_id),"
    " extract(epoch FROM min(heard_at))::float, extract(epoch FROM max(heard_at))::float,"
    " max(abs(extract(epoch FROM started_at - heard_at)))::float,"
    " count(account_id) FROM network_sessionlive WHERE acct_session_id ^@ 'outage.'"
)


@dataclass(kw_only=True)
class Away:
    """What happened while PostgreSQL was away."""

    began: float
    results: Results
    answers: list[int]
    octets: int


def run(bench: Bench, *, seconds: int, rate: int, stamp: str) -> Section:
    """PostgreSQL stops, Starts come at that rate for so long; then the replay alone."""
    site = bench.make(PREFIX, customers=0, services=False)
    people = make_subscribers(site, seconds * rate)
    site.execute("ANALYZE")
    secret = site.inside("nas", address=HOST)["secret"].encode()
    environment = site.buffered()
    words = manage("run_freeradius", "--reject-delay", "0")
    with running("FreeRADIUS", words, environment, site.folder) as child:
        _wait(site, child, secret)
        bench.postgres.stop()
        away = _away(site, child, secret, people, seconds=seconds, rate=rate)
        bench.postgres.start()
        words = manage("run_accounting_replay")
        with running("replay", words, environment, site.folder) as replay:
            took, cpu_us = _home(bench, site, replay, seconds * rate)
    return _section(
        site, away, count=seconds * rate, rate=rate, took=took, cpu_us=cpu_us,
        stamp=stamp,
    )  # fmt: skip


def _wait(site: Site, child: Child, secret: bytes) -> None:
    deadline = time.monotonic() + START_S
    while not _asked(site, secret):
        if not child.is_alive or time.monotonic() > deadline:
            raise SystemExit(f"FreeRADIUS does not answer: {child.tail(20)}")


def _asked(site: Site, secret: bytes) -> int:
    """The code of the answer to a login; 0 is silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((HOST, 0))
        door.settimeout(1.0)
        door.sendto(
            access_request(7, LOGIN, LOGIN, secret, mac=""),
            (HOST, site.context.auth_port),
        )
        try:
            return door.recv(4096)[0]
        except TimeoutError:
            return 0


def _away(
    site: Site, child: Child, secret: bytes, people: list[Subscriber], *, seconds: int,
    rate: int,
) -> Away:  # fmt: skip
    count, began = seconds * rate, time.time()
    make = Maker(secret=secret, prefix=PREFIX, rate=rate, began=began)
    server = Server(
        auth=(HOST, site.context.auth_port),
        acct=(HOST, site.context.acct_port),
        secret=secret,
    )
    pace = Pace(rate=rate, wait_s=WAIT_S, tries=TRIES)
    with _trouble(site, child, secret, seconds) as answers:
        results = send(
            plan.storm(make, people, count, "Start"), server=server, pace=pace
        )
    octets = buffer.queue(site.waiting).octets
    return Away(began=began, results=results, answers=answers, octets=octets)


@contextmanager
def _trouble(
    site: Site, child: Child, secret: bytes, seconds: int
) -> Iterator[list[int]]:
    """Logins all the time, and a kill -9 in the middle."""
    answers: list[int] = []

    def middle() -> None:
        until = time.monotonic() + seconds / 2
        while time.monotonic() < until:
            answers.append(_asked(site, secret))
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
        child.stop()
        child.start()
        until = time.monotonic() + seconds / 2
        while time.monotonic() < until:
            answers.append(_asked(site, secret))

    thread = threading.Thread(target=middle)
    thread.start()
    yield answers
    thread.join()


def _home(
    bench: Bench, site: Site, replay: Child, count: int
) -> tuple[float, float]:  # fmt: skip
    """Seconds from the first row to the last, and CPU for each in microseconds."""
    deadline, first, seen = time.monotonic() + HOME_S, 0.0, 0
    assert replay.pid is not None
    meter = Meter({"PostgreSQL": bench.postgres_pid, "replay": replay.pid})
    while True:
        here = site.execute(_COUNT)[0][0]
        now = time.monotonic()
        if here and not first:
            first, seen = now, here
        if here == count or now > deadline:
            cpu_us = sum(meter.read().values()) / max(1, count) * 1e6
            # What was there at the first look came before the clock ran.
            return (now - first) * count / max(1, count - seen), cpu_us
        time.sleep(0.2)


def _section(
    site: Site, away: Away, *, count: int, rate: int, took: float, cpu_us: float,
    stamp: str,
) -> Section:  # fmt: skip
    rows, sessions, nases, first, last, apart, known = site.execute(_HERE)[0]
    ended = away.began + away.results.seconds
    timely = bool(
        rows
        and first >= away.began - 1
        and last <= ended + 1
        and apart <= WAIT_S * TRIES
    )
    replayed = rows / took if took else float(rows)
    once = rows == sessions == known == count and nases == 1 and timely
    rejects = sum(1 for code in away.answers if code)
    return Section(
        name="outage",
        title="Accounting without PostgreSQL",
        stamp=stamp,
        settings=(
            f"PostgreSQL stopped, {count:,} Starts of as many subscribers at {rate}/s, FreeRADIUS killed with -9 in "
            "the middle and started again; the NAS repeats a packet every "
            f"{WAIT_S:g} s. Then PostgreSQL starts, and run_accounting_replay."
        ),
        columns=("", "figure"),
        rows=[
            ("packets sent, answered", f"{count:,}, {away.results.answered:,}"),
            ("repeated by the NAS", f"{away.results.repeated_sends:,}"),
            ("octets that waited", f"{away.octets:,}"),
            ("rows, sessions, NASes", f"{rows:,}, {sessions:,}, {nases}"),
            ("replayed a second", f"{replayed:,.0f}"),
            ("CPU of replay and PostgreSQL a record", f"{cpu_us:,.0f} us"),
            ("logins asked meanwhile, answered", f"{len(away.answers)}, {rejects}"),
        ],
        bars=[
            Bar(
                "every row there once, of the right NAS, with the times of then",
                f"{rows:,} of {count:,}",
                met=once,
            ),
            Bar("packets lost, 0", str(away.results.lost), met=not away.results.lost),
            Bar("logins answered without PostgreSQL, 0", str(rejects), met=not rejects),
            Bar(
                f"replay, {REPLAY_BAR:,} a second at least",
                f"{replayed:,.0f}",
                met=replayed >= REPLAY_BAR,
            ),
        ],
    )
