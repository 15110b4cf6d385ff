"""manage.py sync_roles: after migrate, fill the built-in roles."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.identity import operations
from dotmac.core.actors import system_actor


class Command(BaseCommand):
    help = (
        "Makes the operator's unit and gives the built-in roles their permissions."
        " Run it after migrate; a repeat changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed = operations.sync_roles(
            operator_name=settings.OPERATOR_NAME,
            actor=system_actor("sync_roles"),
            now=timezone.now(),
        )
        self.stdout.write(f"{changed} role permissions changed.")
