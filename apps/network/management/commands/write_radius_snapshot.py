"""Makes the snapshot with which a site goes on when it is cut off."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.network import selectors
from apps.network.radius.database import (
    AccessFacts,
    RadiusDatabase,
    RadiusSession,
    Row,
    encoded,
    session_settings,
)
from apps.network.radius.snapshot import (
    SECONDS_MAX,
    Centre,
    Known,
    KnownNas,
    Snapshot,
    SnapshotRefused,
)
from apps.network.selectors import KnownLine
from dotmac.core.models import keyring

HOUR_S = 3600


class Command(BaseCommand):
    """Repeating it makes the next one; a site takes no older one after it."""

    help = (
        "Write the signed, sealed snapshot of a site's NASes and of the subscribers "
        "that were on line there in the last 90 days."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", type=int, required=True, help="The site's id.")
        parser.add_argument(
            "--hours",
            type=int,
            default=12,
            help="How long the site may go on with it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RADIUS_DATABASE_URL:
            raise CommandError("Set RADIUS_DATABASE_URL to the URL of role radius.")
        seconds = options["hours"] * HOUR_S
        if not 0 < seconds <= SECONDS_MAX:
            raise CommandError(f"From 1 to {SECONDS_MAX // HOUR_S} hours.")
        nases = selectors.addresses_of_site(options["site"])
        if not nases:
            raise CommandError("There is no enabled NAS at this site.")
        session = RadiusSession(
            RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL),
            lambda: session_settings(keyring(), settings.OPERATOR_TIME_ZONE),
        )
        centre = Centre(settings.RADIUS_SNAPSHOTS_DIR, f"site-{options['site']}")
        try:
            snapshot = self._made(session, nases, centre.next_sequence(), seconds)
            path = centre.keep(snapshot)
        except SnapshotRefused as error:
            raise CommandError(str(error)) from error
        finally:
            session.close()
        self.stdout.write(
            f"{path}: sequence {snapshot.sequence}, {len(snapshot.nases)} NASes, "
            f"{len(snapshot.subscribers)} subscribers, for {options['hours']} hours."
        )

    def _made(
        self, session: RadiusSession, nases: list[str], sequence: int, seconds: int
    ) -> Snapshot:
        now = int(time.time())
        known_nases = {}
        for address in nases:
            client = session.client(address)
            if client is not None:
                known_nases[address] = KnownNas(
                    client.name,
                    client.secret.decode(),
                    client.require_message_authenticator,
                )
        since = timezone.now() - timedelta(days=selectors.KNOWN_DAYS)
        lines = selectors.lines_known_at(nases, since=since)
        return Snapshot(
            sequence=sequence,
            made_at=now,
            valid_until=now + seconds,
            nases=known_nases,
            subscribers={
                line.login: Known(
                    mac_lock=line.mac_lock,
                    expires_at=(
                        int(line.expires_at.timestamp()) if line.expires_at else None
                    ),
                    rows=self._rows(session, line, known_nases),
                )
                for line in lines
            },
        )

    def _rows(
        self, session: RadiusSession, line: KnownLine, nases: dict[str, KnownNas]
    ) -> dict[str, list[Row]]:
        """As if the line that is on now dialled again: its own session does not count."""
        found = {}
        for address, nas in nases.items():
            rows = session.authorize(
                AccessFacts(
                    login=encoded(line.login.encode()),
                    nas=address,
                    client=nas.name,
                    mac=encoded((line.mac_lock or line.mac).encode()),
                    port=line.port,
                    circuit=encoded(line.circuit.encode()),
                )
            )
            if rows and not any(name == "Tmp-String-0" for name, _, _ in rows):
                found[address] = rows
        return found
