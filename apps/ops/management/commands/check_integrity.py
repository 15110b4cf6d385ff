from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.ops import operations
from dotmac.core.actors import system_actor


class Command(BaseCommand):
    help = "Run every invariant; exit 1 and print the offending rows when one fails."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = operations.check_integrity(
            actor=system_actor("manage.py check_integrity"), now=timezone.now()
        )
        broken = [finding for finding in findings if finding.offending]
        for finding in findings:
            mark = f"BROKEN ({finding.offending} rows)" if finding.offending else "ok"
            self.stdout.write(
                f"{finding.invariant.name}: {mark} - {finding.invariant.says}"
            )
            for row in finding.sample:
                self.stdout.write("    " + json.dumps(row, default=str))
        if broken:
            raise CommandError(f"{len(broken)} of {len(findings)} invariants fail.")
        self.stdout.write(f"All {len(findings)} invariants hold.")
