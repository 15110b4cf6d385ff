"""Makes or renews what Wi-Fi with logins (WPA-Enterprise) needs: see docs/radius.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.network.models import Nas
from apps.network.radius import certificates
from apps.network.radius.certificates import CertificateRefused, Folder, Prepared


class Command(BaseCommand):
    """Repeating it changes nothing while the certificate has a month to go.

    So it may run every week by itself; phones keep trusting the same authority.
    """

    help = (
        "Make the authority that phones trust and the RADIUS server's certificate, or "
        "renew the latter when it is about to expire; then show what phones are given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--name",
            default="",
            help="The server's name as phones expect it, such as radius.example.com; "
            "it need not be in the DNS. Asked for at the first time only.",
        )
        parser.add_argument(
            "--days",
            type=int,
            default=certificates.SERVER_DAYS,
            help="How long the server's certificate is valid.",
        )
        parser.add_argument(
            "--renew",
            action="store_true",
            help="Make a new certificate now, also for another --name.",
        )
        parser.add_argument(
            "--dir",
            dest="directory",
            type=Path,
            default=settings.RADIUS_CERTIFICATES_DIR,
        )

        parser.add_argument(
            "--nas",
            type=int,
            help="The number of a NAS: make a certificate with which it connects (RadSec).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Folder(options["directory"].resolve())
        try:
            if options["nas"] is not None:
                self._for_nas(folder, options["nas"], options["days"])
                return
            prepared = certificates.prepare(
                folder,
                operator=settings.OPERATOR_NAME,
                now=timezone.now(),
                name=options["name"],
                days=options["days"],
                renew=options["renew"],
            )
        except (CertificateRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(_said(folder, prepared)))

    def _for_nas(self, folder: Folder, nas_id: int, days: int) -> None:
        nas = Nas.objects.filter(pk=nas_id).first()
        if nas is None:
            raise CommandError(f"There is no NAS {nas_id}.")
        issued, path = certificates.prepare_client(
            folder, nas_id=nas_id, now=timezone.now(), days=days
        )
        lines = [
            f"{nas.name}: key and certificate {issued.name}, valid until "
            f"{issued.until:%d %b %Y}.",
            f"  for the NAS         {path} (with its key: remove it here afterwards)",
            f"  CA certificate      {folder.path / certificates.CA_PEM}",
            f"  server              port {settings.RADIUS_RADSEC_PORT}, secret radsec",
        ]
        self.stdout.write("\n".join(lines))


def _said(folder: Folder, prepared: Prepared) -> list[str]:
    """What was done, and what goes on the phones."""
    server, authority = prepared.server, prepared.authority
    done = "The certificate is new: restart FreeRADIUS, which reads it at its start."
    return [
        f"Server {server.name}: certificate valid until {server.until:%d %b %Y}.",
        f"Authority {authority.name}: valid until {authority.until:%d %b %Y}.",
        done if prepared.is_new else "Nothing was changed.",
        "",
        "On phones and computers:",
        f"  CA certificate      {folder.path / certificates.CA_PEM} (Android, Linux)",
        f"                      {folder.path / certificates.CA_DER} (Apple, Windows)",
        f"  its SHA-256         {authority.fingerprint}",
        f"  domain, server name {server.name}",
        "",
        f"Keep a copy of {folder.path / certificates.AUTHORITY_FILE} where nobody else "
        "reads it: without it every phone is to be set up anew.",
    ]
