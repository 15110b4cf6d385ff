"""Says whether the RADIUS server answers, by real Status-Server requests."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.network import operations


class Command(BaseCommand):
    """Exit code 0 when genuine answers came from both ports (RFC 5997)."""

    help = "Ask the RADIUS server as the platform's own NAS whether it lives."

    def handle(self, *args: Any, **options: Any) -> None:
        silent = operations.silent_ports()
        if silent:
            where = " and ".join(str(port) for port in silent)
            raise CommandError(f"The RADIUS server does not answer on port {where}.")
        self.stdout.write("The RADIUS server answers.")
