"""Read the audit chain again, compare it with the anchors, name what is wrong."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from apps.ops import operations, selectors
from dotmac.core.crypto import KeyFileRefused


class Command(BaseCommand):
    """Exit code 1 when anything was edited, deleted, inserted, swapped or cut."""

    help = "Verify the audit chain and its anchors; exit 1 and name the first bad rows."

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        columns = (TextColumn("Verifying"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=selectors.chained_count())
            try:
                result = operations.verify_audit(
                    now=timezone.now(),
                    progress=lambda rows: progress.update(bar, completed=rows),
                )
            except KeyFileRefused as error:
                raise CommandError(str(error)) from error
        spent = time.monotonic() - began
        for finding in result.findings:
            self.stdout.write(f"{finding.kind.upper()}: {finding.says}")
        self.stdout.write(
            f"{result.rows} entries and {result.anchors} anchors in {spent:.1f} s "
            f"({result.rows / max(spent, 0.001):.0f} entries a second)."
        )
        if not result.good:
            raise CommandError("The audit log is not what was recorded.")
        self.stdout.write(f"The chain holds, up to {result.stream} #{result.sequence}.")
