"""RADIUS against stock FreeRADIUS: logins, accounting, and the storm after a reboot.

Every round asks all servers, each time in another order, on the same PostgreSQL.
Before the rounds a storm of Starts brings half of the subscribers on line, so that
no table is empty; the other half logs in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.bench.page import Section
from tools.bench.radius_page import section
from tools.bench.radius_phases import (
    AFTERWARDS,
    ANALYZED,
    STORM,
    STORM_WINDOW,
    WARM,
    Phases,
    batch,
    life,
)
from tools.bench.radius_targets import (
    DOTMAC,
    EMBEDDED,
    FULL,
    LEAN,
    Target,
    Testbed,
    build,
)
from tools.bench.site import Bench
from tools.load.plan import ACCESS, ACCOUNTING, Maker, Subscriber

# Both variants of stock account alike.
WHO = {
    DOTMAC: (ACCESS, *ACCOUNTING),
    LEAN: (ACCESS, *ACCOUNTING),
    FULL: (ACCESS,),
    EMBEDDED: (ACCESS, *ACCOUNTING),
}
# Of what the slowest server answers at most: all are asked at this rate.
SHARE = 0.5
RATE_MIN = 20.0
_EMPTY = {
    DOTMAC: "TRUNCATE network_sessionlive, network_coarequest, network_usagehour",
    LEAN: "TRUNCATE radacct",
}


@dataclass
class Work:
    """What all rounds share. `online` have sessions, `people` log in."""

    phases: Phases
    bed: Testbed
    online: list[Subscriber]
    people: list[Subscriber]
    warm: list[Subscriber]
    many: int
    rate: float = 0.0

    def target(self, name: str) -> Target:
        return self.bed.targets[name]

    def maker(self, name: str, prefix: str) -> Maker:
        """No two servers are told of the same session."""
        whose = list(WHO).index(name)
        secret = self.target(name).server.secret
        return Maker(secret=secret, prefix=f"{prefix}-{whose}")

    def batch(self, name: str, number: int) -> list[Subscriber]:
        """The subscribers of a round: each round takes the next ones, and the embedded
        server, which shares DotMac's tables, others than DotMac."""
        away = len(self.people) // 2 if name == EMBEDDED else 0
        first = (number * self.many + away) % len(self.people)
        return (self.people[first:] + self.people[:first])[: self.many]


def run(
    bench: Bench, *, subscribers: int, requests: int, storm: int, rounds: int,
    stamp: str,
) -> Section:  # fmt: skip
    """Everything. Refuses to measure where the reference answers otherwise."""
    bed = build(bench, subscribers=subscribers)
    half = min(storm, subscribers // 2)
    online, offline = bed.subscribers[:half], bed.subscribers[half:]
    warm, people = offline[-WARM:], offline[:-WARM]
    if not people:
        raise SystemExit(f"More than {2 * WARM} subscribers are needed.")
    phases = Phases(bed, bench.postgres_pid)
    many = min(requests, len(people))
    work = Work(phases, bed, online, people, warm, many)
    for number in range(rounds):
        for name in _turn([DOTMAC, LEAN], number):
            _storm(work, name, number)
    for number in range(rounds + 1):
        _round(work, number)
    return section(
        phases, subscribers=subscribers, stamp=stamp, storm=len(online), many=many,
        rate=work.rate,
    )  # fmt: skip


def _turn(names: Sequence[str], number: int) -> Iterator[str]:
    """Everybody once, and another one first in each round."""
    first = number % len(names)
    yield from (*names[first:], *names[:first])


def _storm(work: Work, name: str, number: int) -> None:
    """Starts into empty tables whose statistics say so, then interims; then ANALYZE."""
    site = work.bed.site if name == DOTMAC else work.bed.stock
    site.execute(_EMPTY[name])
    site.execute("VACUUM (ANALYZE)")
    site.execute("CHECKPOINT")
    target = work.target(name)
    maker = work.maker(name, f"storm{number}")
    # An hour's first interim of a session inserts, later ones update: so others ask
    # the second time.
    some = min(work.many, len(work.online) // 2)
    with target.running() as child:
        target.wait(child, work.warm[0])
        # The sessions with PostgreSQL are open; their plans are of empty tables.
        work.phases.warm(target, work.maker(name, f"calm{number}"), work.warm)
        for kind, status, people in (
            (STORM, "Start", work.online),
            (AFTERWARDS, "Interim-Update", work.online[:some]),
            (ANALYZED, "Interim-Update", work.online[some : 2 * some]),
        ):
            if kind == ANALYZED:
                site.execute("ANALYZE")
            requests = batch(maker, status, people)
            work.phases.closed(target, child, kind, requests, window=STORM_WINDOW)


def _round(work: Work, number: int) -> None:
    """Round 0 warms up, and finds the rate that every server can answer."""
    for site in (work.bed.site, work.bed.stock):
        site.execute("VACUUM (ANALYZE)")
    rates = [
        _ask(work, name, kinds, number)
        for name, kinds in ((name, WHO[name]) for name in _turn(list(WHO), number))
    ]
    if number == 0:
        work.rate = max(RATE_MIN, SHARE * min(rates))


def _ask(work: Work, name: str, kinds: Sequence[str], number: int) -> float:
    """All kinds of one round to one server; returns its rate of logins."""
    target, people = work.target(name), work.batch(name, number)
    maker = work.maker(name, f"r{number}")
    work.bed.site.execute("CHECKPOINT")
    rate = 0.0
    with target.running() as child:
        target.wait(child, work.warm[0])
        work.phases.warm(target, work.maker(name, f"w{number}"), work.warm)
        for kind in kinds:
            requests = life(maker, kind, people)
            got = work.phases.closed(target, child, kind, requests, counted=number > 0)
            if kind == ACCESS:
                rate = got
                if number > 0:
                    # Other packets: a server may remember those that it answered.
                    fresh = batch(maker, kind, people[: len(people) // 2 or 1])
                    work.phases.open(target, kind, fresh, work.rate)
    return rate
