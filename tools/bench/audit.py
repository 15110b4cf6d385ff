"""The audit log: what its chain costs writers, and how fast it is read again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tools.bench.cpu import Meter, Series, ratio
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site

WRITERS = 8
WRITES_A_SECOND_MIN = 1_000
VERIFIED_A_SECOND_MIN = 50_000


@dataclass
class Row:
    """One way of writing, round by round."""

    name: str
    rate: list[float] = field(default_factory=list)
    postgres_us: list[float] = field(default_factory=list)
    writer_us: list[float] = field(default_factory=list)

    def add(self, said: dict[str, float], postgres_s: float, entries: int) -> None:
        """One round."""
        self.rate.append(entries / said["seconds"])
        self.writer_us.append(said["worker_s"] / entries * 1e6)
        self.postgres_us.append(postgres_s / entries * 1e6)

    def per_core(self) -> Series:
        """Entries for each second of CPU, writers and PostgreSQL together."""
        both = zip(self.writer_us, self.postgres_us, strict=True)
        return Series([1e6 / (writer + postgres) for writer, postgres in both])

    def cells(self) -> list[str]:
        figures = (self.rate, self.writer_us, self.postgres_us)
        return [
            self.name,
            *(Series(f).text(0) for f in figures),
            self.per_core().text(0),
        ]


def run(bench: Bench, *, entries: int, writes: int, rounds: int, stamp: str) -> Section:
    """Write with the chain and without it, then verify a long chain."""
    site = bench.make("audit", customers=0, services=False)
    rows = {True: Row("chained, chainer running"), False: Row("not chained")}
    for number in range(rounds + 1):
        for chained, row in rows.items():
            meter = Meter({"postgres": bench.postgres_pid})
            said = _write(site, writes, chained=chained)
            # The first round warms up.
            if number:
                row.add(said, meter.read()["postgres"], WRITERS * writes)
    _rid_of_unchained(site)
    site.inside("fill_audit", entries=entries)
    site.execute("VACUUM (ANALYZE)")
    verified = [_verify(bench, site) for _ in range(rounds)]
    return _section(rows, verified, stamp)


def _verify(bench: Bench, site: Site) -> dict[str, float]:
    """The whole chain read again; CPU of the command and of PostgreSQL."""
    meter = Meter({"postgres": bench.postgres_pid})
    said: dict[str, float] = site.inside("verify_audit")
    said["cpu_s"] = said["worker_s"] + meter.read()["postgres"]
    return said


def _write(site: Site, writes: int, *, chained: bool) -> dict[str, float]:
    """WRITERS processes, a transaction for each entry."""
    switch = "ENABLE" if chained else "DISABLE"
    site.execute(
        f"ALTER TABLE ops_auditentry {switch} TRIGGER ops_auditentry_awaits_chain"
    )
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        chainer = pool.submit(_chain_until, site, over) if chained else None
        said: dict[str, float] = site.inside(
            "write_audit", writers=WRITERS, writes=writes
        )
        over.set()
        if chainer is not None:
            chainer.result()
    return said


def _chain_until(site: Site, over: threading.Event) -> None:
    """What beat and a worker do, but every second instead of every five."""
    while not over.wait(1):
        site.execute("SELECT ops_chain_audit(2000)")
    while site.execute("SELECT ops_chain_audit(2000)")[0][0] == 2000:
        pass


def _rid_of_unchained(site: Site) -> None:
    """Entries that were written while the trigger was off: they wait after all."""
    site.execute(
        "INSERT INTO ops_auditpending SELECT id FROM ops_auditentry a"
        " WHERE NOT EXISTS (SELECT FROM ops_auditlink l WHERE l.entry_id = a.id)"
        " ON CONFLICT DO NOTHING"
    )
    site.execute("ALTER TABLE ops_auditentry ENABLE TRIGGER ALL")


def _section(rows: dict[bool, Row], verified: list[Any], stamp: str) -> Section:
    rates = Series([found["rows"] / found["seconds"] for found in verified])
    per_core = Series([found["rows"] / found["cpu_s"] for found in verified])
    written = Series(rows[True].rate)
    findings = sum(found["findings"] for found in verified)
    cost = ratio(Series(rows[True].postgres_us), Series(rows[False].postgres_us))
    return Section(
        name="audit",
        title=f"Audit log, {WRITERS} writers, {verified[0]['rows']:,} entries",
        stamp=stamp,
        settings=_SETTINGS,
        columns=("writing", "entries/s", "writers, CPU µs an entry",
                 "PostgreSQL, CPU µs an entry", "entries per CPU second"),
        rows=[row.cells() for row in rows.values()],
        bars=[
            Bar(
                f"audited writes a second, at least {WRITES_A_SECOND_MIN:,}",
                written.text(0),
                written.median >= WRITES_A_SECOND_MIN,
            ),
            Bar(
                f"entries verified a second, at least {VERIFIED_A_SECOND_MIN:,}",
                rates.text(0),
                rates.median >= VERIFIED_A_SECOND_MIN,
            ),
            Bar("findings in a chain nobody touched, 0", str(findings), not findings),
        ],
        notes=(
            f"The chain costs PostgreSQL {cost.text(2)} times the CPU of an entry. "
            f"Verified per CPU second (command and PostgreSQL): {per_core.text(0)}; "
            "entries a second of clock time belong to the machine's other work."
        ),
    )  # fmt: skip


_SETTINGS = """Eight processes, each entry written by `ops.operations.record` in a transaction of its own (fsync on), while
`ops_chain_audit` runs every second; reference: the same with the trigger that queues entries for the chain switched off and no
chainer. Then `audit_verify`'s operation over all entries, anchors included: every hash is computed again."""
