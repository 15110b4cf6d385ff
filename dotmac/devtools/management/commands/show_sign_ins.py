from __future__ import annotations

import base64
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_otp.oath import TOTP
from rich.console import Console
from rich.table import Table

from dotmac.devtools import credentials


class Command(BaseCommand):
    help = "Show the demonstration's sign-ins with the codes of this moment."

    def handle(self, *args: Any, **options: Any) -> None:
        known = credentials.read(settings.STATE_DIR)
        if not known["staff"]:
            raise CommandError(
                "There is no demonstration here. The first member of staff gets in by "
                "manage.py invite_staff NAME."
            )
        staff = Table("Console", "Password", "Code now", "Role")
        for row in known["staff"]:
            code = _code(row["totp_secret"])
            staff.add_row(row["username"], row["password"], code, row["role"])
        customers = Table("Portal", "Password")
        for row in known["customers"]:
            customers.add_row(row["username"], row["password"])
        subscribers = Table("RADIUS login", "Password", "Answer")
        for row in known["subscribers"]:
            subscribers.add_row(row["login"], row["password"], row["expected"])
        console = Console()
        console.print(staff, customers, subscribers)


def _code(seed: str) -> str:
    """The code of this half minute; each is good for one sign-in."""
    clock = TOTP(base64.b32decode(seed))
    clock.time = time.time()
    return f"{clock.token():06d}"
