from __future__ import annotations

import subprocess  # nosec B404
import sys
from contextlib import suppress
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from apps.billing import operations, selectors
from apps.billing.errors import RunInProgress
from apps.billing.models import BillingRun
from dotmac.core.actors import system_actor
from dotmac.core.errors import DomainError

WORKERS_MAX = 16
STARTS_MAX = 10
_ACTOR = system_actor("manage.py run_billing")


class Command(BaseCommand):
    help = (
        "Bill every month begun on or before the date and not billed yet. "
        "Repeating it, or killing it and starting it again, bills nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date", required=True, type=date.fromisoformat, help="YYYY-MM-DD"
        )
        parser.add_argument("--workers", type=int, default=1, help="processes, 1 to 16")
        parser.add_argument("--chunk", type=int, default=1000, help="customers at once")
        parser.add_argument(
            "--preview", action="store_true", help="say what would be billed, and stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["workers"] <= WORKERS_MAX:
            raise CommandError(f"--workers lies between 1 and {WORKERS_MAX}.")
        if options["preview"]:
            self._preview(options["date"])
            return
        try:
            self._bill(options)
        except DomainError as error:
            raise CommandError(error.detail) from error

    def _preview(self, day: date) -> None:
        preview = selectors.preview_run(day=day)
        more = "" if preview.complete else " (the first customers only)"
        self.stdout.write(
            f"{preview.invoices} invoices with {preview.lines} lines, "
            f"{_sums(preview.totals_minor)}; {preview.parked} left aside{more}."
        )

    def _bill(self, options: dict[str, Any]) -> None:
        """Help to finish the open run first, then bill the day.

        Another process may start a run between the two: then it is helped too.
        """
        for _ in range(STARTS_MAX):
            run = selectors.open_run()
            if run is None:
                with suppress(RunInProgress):
                    run = operations.start_run(
                        day=options["date"],
                        actor=_ACTOR,
                        now=timezone.now(),
                        chunk_size=options["chunk"],
                    )
            if run is not None:
                self._work(run, options["workers"])
            if run is not None and run.day == options["date"]:
                return
        raise RunInProgress

    def _work(self, run: BillingRun, workers: int) -> None:
        helpers = self._helpers(run, workers - 1)
        with _progress() as progress:
            bar = progress.add_task(f"Billing {run.day}", total=run.job.total or None)
            while (
                operations.bill_next_chunk(
                    run_id=run.pk, actor=_ACTOR, now=timezone.now()
                )
                is not None
            ):
                progress.update(bar, completed=selectors.customers_done(run.pk))
            for helper in helpers:
                helper.wait()
            progress.update(bar, completed=selectors.customers_done(run.pk))
        run = operations.finish_run(run_id=run.pk, actor=_ACTOR, now=timezone.now())
        self._report(run)

    def _helpers(self, run: BillingRun, count: int) -> list[subprocess.Popen[bytes]]:
        command = [sys.executable, sys.argv[0], "work_billing_run", str(run.pk)]
        return [
            # Our own command and a number.
            subprocess.Popen(command)  # noqa: S603  # nosec B603
            for _ in range(count)
        ]

    def _report(self, run: BillingRun) -> None:
        run.job.refresh_from_db()
        if run.finished_at is None:
            self.stdout.write("Other workers still bill the rest of this run.")
            return
        result = run.job.result
        self.stdout.write(
            f"Billed {run.day}: {result['invoices']} invoices with {result['lines']} "
            f"lines, {_sums(result['totals_minor'])}; {result['parked']} left aside."
        )
        for row in selectors.parked_services_of(run.pk)[:20]:
            self.stdout.write(f"  {row.service_reference}: {row.get_reason_display()}")


def _sums(totals_minor: dict[str, int]) -> str:
    return selectors.totals_text(totals_minor)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("customers"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
