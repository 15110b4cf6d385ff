from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from apps.billing import operations
from dotmac.core.actors import system_actor


class Command(BaseCommand):
    help = "Bill chunks of a run that is under way, beside its other workers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="the key of the run")

    def handle(self, *args: Any, **options: Any) -> None:
        actor, chunks = system_actor("manage.py work_billing_run"), 0
        while (
            operations.bill_next_chunk(
                run_id=options["run"], actor=actor, now=timezone.now()
            )
            is not None
        ):
            chunks += 1
        operations.finish_run(run_id=options["run"], actor=actor, now=timezone.now())
        self.stdout.write(f"{chunks} chunks billed.")
