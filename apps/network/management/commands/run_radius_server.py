"""The embedded RADIUS server, for where FreeRADIUS is not installed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.network.radius.buffer import Buffer
from apps.network.radius.buffered import BufferedSession, KnownNases
from apps.network.radius.cutoff import CutOffSession, Fallback
from apps.network.radius.database import (
    RadiusDatabase,
    RadiusSession,
    session_settings,
)
from apps.network.radius.freeradius import CLIENT_LIFETIME_S
from apps.network.radius.server import RadiusServer
from apps.network.radius.snapshot import Shelf
from apps.network.radius.spool import Spool
from dotmac.core.models import keyring

DIRECT, BUFFERED = "direct", "buffered"
MODES = (DIRECT, BUFFERED)


def _options() -> str:
    return session_settings(keyring(), settings.OPERATOR_TIME_ZONE)


def _sessions(
    database: RadiusDatabase, options: dict[str, Any]
) -> Callable[[], RadiusSession] | None:
    """How a worker reaches PostgreSQL, or what stands in for it."""
    path = options["snapshot"]
    if options["accounting"] == DIRECT:
        if path is not None:
            raise CommandError("A snapshot needs buffered accounting.")
        return None
    buffer, known = Buffer(settings.RADIUS_BUFFER_DIR), KnownNases()
    if path is None:
        return lambda: BufferedSession(database, _options, buffer=buffer, known=known)
    fallback = Fallback(Shelf(path))
    return lambda: CutOffSession(
        database, _options, buffer=buffer, known=known, fallback=fallback
    )


class Command(BaseCommand):
    """Listens on RADIUS_AUTH_PORT and RADIUS_ACCT_PORT until it is told to stop."""

    help = "Answer RADIUS (PAP, CHAP, MS-CHAPv2) with the same SQL functions as FreeRADIUS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.RADIUS_HOST)
        parser.add_argument(
            "--more-hosts",
            nargs="*",
            default=settings.RADIUS_MORE_HOSTS,
            help="Further addresses to listen on.",
        )
        parser.add_argument("--auth-port", type=int, default=settings.RADIUS_AUTH_PORT)
        parser.add_argument("--acct-port", type=int, default=settings.RADIUS_ACCT_PORT)
        parser.add_argument("--workers", type=int, default=settings.RADIUS_THREADS)
        parser.add_argument(
            "--client-lifetime",
            type=int,
            default=CLIENT_LIFETIME_S,
            help="Seconds for which a NAS and its secret are remembered.",
        )
        parser.add_argument("--reject-delay", type=int, default=1, choices=range(6))

        parser.add_argument(
            "--accounting",
            choices=MODES,
            default=settings.RADIUS_ACCOUNTING,
            help="direct: into PostgreSQL, then the answer. buffered: into a file, then "
            "the answer; run_accounting_replay brings it into PostgreSQL.",
        )

        parser.add_argument(
            "--snapshot",
            type=Path,
            help="A file of write_radius_snapshot, with its keys beside it: known "
            "subscribers get in while PostgreSQL is away. With buffered accounting.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RADIUS_DATABASE_URL:
            raise CommandError("Set RADIUS_DATABASE_URL to the URL of role radius.")
        database = RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL)
        try:
            server = RadiusServer(
                hosts=(options["host"], *options["more_hosts"]),
                auth_port=options["auth_port"],
                acct_port=options["acct_port"],
                database=database,
                options=_options,
                workers=options["workers"],
                reject_delay_s=options["reject_delay"],
                client_lifetime_s=options["client_lifetime"],
                decisions=Spool(
                    settings.RADIUS_DECISIONS_DIR,
                    bytes_max=settings.RADIUS_DECISIONS_MAX_MB * 1_000_000,
                ),
                sessions=_sessions(database, options),
            )
        except OSError as error:
            where = f"{options['host']}:{options['auth_port']}/{options['acct_port']}"
            raise CommandError(f"Cannot listen on {where}: {error}.") from error
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        auth, acct = server.ports
        self.stdout.write(f"RADIUS listens on {options['host']}:{auth} and {acct}.")
        self.stdout.flush()
        server.serve()
