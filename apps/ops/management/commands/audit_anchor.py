"""Sign the head of the audit chain into AUDIT_ANCHOR_DIR, as beat does every day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.ops import operations
from dotmac.core.crypto import KeyFileRefused


class Command(BaseCommand):
    """Repeating it without new entries writes nothing."""

    help = "Anchor the audit chain outside the database."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            anchor = operations.anchor_audit(now=timezone.now())
        except KeyFileRefused as error:
            raise CommandError(str(error)) from error
        if anchor is None:
            self.stdout.write("Nothing was recorded yet.")
            return
        self.stdout.write(
            f"Anchor {anchor.number}: {anchor.stream} #{anchor.sequence} {anchor.hash}"
        )
