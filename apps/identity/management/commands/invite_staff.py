"""manage.py invite_staff ada: how the first owner gets in, and everybody later."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from apps.identity import operations, selectors
from dotmac.core.actors import system_actor
from dotmac.core.errors import DomainError


class Command(BaseCommand):
    help = "Makes a member of staff where needed and prints a one-time link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        parser.add_argument("--name", default="")
        parser.add_argument("--role", default="owner")
        parser.add_argument(
            "--admin", action="store_true", help="Opens the admin site as well."
        )
        parser.add_argument(
            "--reset",
            action="store_true",
            help="Forget the password and the authenticator of an existing member.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor, now = system_actor("invite_staff"), timezone.now()
        try:
            with transaction.atomic():
                user = selectors.find_user(
                    username=options["username"]
                ) or operations.create_staff(
                    username=options["username"],
                    email=options["email"],
                    name=options["name"],
                    role_slug=options["role"],
                    admin=options["admin"],
                    actor=actor,
                    now=now,
                )
                invite = (
                    operations.reset_mfa
                    if options["reset"]
                    else operations.invite_staff
                )
                link = invite(user_id=user.pk, actor=actor, now=now)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Valid until {link.expires_at:%Y-%m-%d %H:%M %Z}, once:")
        self.stdout.write(f"{settings.BASE_URL}{link.path}")
