"""A bill run by COPY against the same run by bulk_create."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tools.bench.cpu import Series, ratio
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site

BAR = 3.0
GROWTH_BAR = 1.25
WRITERS = ("bulk_create", "dotmac")


def run(bench: Bench, *, services: int, rounds: int, stamp: str) -> Section:
    """Bill one month of a population whose earlier months are billed already."""
    this_month = _this_month()
    base = _billed_until_last_month(bench, "billing", services)
    results: dict[str, list[dict[str, Any]]] = {how: [] for how in WRITERS}
    for number in range(rounds):
        # Each goes first in every other round.
        for how in WRITERS if number % 2 else reversed(WRITERS):
            clone = bench.clone(base, f"billing_{how}_{number}")
            result = _bill(bench, clone, how, this_month)
            assert result["invoices"] == services, result
            results[how].append(result)
            bench.drop(clone)
    large = _billed_until_last_month(bench, "billing_large", services * 4)
    peak = _bill(bench, large, "dotmac", this_month)
    return _section(services, results, peak, stamp)


def _this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


def _billed_until_last_month(bench: Bench, name: str, services: int) -> Site:
    site = bench.make(name, customers=services, services=True)
    last_month = (_this_month() - timedelta(days=1)).replace(day=1)
    site.manage("run_billing", "--date", last_month.isoformat())
    site.execute("VACUUM (ANALYZE)")
    return site


def _bill(bench: Bench, site: Site, how: str, day: date) -> dict[str, Any]:
    answer: dict[str, Any] = site.inside(
        "bill", how=how, day=day.isoformat(), postgres=bench.postgres_pid
    )
    return answer


def _rate(results: list[dict[str, Any]]) -> Series:
    return Series([r["invoices"] / (r["worker_s"] + r["postgres_s"]) for r in results])


def _row(name: str, results: list[dict[str, Any]]) -> list[str]:
    worker, server = (
        Series([r[key] / r["invoices"] * 1e6 for r in results])
        for key in ("worker_s", "postgres_s")
    )
    growth = Series([(r["peak_kib"] - r["baseline_kib"]) / 1024 for r in results])
    return [
        name,
        _rate(results).text(0),
        worker.text(0),
        server.text(0),
        growth.text(0),
        f"{max(r['peak_kib'] for r in results) / 1024:.0f}",
    ]


def _section(
    services: int,
    results: dict[str, list[dict[str, Any]]],
    large: dict[str, Any],
    stamp: str,
) -> Section:
    ours, theirs = results["dotmac"], results["bulk_create"]
    gain = ratio(_rate(ours), _rate(theirs))
    worker, writing = (
        ratio(*(Series([r[key] for r in rows]) for rows in (theirs, ours)))
        for key in ("worker_s", "writing_s")
    )
    peak = large["peak_kib"] / Series([r["peak_kib"] for r in ours]).median
    return Section(
        name="billing",
        title=f"Bill run over {services:,} services",
        stamp=stamp,
        settings=_SETTINGS,
        columns=("writer", "invoices per CPU second", "worker, CPU µs an invoice",
                 "PostgreSQL, CPU µs an invoice", "memory grew by MiB", "peak MiB"),
        rows=[
            _row("bulk_create", theirs),
            _row("DotMac (COPY)", ours),
            _row(f"DotMac, {services * 4:,} services", [large]),
        ],
        bars=[
            Bar(f"invoices per CPU second, at least {BAR:.0f} times bulk_create",
                f"{gain.text()} times", gain.median >= BAR),
            Bar(f"peak memory with four times the services, at most {GROWTH_BAR} times",
                f"{peak:.2f} times", peak <= GROWTH_BAR),
        ],
        notes=f"Reading, rating and the database's guards cost both the same. The worker "
        f"alone uses {worker.text()} times less CPU than with bulk_create, and its "
        f"writer, without them, {writing.text()} times less.",
    )  # fmt: skip


_SETTINGS = """One month (one line, one tax, three ledger entries an invoice) of services whose earlier months are billed, chunks of
1,000 customers, one worker; each run in a fresh clone of one database, `VACUUM (ANALYZE)` and checkpoint before it. CPU of the
worker from the first statement to the last, and of PostgreSQL meanwhile. Reference: the same run (chunks, rating, events,
job) with the writer of `tests/performance/bulk_billing.py`: model instances and `bulk_create`, one INSERT a table and chunk,
numbers by the same single UPDATE; guards and triggers of the database are on for both."""
