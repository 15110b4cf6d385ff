"""The embedded RADIUS server, for where FreeRADIUS is not installed."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.network.radius.database import RadiusDatabase, session_settings
from apps.network.radius.freeradius import CLIENT_LIFETIME_S
from apps.network.radius.server import RadiusServer
from apps.network.radius.spool import Spool
from dotmac.core.models import keyring


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

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RADIUS_DATABASE_URL:
            raise CommandError("Set RADIUS_DATABASE_URL to the URL of role radius.")
        try:
            server = RadiusServer(
                hosts=(options["host"], *options["more_hosts"]),
                auth_port=options["auth_port"],
                acct_port=options["acct_port"],
                database=RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL),
                options=lambda: session_settings(
                    keyring(), settings.OPERATOR_TIME_ZONE
                ),
                workers=options["workers"],
                reject_delay_s=options["reject_delay"],
                client_lifetime_s=options["client_lifetime"],
                decisions=Spool(
                    settings.RADIUS_DECISIONS_DIR,
                    bytes_max=settings.RADIUS_DECISIONS_MAX_MB * 1_000_000,
                ),
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
