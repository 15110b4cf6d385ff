"""manage.py import_accounts: users of another RADIUS server, from files or its database."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.network import operations, selectors
from apps.network.models import AccountImport, Nas, RateProfile
from apps.network.radius.old_tables import read_database
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import system_actor
from dotmac.core.errors import DomainError

# While a worker has the chunk that is next.
WAIT_S = 0.1


class Command(BaseCommand):
    help = (
        "Read users of another RADIUS server, say what would become of each, and with"
        " --start open their accounts."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="*", type=Path,
            help="radcheck, radreply, radusergroup, radgroupcheck, radgroupreply as CSV,"
            " a zip of them, or an export of MikroTik's User Manager",
        )  # fmt: skip
        parser.add_argument(
            "--database-file", type=Path,
            help="a file with the URL of the old server's database"
            " (postgresql://… or sqlite:///…); it is not an argument, since others on"
            " this machine see those",
        )  # fmt: skip
        parser.add_argument("--profile", default="", help="for users without a speed")
        parser.add_argument("--nas", default="", help="the NAS that is to be switched")
        parser.add_argument("--start", action="store_true", help="open the accounts")
        parser.add_argument(
            "--import", dest="import_id", type=int, help="go on with this import"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            batch = self._batch(options)
            if options["start"]:
                self._carry(batch)
        except (DomainError, MalformedText) as refusal:
            raise CommandError(str(refusal)) from None
        self._tell(batch)

    def _batch(self, options: dict[str, Any]) -> AccountImport:
        if options["import_id"] is not None:
            batch = AccountImport.objects.filter(pk=options["import_id"]).first()
            if batch is None:
                raise CommandError("There is no such import.")
            return batch
        return operations.begin_import(
            **_source(options),
            zone=settings.OPERATOR_ZONE,
            profile_id=_named(RateProfile, options["profile"]),
            nas_id=_named(Nas, options["nas"]),
            actor=system_actor("import_accounts"),
            now=timezone.now(),
        )

    def _carry(self, batch: AccountImport) -> None:
        """To the end, here; a worker that was quicker has done its part."""
        if batch.state == "preview":
            operations.start_import(
                import_id=batch.pk,
                actor=system_actor("import_accounts"),
                now=timezone.now(),
            )
        batch.refresh_from_db()
        while batch.state in ("running", "undoing"):
            if not operations.carry_import(import_id=batch.pk, now=timezone.now()):
                time.sleep(WAIT_S)
            batch.refresh_from_db()

    def _tell(self, batch: AccountImport) -> None:
        counts = selectors.import_counts(batch.pk)
        self.stdout.write(
            f"Import {batch.pk}, {batch.get_state_display().lower()}: {counts.ready} ready,"
            f" {counts.opened} opened, {counts.refused} not imported."
        )
        for row in batch.rows.filter(state="refused").order_by("number"):
            self.stdout.write(f"{row.place}: {row.login} {row.reason}".strip())
        if batch.left:
            self.stdout.write(f"Files that were left aside: {', '.join(batch.left)}.")


def _source(options: dict[str, Any]) -> dict[str, Any]:
    """What to call it, and the files or tables that were read."""
    source, files = options["database_file"], options["files"]
    if bool(files) == (source is not None):
        raise CommandError("Give files, or --database-file.")
    try:
        if source is not None:
            tables = read_database(source.read_text().strip())
            return {"name": "database", "tables": tables}
        found = [(path.name, path.read_bytes()) for path in files]
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from None
    return {"name": files[0].name[:120], "files": found}


def _named(model: type[Any], name: str) -> int | None:
    if not name:
        return None
    row = model.objects.filter(name=name).first()
    if row is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {name}.")
    return int(row.pk)
