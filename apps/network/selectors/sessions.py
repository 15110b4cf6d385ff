"""Sessions, as the rows of radius_accounting() tell them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.network.models import SessionLive
from apps.network.rules.addressing import parsed_address, parsed_network
from apps.network.rules.credentials import MalformedText
from dotmac.core.db import fetch_dicts

SESSIONS_LIMIT = 50
# A session that missed this many interims in a row is not on line.
SILENT_INTERVALS = 3
_PREFIXES = ("framed_ipv6_prefix", "delegated_prefix")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One session, open or past. `online` is false when its NAS went silent."""

    id: int
    session_key: UUID
    generation: int
    account_id: int | None
    login: str
    nas_id: int | None
    nas_name: str
    acct_session_id: str
    framed_address: str
    mac: str
    started_at: datetime
    seen_at: datetime
    heard_at: datetime
    stopped_at: datetime | None
    seconds: int
    octets_in: int
    octets_out: int
    cause: str
    online: bool


_SESSION = """
    SELECT s.id, s.session_key, s.generation, s.account_id, s.login, s.nas_id,
           coalesce(n.name, '') AS nas_name, s.acct_session_id,
           coalesce(host(s.framed_address), '') AS framed_address, s.mac,
           s.started_at, s.seen_at, s.heard_at, s.stopped_at, s.seconds, s.octets_in,
           s.octets_out, s.cause,
           s.stopped_at IS NULL AND s.heard_at > coalesce(%(at)s, statement_timestamp())
               - make_interval(secs => 3 * coalesce(p.interim_s, 300))
               AND (n.rebooted_at < s.heard_at) IS NOT FALSE AS online
      FROM {table} s
      LEFT JOIN network_nas n ON n.id = s.nas_id
      LEFT JOIN network_accessaccount a ON a.id = s.account_id
      LEFT JOIN network_rateprofile p ON p.id = a.profile_id
"""


def sessions_of(
    account_ids: Sequence[int], *, limit: int = SESSIONS_LIMIT,
    at: datetime | None = None,
) -> list[SessionView]:  # fmt: skip
    """The latest sessions of the accounts, past ones too, newest first."""
    branch = "{select} WHERE s.account_id = ANY(%(ids)s) ORDER BY s.started_at DESC, s.id DESC LIMIT %(limit)s"
    union = " UNION ALL ".join(
        f"({branch.format(select=_SESSION.format(table=table))})"
        for table in ("network_sessionlive", "network_sessionhistory")
    )
    rows = fetch_dicts(
        f"SELECT * FROM ({union}) u ORDER BY started_at DESC, id DESC LIMIT %(limit)s",  # noqa: S608 - constants  # nosec B608
        {"ids": list(account_ids), "limit": min(limit, SESSIONS_LIMIT), "at": at},
    )
    return [SessionView(**row) for row in rows]


def session_views(
    ids: Sequence[int], *, at: datetime | None = None
) -> dict[int, SessionView]:
    """Sessions of the live table as people see them, by id."""
    rows = fetch_dicts(
        f"{_SESSION.format(table='network_sessionlive')} WHERE s.id = ANY(%(ids)s)",
        {"ids": list(ids), "at": at},
    )
    return {row["id"]: SessionView(**row) for row in rows}


def open_sessions_of(
    account_ids: Sequence[int], *, at: datetime | None = None
) -> dict[int, SessionView]:
    """The newest open session of each account that has one."""
    rows = fetch_dicts(
        f"""
        SELECT DISTINCT ON (u.account_id) u.* FROM ({_SESSION.format(table="network_sessionlive")}
            WHERE s.account_id = ANY(%(ids)s) AND s.stopped_at IS NULL) u
        ORDER BY u.account_id, u.online DESC, u.started_at DESC, u.id DESC
        """,  # noqa: S608 - constants  # nosec B608
        {"ids": list(account_ids), "at": at},
    )
    return {row["account_id"]: SessionView(**row) for row in rows}


def last_seen_of(account_ids: Sequence[int]) -> dict[int, datetime]:
    """When each account was last heard of; accounts never seen are left out."""
    rows = fetch_dicts(
        """
        SELECT i.account_id, greatest(
            (SELECT max(s.heard_at) FROM network_sessionlive s
              WHERE s.account_id = i.account_id),
            (SELECT s.heard_at FROM network_sessionhistory s
              WHERE s.account_id = i.account_id
              ORDER BY s.started_at DESC LIMIT 1)) AS seen_at
          FROM unnest(%(ids)s::bigint[]) i (account_id)
        """,
        {"ids": list(account_ids)},
    )
    return {row["account_id"]: row["seen_at"] for row in rows if row["seen_at"]}


def open_session_count(*, nas_id: int | None = None, site_id: int | None = None) -> int:
    """Open sessions of one NAS, or of the NASes of one site."""
    rows = SessionLive.objects.filter(stopped_at=None)
    if nas_id is not None:
        return rows.filter(nas_id=nas_id).count()
    return rows.filter(nas__site_id__in=[site_id]).count()


def sessions_at(rows: QuerySet[SessionLive], text: str) -> QuerySet[SessionLive] | None:
    """Those that have the address, or one inside the prefix; None where it is neither.

    By what the NAS said: IPv4, IPv6, the line's prefix and the delegated one. No index
    helps, since each would cost every Start; the table holds who is on line.
    """
    try:
        address = str(parsed_address(text))
    except MalformedText:
        try:
            network = str(parsed_network(text))
        except MalformedText:
            return None
        inside = (
            f"{field}__net_contained_or_equal"
            for field in ("framed_address", "framed_ipv6", *_PREFIXES)
        )
        return rows.filter(_any_of(inside, network))
    around = (f"{field}__net_contains_or_equals" for field in _PREFIXES)
    fields = ("framed_address", "framed_ipv6", *around)
    return rows.filter(_any_of(fields, address))


def _any_of(lookups: Iterable[str], value: str) -> Q:
    return reduce(or_, (Q(**{lookup: value}) for lookup in lookups))


def online_count(*, at: datetime | None = None) -> int:
    """Sessions on line: open, and heard of within three interim intervals.

    Not those that their NAS's reboot ended, written down or not.
    """
    rows = fetch_dicts(
        """
        SELECT count(*) AS n FROM network_sessionlive s
          LEFT JOIN network_accessaccount a ON a.id = s.account_id
          LEFT JOIN network_rateprofile p ON p.id = a.profile_id
          LEFT JOIN network_nas n ON n.id = s.nas_id
         WHERE s.stopped_at IS NULL AND (n.rebooted_at < s.heard_at) IS NOT FALSE
           AND s.heard_at > coalesce(%(at)s, statement_timestamp())
               - make_interval(secs => 3 * coalesce(p.interim_s, 300))
        """,
        {"at": at},
    )
    return int(rows[0]["n"])
