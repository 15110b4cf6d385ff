"""The lines that are known at a site: for its snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.network.models import AccessAccount, Nas, SessionHistory, SessionLive

KNOWN_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLine:
    """An open account, and of the session that is on now what tells its line."""

    login: str
    mac_lock: str
    expires_at: datetime | None
    mac: str = ""
    port: str = ""
    circuit: str = ""


def addresses_of_site(site_id: int) -> list[str]:
    """The addresses of a site's enabled NASes."""
    found = Nas.objects.filter(site_id=site_id, enabled=True).order_by("pk")
    return [str(address) for address in found.values_list("address", flat=True)]


def lines_known_at(addresses: list[str], *, since: datetime) -> list[KnownLine]:
    """Open accounts that had a session on one of these NASes since then."""
    here = list(Nas.objects.filter(address__in=addresses).values_list("pk", flat=True))
    known: set[int] = set()
    for sessions in (SessionLive, SessionHistory):
        found = sessions.objects.filter(
            nas_id__in=here, heard_at__gte=since, account_id__isnull=False
        )
        known |= set(found.values_list("account_id", flat=True).distinct())
    live = {
        session.account_id: session
        for session in SessionLive.objects.filter(
            account_id__in=known, stopped_at=None
        ).order_by("started_at")
    }
    accounts = AccessAccount.objects.filter(pk__in=known, closed_at=None)
    return [_line(account, live.get(account.pk)) for account in accounts.order_by("pk")]


def _line(account: AccessAccount, session: SessionLive | None) -> KnownLine:
    return KnownLine(
        login=account.login,
        mac_lock=account.mac_lock,
        expires_at=account.expires_at,
        mac=session.mac if session else "",
        port=session.nas_port if session else "",
        circuit=session.circuit if session else "",
    )
