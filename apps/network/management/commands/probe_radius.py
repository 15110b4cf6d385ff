"""Says whether the RADIUS server answers, by a real Access-Request."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.network import operations


class Command(BaseCommand):
    """Exit code 0 when a genuine answer came back; which one does not matter."""

    help = "Ask the RADIUS server as the platform's own NAS; a reject is an answer."

    def handle(self, *args: Any, **options: Any) -> None:
        nobody = f"probe-{secrets.token_hex(8)}"
        result = operations.check_access(login=nobody, password=nobody)
        if result.silent:
            raise CommandError("The RADIUS server does not answer.")
        self.stdout.write("The RADIUS server answers.")
