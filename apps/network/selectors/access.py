"""Accounts as people see them: state and why, addresses, whether on line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from apps.network.models import AccessAccount, AccessHold
from apps.network.selectors.sessions import (
    SessionView,
    last_seen_of,
    open_sessions_of,
)
from dotmac.core.db import fetch_dicts
from dotmac.core.models import open_sealed

VIEWS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """One open hold: why the account may not connect freely."""

    reason: str
    effect: str
    note: str
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An access account with everything that explains its state."""

    account_id: int
    login: str
    kind: str
    state: str
    effect: str
    profile_id: int
    profile_name: str
    down_kbps: int
    up_kbps: int
    pool_id: int | None
    pool_name: str
    vid: int | None
    mac_lock: str
    sessions_max: int | None
    expires_at: datetime | None
    closed_at: datetime | None
    holds: list[HoldView]
    addresses: list[str]
    session: SessionView | None
    last_seen_at: datetime | None

    @property
    def online(self) -> bool:
        return self.session is not None and self.session.online


def account_view(account_id: int, *, at: datetime | None = None) -> AccountView:
    """One account; raises LookupError when there is none."""
    views = account_views([account_id], at=at)
    if account_id not in views:
        raise LookupError(f"There is no access account {account_id}.")
    return views[account_id]


def account_views(
    ids: Sequence[int], *, at: datetime | None = None
) -> dict[int, AccountView]:
    """Many accounts by id, in five queries however many they are.

    Without `at`, the state is that of the database's clock.
    """
    wanted = list(ids)[:VIEWS_MAX]
    if not wanted:
        return {}
    holds, addresses = _holds(wanted), _addresses(wanted)
    sessions, seen = open_sessions_of(wanted, at=at), last_seen_of(wanted)
    return {
        row["account_id"]: AccountView(
            **row,
            holds=holds[row["account_id"]],
            addresses=addresses[row["account_id"]],
            session=sessions.get(row["account_id"]),
            last_seen_at=seen.get(row["account_id"]),
        )
        for row in _accounts(wanted, at)
    }


def find_account(login: str) -> AccessAccount | None:
    """The open account of the login, byte by byte."""
    return AccessAccount.objects.active().filter(login=login).first()


def logins_in_use(logins: Sequence[str]) -> set[str]:
    """Those of the logins that open accounts have, byte by byte."""
    rows = AccessAccount.objects.active().filter(login__in=list(logins))
    return set(rows.values_list("login", flat=True))


def open_holds(account_id: int) -> dict[str, str]:
    """The effect of each open hold of the account, by reason."""
    rows = AccessHold.objects.filter(account_id=account_id, lifted_at=None)
    return dict(rows.values_list("reason", "effect"))


def held_with(effect: str, *, account_column: str) -> Exists:
    """A condition for rows above: the account in this column of the outer query
    has an open hold of that effect."""
    rows = AccessHold.objects.filter(
        account_id=OuterRef(account_column), lifted_at=None, effect=effect
    )
    return Exists(rows)


def account_secret(account_id: int) -> str:
    """The clear password, for the provisioning check and for demonstrations."""
    return open_sealed(AccessAccount.objects.get(pk=account_id), "secret")


def _accounts(ids: list[int], at: datetime | None) -> list[dict[str, Any]]:
    return fetch_dicts(
        """
        SELECT a.id AS account_id, a.login, a.kind, t.state, t.effect, a.profile_id,
               p.name AS profile_name, p.down_kbps, p.up_kbps, a.pool_id,
               coalesce(o.name, '') AS pool_name, v.vid, a.mac_lock, a.sessions_max, a.expires_at,
               a.closed_at
          FROM network_accessaccount a
          CROSS JOIN LATERAL network_access_state(
              a.id, coalesce(%(at)s, statement_timestamp())) t
          JOIN network_rateprofile p ON p.id = a.profile_id
          LEFT JOIN network_addresspool o ON o.id = a.pool_id
          LEFT JOIN network_vlan v ON v.id = a.vlan_id
         WHERE a.id = ANY(%(ids)s)
         ORDER BY a.id
        """,
        {"ids": ids, "at": at},
    )


def _holds(ids: list[int]) -> dict[int, list[HoldView]]:
    found: dict[int, list[HoldView]] = defaultdict(list)
    rows = fetch_dicts(
        """
        SELECT account_id, reason, effect, note, placed_at FROM network_accesshold
         WHERE account_id = ANY(%(ids)s) AND lifted_at IS NULL
         ORDER BY placed_at, id
        """,
        {"ids": ids},
    )
    for row in rows:
        found[row.pop("account_id")].append(HoldView(**row))
    return found


def _addresses(ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = fetch_dicts(
        """
        SELECT account_id, CASE WHEN masklen(address) =
                   (CASE family(address) WHEN 4 THEN 32 ELSE 128 END)
               THEN host(address) ELSE text(address) END AS address
          FROM network_addressassignment
         WHERE account_id = ANY(%(ids)s) AND released_at IS NULL
         ORDER BY family(address), address
        """,
        {"ids": ids},
    )
    for row in rows:
        found[row["account_id"]].append(row["address"])
    return found
