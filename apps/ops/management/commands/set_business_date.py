from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.ops import operations
from dotmac.core.actors import system_actor
from dotmac.core.errors import DomainError


class Command(BaseCommand):
    help = "Move the business date forward (demonstration installations only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("day", type=date.fromisoformat, help="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            day = operations.set_business_date(
                day=options["day"],
                actor=system_actor("manage.py set_business_date"),
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"The business date is {day}.")
