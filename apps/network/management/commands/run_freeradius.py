"""Writes FreeRADIUS's configuration and becomes FreeRADIUS: one process id."""

from __future__ import annotations

import os
from typing import Any

from apps.network.management.commands import write_freeradius_config
from apps.network.radius import freeradius


class Command(write_freeradius_config.Command):
    """What a supervisor starts. The signals it sends reach the daemon itself."""

    help = "Write the configuration into the state folder and run FreeRADIUS on it."

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        self.stdout.flush()
        command = freeradius.run_command(options["directory"])
        environment = freeradius.run_environment(options["directory"])
        os.execve(command[0], command, environment)  # noqa: S606  # nosec B606
