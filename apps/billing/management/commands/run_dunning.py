"""Judge everybody for a day: remind, cut off, reconnect."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.billing import operations
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import system_actor
from dotmac.core.errors import DomainError


class Command(BaseCommand):
    """A demonstration's business date follows a later day, so that what happens
    afterwards (a payment, the hourly run) is judged on the same day."""

    help = "Run dunning for everybody. Repeating it for the same day is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date",
            type=date.fromisoformat,
            help="The day to judge for, YYYY-MM-DD (default: the business date).",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        now = timezone.now()
        actor = system_actor("run_dunning")
        today = ops_selectors.business_date(now=now)
        day = options["date"] or today
        if day > today and not settings.DEMO:
            raise CommandError(f"{day} has not come: the business date is {today}.")
        try:
            if day > today:
                ops.set_business_date(day=day, actor=actor, now=now)
            report = operations.run_dunning(day=max(day, today), actor=actor, now=now)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(
            f"Dunning for {report.day}: {report.looked_at} customers with overdue debt "
            f"looked at, {report.reminded} reminded, {report.cut_off} cut off, "
            f"{report.reconnected} reconnected, {report.refused} refused."
        )
