"""manage.py load_vendor_maps: after a change of radius/vendors, tell RADIUS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.network import operations
from dotmac.core.actors import system_actor


class Command(BaseCommand):
    help = "Make the rules of RADIUS answers those of the vendors' files."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = operations.load_vendor_maps(
            actor=system_actor("load_vendor_maps"), now=timezone.now()
        )
        told = ", ".join(changed) or "none"
        self.stdout.write(f"Vendors with another map: {told}.")
