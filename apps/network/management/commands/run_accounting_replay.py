"""Brings buffered accounting into PostgreSQL, beside the RADIUS server that wrote it."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.network.radius.database import RadiusDatabase, session_settings
from apps.network.radius.replay import Replay
from dotmac.core.models import keyring


class Command(BaseCommand):
    """Runs until it is told to stop. Killed at any moment it loses and doubles nothing."""

    help = "Bring the accounting in RADIUS_BUFFER_DIR into PostgreSQL as it comes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--readers",
            type=int,
            default=settings.RADIUS_THREADS,
            help="Records on their way at once, each on a connection of its own.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RADIUS_DATABASE_URL:
            raise CommandError("Set RADIUS_DATABASE_URL to the URL of role radius.")
        replay = Replay(
            settings.RADIUS_BUFFER_DIR,
            database=RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL),
            options=lambda: session_settings(keyring(), settings.OPERATOR_TIME_ZONE),
            readers=options["readers"],
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: replay.stop())
        self.stdout.write(f"Replays the accounting in {settings.RADIUS_BUFFER_DIR}.")
        self.stdout.flush()
        replay.run()
