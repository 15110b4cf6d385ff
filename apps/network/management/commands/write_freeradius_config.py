"""Writes FreeRADIUS's configuration; with --run, becomes FreeRADIUS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.network.radius import freeradius
from apps.network.radius.database import RadiusDatabase, session_settings
from dotmac.core.models import keyring


class Command(BaseCommand):
    """A private folder (0700) with everything that the daemon reads."""

    help = "Write FreeRADIUS's configuration into a folder of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dir", type=Path, required=True)
        parser.add_argument("--host", default=settings.RADIUS_HOST)
        parser.add_argument("--auth-port", type=int, default=settings.RADIUS_AUTH_PORT)
        parser.add_argument("--acct-port", type=int, default=settings.RADIUS_ACCT_PORT)
        parser.add_argument("--threads", type=int, default=8, choices=range(1, 257))
        parser.add_argument(
            "--networks",
            default=freeradius.LOOPBACK,
            help="The network in which the NASes are, as CIDR.",
        )
        parser.add_argument(
            "--run", action="store_true", help="Then replace this process by it."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RADIUS_DATABASE_URL:
            raise CommandError("Set RADIUS_DATABASE_URL to the URL of role radius.")
        try:
            freeradius.write_configuration(
                options["dir"],
                templates=settings.BASE_DIR / "deploy" / "freeradius",
                database=RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL),
                listen=freeradius.ListenSettings(
                    host=options["host"],
                    auth_port=options["auth_port"],
                    acct_port=options["acct_port"],
                    threads=options["threads"],
                    networks=options["networks"],
                ),
                options=session_settings(keyring(), settings.OPERATOR_TIME_ZONE),
            )
            command = freeradius.run_command(options["dir"])
        except (freeradius.FreeRadiusMissing, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["run"]:
            environment = freeradius.run_environment(options["dir"])
            os.execve(command[0], command, environment)  # noqa: S606 - no shell
        where = options["dir"].resolve() / "environment"
        self.stdout.write(f"Written. Run it with the variables of {where}:")
        self.stdout.write("  " + " ".join(command))
