"""The platform's own NAS, and real login attempts through it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from apps.network import selectors
from apps.network.errors import NameTaken, NasAddressTaken
from apps.network.models import AccessAccount, Nas
from apps.network.operations.equipment import create_nas
from apps.network.radius.client import (
    AccessQuestion,
    CheckResult,
    StatusQuestion,
    is_alive,
)
from apps.network.radius.client import check_access as ask
from dotmac.core.actors import Actor, system_actor

# radius_authorize() counts no sessions for this one: it never opens any.
PLATFORM_NAS = "127.0.0.2"
PLATFORM_NAME = "DotMac itself"
# Compared with, never listened on.
_EVERY_ADDRESS = frozenset({"", "*", "0.0.0.0"})  # noqa: S104  # nosec B104


@transaction.atomic
def ensure_platform_nas(*, now: datetime, actor: Actor | None = None) -> Nas:
    """The NAS through which the platform checks logins. Repeating changes nothing."""
    known = Nas.objects.filter(address=PLATFORM_NAS).first()
    if known is not None:
        return known
    try:
        return create_nas(
            name=PLATFORM_NAME, address=PLATFORM_NAS, vendor="generic",
            actor=actor or system_actor("platform"), now=now,
        )  # fmt: skip
    except (NasAddressTaken, NameTaken):
        # Somebody else was faster.
        return Nas.objects.get(address=PLATFORM_NAS)


def check_access(*, login: str, password: str) -> CheckResult:
    """Send a real Access-Request to the listening server and tell its answer.

    No transaction: a packet must not wait inside one, and the account that it
    asks for must be committed. Says `silent` when nothing genuine came back.
    """
    nas = ensure_platform_nas(now=_database_clock())
    mac = (
        AccessAccount.objects.active()
        .filter(login=login)
        .values_list("mac_lock", flat=True)
        .first()
    )
    return ask(
        AccessQuestion(
            login=login,
            password=password,
            server=(own_host(), settings.RADIUS_AUTH_PORT),
            secret=selectors.nas_secret(nas.pk),
            nas_address=PLATFORM_NAS,
            mac=mac or "",
        )
    )


def silent_ports() -> list[int]:
    """Which of the server's two ports give no answer to a Status-Server request.

    No transaction, as in `check_access`.
    """
    nas = ensure_platform_nas(now=_database_clock())
    secret = selectors.nas_secret(nas.pk)
    return [
        port
        for port in (settings.RADIUS_AUTH_PORT, settings.RADIUS_ACCT_PORT)
        if not is_alive(
            StatusQuestion(
                server=(own_host(), port), secret=secret, nas_address=PLATFORM_NAS
            )
        )
    ]


def own_host() -> str:
    """Where this machine reaches its RADIUS server."""
    host: str = settings.RADIUS_HOST
    return "127.0.0.1" if host in _EVERY_ADDRESS else host


def _database_clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        clock: datetime = cursor.fetchone()[0]
        return clock
