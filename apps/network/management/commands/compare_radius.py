"""manage.py compare_radius: what an old server answers, and what DotMac does."""

from __future__ import annotations

import argparse
import socket
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.network import operations
from apps.network.operations.comparing import Compared, OldServer
from dotmac.core.actors import system_actor
from dotmac.core.errors import DomainError

STORED_AT_ONCE = 200
MAC_FORMS = (
    "AA:BB:CC:DD:EE:FF", "AA-BB-CC-DD-EE-FF", "AABBCCDDEEFF", "aa:bb:cc:dd:ee:ff",
    "aa-bb-cc-dd-ee-ff", "aabbccddeeff",
)  # fmt: skip


class Command(BaseCommand):
    help = (
        "Ask an old RADIUS server and DotMac for the same logins, and tell what differs."
        " Ends with 1 where something does."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--old", required=True, help="HOST:PORT of the old server")
        parser.add_argument(
            "--secret-file", required=True, type=Path,
            help="a file with the secret that the old server shares with --source",
        )  # fmt: skip
        parser.add_argument(
            "--source", required=True,
            help="an address of this machine that both servers know as a NAS",
        )  # fmt: skip
        parser.add_argument(
            "--import", dest="import_id", type=int,
            help="the users of this import, and keep the answers there; else every"
            " open account",
        )  # fmt: skip
        parser.add_argument("--rate", type=int, default=50, help="users a second")
        parser.add_argument("--chap", action="store_true", help="log in by CHAP")
        parser.add_argument(
            "--mac", choices=MAC_FORMS, default=MAC_FORMS[0],
            help="how the NAS writes Calling-Station-Id",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        import_id, verdicts = options["import_id"], Counter[str]()
        kept: list[Compared] = []
        try:
            old = _old(options)
            if import_id is not None:
                operations.begin_comparison(
                    import_id=import_id, source=old.source,
                    actor=system_actor("compare_radius"), now=timezone.now(),
                )  # fmt: skip
            for found in operations.compare_servers(
                old=old, import_id=import_id, rate=options["rate"]
            ):
                verdicts[found.verdict] += 1
                for told in found.differences:
                    self.stdout.write(f"{found.login}: {told}")
                kept = self._kept(import_id, [*kept, found], done=False)
            self._kept(import_id, kept, done=True)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from None
        self._end(verdicts)

    def _kept(
        self, import_id: int | None, found: list[Compared], *, done: bool
    ) -> list[Compared]:
        """Stored where there is enough, or at the end; returns what is left."""
        if import_id is None or not (done or len(found) >= STORED_AT_ONCE):
            return found if import_id is not None else []
        operations.store_comparison(
            import_id=import_id, found=found, now=timezone.now(), done=done
        )
        return []

    def _end(self, verdicts: Counter[str]) -> None:
        total = sum(verdicts.values())
        told = ", ".join(
            f"{verdicts[name]} {says}"
            for name, says in (
                ("same", "the same"), ("different", "different"),
                ("silent", "without an answer"),
            )
        )  # fmt: skip
        self.stdout.write(f"{total} logins compared: {told}.")
        if not total or verdicts["same"] < total:
            raise CommandError("The NAS is not ready to be switched.")
        self.stdout.write("The NAS may be switched.")


def _old(options: dict[str, Any]) -> OldServer:
    host, colon, port = options["old"].rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise CommandError("--old is HOST:PORT.")
    try:
        secret = options["secret_file"].read_text().strip()
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{options['secret_file']}: it is no text.") from None
    return OldServer(
        server=(_address(host), int(port)), secret=secret, source=options["source"],
        chap=options["chap"], mac_form=options["mac"],
    )  # fmt: skip


def _address(host: str) -> str:
    """As answers will come from it."""
    try:
        return str(socket.gethostbyname(host))
    except OSError:
        raise CommandError(f"Nobody is called {host}.") from None
