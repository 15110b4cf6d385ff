from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dotmac.core.actors import system_actor
from dotmac.devtools.demo import loading
from dotmac.devtools.reports import tell_progress


class Command(BaseCommand):
    help = "Fill an empty demonstration installation with a plausible ISP."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=300)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "Only a demonstration installation (DEMO=true) is filled."
            )
        if options["customers"] < loading.COUNT_MIN:
            raise CommandError(
                f"A demonstration has at least {loading.COUNT_MIN} customers: fewer "
                "cannot show every kind of subscriber."
            )
        loading.load(
            count=options["customers"],
            folder=settings.STATE_DIR,
            actor=system_actor("demonstration"),
            now=timezone.now(),
            tell=lambda done, total, text: tell_progress(
                done=done, total=total, text=text
            ),
        )
