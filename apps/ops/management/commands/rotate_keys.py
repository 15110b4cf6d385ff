"""Change the key of everything that is sealed, online. docs/security.md has the steps."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress import TimeRemainingColumn as Remaining

from apps.ops import operations, selectors
from apps.ops.errors import KeyReadersBehind
from apps.ops.models import Job
from dotmac.core.actors import system_actor
from dotmac.core.crypto import KeyFileRefused
from dotmac.core.errors import DomainError
from dotmac.core.models import keyring
from dotmac.core.sealed import SealedColumn, sealed_columns

ACTOR = system_actor("manage.py rotate_keys")
WAIT_S = 180
PASSES_MAX = 60
PAUSE_S = 1.0


class Command(BaseCommand):
    """Without a step it seals what is left with the current key; repeat it freely."""

    help = "Add, promote and retire encryption keys; seal everything with the current."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_mutually_exclusive_group()
        steps.add_argument("--add", action="store_true", help="Make a new key.")
        steps.add_argument("--promote", type=int, metavar="ID", help="Seal with it.")
        steps.add_argument(
            "--new", action="store_true", help="Add, promote and re-seal in one go."
        )
        steps.add_argument("--retire", type=int, metavar="ID", help="Forget a key.")
        steps.add_argument("--verify", action="store_true", help="Rows by key.")
        parser.add_argument(
            "--wait", type=int, default=WAIT_S, help="Seconds to wait for RADIUS."
        )
        parser.add_argument(
            "--readers-know",
            action="store_true",
            help="All RADIUS servers were restarted after the key was added.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._step(options)
        except KeyFileRefused as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(error.detail) from error

    def _step(self, options: dict[str, Any]) -> None:
        if options["verify"]:
            self._verify()
        elif options["add"]:
            self._add()
        elif options["promote"] is not None:
            self._promote(options["promote"], options)
        elif options["retire"] is not None:
            self._retire(options["retire"])
        elif options["new"]:
            self._promote(self._add(), options)
            self._reseal()
        else:
            self._reseal()

    def _add(self) -> int:
        key_id = operations.add_key(actor=ACTOR, now=timezone.now())
        self.stdout.write(f"Key {key_id} was added. Nothing is sealed with it yet.")
        return key_id

    def _promote(self, key_id: int, options: dict[str, Any]) -> None:
        deadline = time.monotonic() + options["wait"]
        while True:
            try:
                operations.promote_key(
                    key_id=key_id,
                    actor=ACTOR,
                    now=timezone.now(),
                    readers_know=options["readers_know"],
                )
            except KeyReadersBehind as refusal:
                if "sessions" not in refusal.facts or time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_S)
            else:
                self.stdout.write(f"From now on everything is sealed with {key_id}.")
                return

    def _retire(self, key_id: int) -> None:
        retired = operations.retire_key(key_id=key_id, actor=ACTOR, now=timezone.now())
        if not retired:
            self.stdout.write(f"Key {key_id} is not in the file.")
            return
        self.stdout.write(
            f"Key {key_id} was moved to the .retired file beside the key file: keep it "
            "with the dumps of its time, away from this machine, or destroy it."
        )

    def _verify(self) -> None:
        current = keyring().current.id
        behind = 0
        for found in selectors.sealed_rows():
            shares = ", ".join(f"key {k}: {n} rows" for k, n in found.rows.items())
            more = f"; {found.index_behind} look-ups behind" * bool(found.index_behind)
            self.stdout.write(f"{found.column}: {shares or 'no rows'}{more}")
            behind += found.other_than(current) + found.index_behind
        if behind:
            raise CommandError(f"{behind} rows are not on key {current} yet.")
        self.stdout.write(f"Everything is sealed with key {current}.")

    def _reseal(self) -> None:
        job = operations.start_reseal(actor=ACTOR, now=timezone.now())
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            Remaining(),
        )  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("Sealing", total=job.total, completed=job.done)
            done = job.done
            for number in range(PASSES_MAX):
                if number:
                    time.sleep(PAUSE_S)
                for column in sealed_columns():
                    done = self._column(job, column, done, progress, bar)
                if self._is_done():
                    break
        job = operations.finish_reseal(job_id=job.pk, actor=ACTOR, now=timezone.now())
        if job.error:
            raise CommandError(job.error)
        self._verify()

    def _column(
        self, job: Job, column: SealedColumn, done: int, progress: Progress, bar: Any
    ) -> int:
        """One pass over one column, in chunks that are committed one by one."""
        after = 0
        while True:
            chunk = operations.reseal_chunk(column=column, after=after)
            after, done = chunk.last_id, done + chunk.rows
            if chunk.rows:
                operations.advance_job(
                    job_id=job.pk, now=timezone.now(), done=done, message=str(column)
                )
                progress.update(bar, completed=done, description=str(column))
            if chunk.is_last:
                return done

    def _is_done(self) -> bool:
        current = keyring().current.id
        return not any(
            found.other_than(current) + found.index_behind
            for found in selectors.sealed_rows()
        )
