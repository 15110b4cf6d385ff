"""Writes FreeRADIUS's configuration: a private folder with all that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.network.management.commands.run_radius_server import BUFFERED, MODES
from apps.network.radius import freeradius
from apps.network.radius.certificates import CertificateRefused, Folder
from apps.network.radius.database import RadiusDatabase, session_settings
from apps.network.radius.freeradius import CLIENT_LIFETIME_S
from dotmac.core.models import keyring


class Command(BaseCommand):
    """Repeating it replaces the files; a running daemon keeps what it has read."""

    help = "Write FreeRADIUS's configuration into a folder of its own (0700)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dir",
            dest="directory",
            type=Path,
            default=settings.STATE_DIR / "freeradius",
        )
        parser.add_argument("--host", default=settings.RADIUS_HOST)
        parser.add_argument(
            "--more-hosts",
            nargs="*",
            default=settings.RADIUS_MORE_HOSTS,
            help="Further addresses to listen on.",
        )
        parser.add_argument("--auth-port", type=int, default=settings.RADIUS_AUTH_PORT)
        parser.add_argument("--acct-port", type=int, default=settings.RADIUS_ACCT_PORT)
        parser.add_argument(
            "--radsec-port",
            type=int,
            default=settings.RADIUS_RADSEC_PORT,
            help="Where NASes come in over TLS, if there is a certificate; 0: nowhere.",
        )
        parser.add_argument("--threads", type=int, default=settings.RADIUS_THREADS)
        parser.add_argument(
            "--session-lifetime",
            type=int,
            default=60,
            help="Seconds after which a session with PostgreSQL is renewed.",
        )
        parser.add_argument(
            "--client-lifetime",
            type=int,
            default=CLIENT_LIFETIME_S,
            help="Seconds for which a NAS and its secret are remembered.",
        )
        parser.add_argument("--reject-delay", type=int, default=1, choices=range(6))
        parser.add_argument(
            "--networks",
            nargs="+",
            default=settings.RADIUS_NETWORKS,
            help="The networks in which the NASes are, as CIDR.",
        )

        parser.add_argument(
            "--accounting",
            choices=MODES,
            default=settings.RADIUS_ACCOUNTING,
            help="direct: into PostgreSQL, then the answer. buffered: into a file, then "
            "the answer; run_accounting_replay brings it into PostgreSQL.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RADIUS_DATABASE_URL:
            raise CommandError("Set RADIUS_DATABASE_URL to the URL of role radius.")
        listen = freeradius.ListenSettings(
            host=options["host"],
            more_hosts=tuple(options["more_hosts"]),
            auth_port=options["auth_port"],
            acct_port=options["acct_port"],
            threads=options["threads"],
            networks=tuple(options["networks"]),
            session_lifetime_s=options["session_lifetime"],
            reject_delay_s=options["reject_delay"],
            lifetime_s=options["client_lifetime"],
            decisions=settings.RADIUS_DECISIONS_DIR,
            certificates=self._certificates(),
            buffer=(
                settings.RADIUS_BUFFER_DIR
                if options["accounting"] == BUFFERED
                else None
            ),
            radsec_port=options["radsec_port"],
        )
        try:
            freeradius.write_configuration(
                options["directory"],
                templates=settings.BASE_DIR / "deploy" / "freeradius",
                database=RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL),
                listen=listen,
                options=session_settings(keyring(), settings.OPERATOR_TIME_ZONE),
            )
            command = freeradius.run_command(options["directory"])
        except (freeradius.FreeRadiusMissing, ValueError) as error:
            raise CommandError(str(error)) from error
        where = options["directory"].resolve() / "environment"
        self.stdout.write(f"Run it with the variables of {where}:")
        self.stdout.write("  " + " ".join(command))

    def _certificates(self) -> Path | None:
        """The folder, where there is a certificate that FreeRADIUS can read.

        It refuses to start on a broken one, and then nobody could log in at all.
        """
        folder = Folder(settings.RADIUS_CERTIFICATES_DIR)
        try:
            server = folder.server()
        except CertificateRefused as error:
            self.stderr.write(
                f"{error} FreeRADIUS runs without Wi-Fi logins (EAP) and RadSec."
            )
            return None
        return folder.path if server else None
