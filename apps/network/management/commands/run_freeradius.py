"""Writes FreeRADIUS's configuration and becomes FreeRADIUS: one process id."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from apps.network.radius import freeradius


class Command(BaseCommand):
    """What a supervisor starts. The signals it sends reach the daemon itself."""

    help = "Write the configuration into the state folder and run FreeRADIUS on it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reject-delay", type=int, default=1, choices=range(6))

    def handle(self, *args: Any, **options: Any) -> None:
        directory = settings.STATE_DIR / "freeradius"
        call_command(
            "write_freeradius_config",
            directory=directory,
            reject_delay=options["reject_delay"],
            stdout=self.stdout,
        )
        self.stdout.flush()
        command = freeradius.run_command(directory)
        environment = freeradius.run_environment(directory)
        os.execve(command[0], command, environment)  # noqa: S606 - no shell
