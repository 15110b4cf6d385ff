"""Buffered accounting against stock FreeRADIUS: a packet's cost until its row is there.

FreeRADIUS answers when a line is in a file, and `run_accounting_replay` brings the lines
into PostgreSQL meanwhile: its CPU and PostgreSQL's count until nothing waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from apps.network.radius import buffer
from dotmac.devtools.context import manage
from dotmac.settings.network import RADIUS_THREADS
from tools.bench.cpu import Meter, Series, ratio
from tools.bench.page import Bar, Section
from tools.bench.radius_phases import INTERIMS, WINDOW, batch, life
from tools.bench.radius_targets import DOTMAC, LEAN, Target, Testbed, build
from tools.bench.site import Bench, running
from tools.load.engine import Pace
from tools.load.engine import run as send
from tools.load.plan import ACCOUNTING, Maker, Request, Subscriber

BARS = {"Start": 1.2, "Interim-Update": 1.1, "Stop": 1.0}
BUFFERED = "DotMac, buffered"
PARTS = ("FreeRADIUS", "replay", "PostgreSQL")
DRAIN_S = 120
_ENDED = (
    "SELECT count(*) FROM network_sessionlive WHERE stopped_at IS NOT NULL"
    " AND start_received AND account_id IS NOT NULL"
)


@dataclass
class Cost:
    """One kind of packet on one server: microseconds of CPU by part, a value a round."""

    parts: dict[str, list[float]] = field(
        default_factory=lambda: {part: [] for part in PARTS}
    )
    rate: list[float] = field(default_factory=list)

    @property
    def cpu(self) -> Series:
        return Series(
            [sum(values) for values in zip(*self.parts.values(), strict=True)]
        )


@dataclass
class Work:
    """What all rounds share."""

    bench: Bench
    bed: Testbed
    people: list[Subscriber]
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    begun: int = 0
    lost: int = 0

    @property
    def folder(self) -> Path:
        return self.bed.site.waiting


def run(
    bench: Bench, *, subscribers: int, requests: int, rounds: int, stamp: str
) -> Section:
    """Rounds of Starts, interims and Stops; the first one warms up.

    As many others stay on line all the time: a table in which PostgreSQL counted no open
    session is one that stock's interims read as a whole.
    """
    bed = build(bench, subscribers=subscribers)
    many = min(requests, len(bed.subscribers) // 2)
    work = Work(bench, bed, bed.subscribers[:many])
    for name in (LEAN, BUFFERED):
        with _servers(work, name):
            others = bed.subscribers[many : 2 * many]
            _send(work, name, batch(_maker(work, name, "o"), "Start", others))
        _clear(work)
    for number in range(rounds + 1):
        for name in (BUFFERED, LEAN) if number % 2 else (LEAN, BUFFERED):
            _round(work, name, number)
    return _section(work, subscribers=subscribers, stamp=stamp)


def _round(work: Work, name: str, number: int) -> None:
    maker = _maker(work, name, str(number))
    for site in (work.bed.site, work.bed.stock):
        site.execute("VACUUM (ANALYZE)")
    with _servers(work, name) as pids:
        for kind in ACCOUNTING:
            packets = life(maker, kind, work.people)
            work.bed.site.execute("CHECKPOINT")
            meter = Meter(pids)
            rate = _send(work, name, packets)
            spent = meter.read()
            if number > 0:
                cost = work.costs.setdefault((name, kind), Cost())
                cost.rate.append(rate)
                for part in PARTS:
                    us = spent.get(part, 0.0) / len(packets) * 1e6
                    cost.parts[part].append(us)
    _clear(work)
    if name == BUFFERED:
        work.begun += len(work.people)


def _target(work: Work, name: str) -> Target:
    return work.bed.targets[DOTMAC if name == BUFFERED else LEAN]


def _maker(work: Work, name: str, prefix: str) -> Maker:
    secret = _target(work, name).server.secret
    return Maker(secret=secret, prefix=f"{name[0]}{prefix}")


def _send(work: Work, name: str, packets: Sequence[Request]) -> float:
    """Answers a second; returns when all rows are there."""
    server = _target(work, name).server
    results = send(packets, server=server, pace=Pace(window=WINDOW))
    work.lost += results.lost
    if name == BUFFERED:
        _drain(work)
    return results.rate


def _clear(work: Work) -> None:
    """A replay that begins reads again what lies there, to be sure; here it need not."""
    for path in buffer.files(work.folder):
        path.unlink()


@contextmanager
def _servers(work: Work, name: str) -> Iterator[dict[str, int]]:
    """The processes whose CPU counts, by part."""
    site, postgres = work.bed.site, work.bench.postgres_pid
    target = _target(work, name)
    with ExitStack() as stack:
        pids = {"PostgreSQL": postgres}
        if name == BUFFERED:
            environment = site.buffered()
            for part, command in (
                ("FreeRADIUS", "run_freeradius"),
                ("replay", "run_accounting_replay"),
            ):
                words = manage(command)
                child = stack.enter_context(
                    running(part, words, environment, site.folder)
                )
                assert child.pid is not None
                pids[part] = child.pid
                if part == "FreeRADIUS":
                    target.wait(child, work.people[0])
            _await_word(work)
        else:
            child = stack.enter_context(target.running())
            target.wait(child, work.people[0])
            assert child.pid is not None
            pids["FreeRADIUS"] = child.pid
        yield pids


def _await_word(work: Work) -> None:
    """The replay has begun: what it reads in doing so does not count."""
    began, word = time.time(), work.folder / buffer.PROGRESS
    _until(lambda: word.exists() and word.stat().st_mtime > began, "begin")


def _drain(work: Work) -> None:
    """Until nothing waits in the folder, as the replay has noted."""
    _until(lambda: not buffer.queue(work.folder).octets, "get to the end")


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DRAIN_S
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"The replay does not {what}.")
        time.sleep(0.1)


def _section(work: Work, *, subscribers: int, stamp: str) -> Section:
    ended = work.bed.site.execute(_ENDED)[0][0]
    return Section(
        name="buffered",
        title=f"Buffered accounting, {subscribers:,} subscribers",
        stamp=stamp,
        settings=_SETTINGS.format(
            many=len(work.people), interims=INTERIMS, window=WINDOW,
            threads=RADIUS_THREADS,
        ),
        columns=("packet", "server", "CPU µs", *PARTS, "answers a second"),
        rows=[
            _row(name, kind, work.costs[name, kind])
            for kind in ACCOUNTING
            for name in (BUFFERED, LEAN)
        ],
        bars=[*_bars(work.costs), *_whole(work, ended)],
    )  # fmt: skip


_SETTINGS = """{many} subscribers a round, each with a Start, {interims} interims and a Stop, {window} outstanding; as many others stay on line. DotMac: `RADIUS_ACCOUNTING=buffered`,
{threads} threads; the CPU of FreeRADIUS, of run_accounting_replay beside it and of PostgreSQL counts until no line waits. FreeRADIUS does not
flush a line to the disk before it answers (docs/radius.md). Stock, lean: accounting straight into PostgreSQL, as in the section RADIUS. autovacuum is off,
VACUUM (ANALYZE) before each round."""


def _row(name: str, kind: str, cost: Cost) -> Sequence[str]:
    parts = [Series(values).text(0) for values in cost.parts.values()]
    return (kind, name, cost.cpu.text(0), *parts, Series(cost.rate).text(0))


def _bars(costs: dict[tuple[str, str], Cost]) -> Iterator[Bar]:
    for kind, bound in BARS.items():
        series = ratio(costs[BUFFERED, kind].cpu, costs[LEAN, kind].cpu)
        says = f"CPU of {kind}, at most {bound:.1f} of stock"
        yield Bar(says, series.text(), series.median <= bound)


def _whole(work: Work, ended: int) -> Iterator[Bar]:
    yield Bar("packets without an answer, 0", str(work.lost), work.lost == 0)
    says = "sessions with their Start and Stop"
    yield Bar(says, f"{ended:,} of {work.begun:,}", ended == work.begun)
