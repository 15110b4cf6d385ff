"""Who holds which address, held it when, and how full prefixes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.network.rules.addressing import enclosing_blocks, parsed_address
from dotmac.core.db import fetch_dicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The account that held an address, and from when to when."""

    account_id: int
    login: str
    address: str
    assigned_at: datetime
    released_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixUsage:
    """How full a prefix is.

    A network counts addresses (or delegated blocks) held, resting and possible;
    a container counts the networks inside, and their share of its space.
    """

    prefix_id: int
    held: int
    resting: int
    capacity: int
    percent: Decimal


def holder_of(address: str, vrf_id: int, at: datetime) -> Holder | None:
    """Who held the address at that instant, delegated prefixes included."""
    blocks = enclosing_blocks(parsed_address(address))
    rows = fetch_dicts(
        """
        SELECT s.account_id, a.login, host(s.address) || CASE WHEN masklen(s.address) =
                   (CASE family(s.address) WHEN 4 THEN 32 ELSE 128 END)
               THEN '' ELSE '/' || masklen(s.address) END AS address,
               s.assigned_at, s.released_at
          FROM network_addressassignment s
          JOIN network_accessaccount a ON a.id = s.account_id
         WHERE s.vrf_id = %(vrf)s AND s.address = ANY(%(blocks)s::inet[])
           AND s.assigned_at <= %(at)s
           AND (s.released_at IS NULL OR s.released_at > %(at)s)
         ORDER BY s.assigned_at DESC LIMIT 1
        """,
        {"vrf": vrf_id, "blocks": blocks, "at": at},
    )
    return Holder(**rows[0]) if rows else None


def prefix_usages(
    prefix_ids: Sequence[int], *, at: datetime | None = None
) -> dict[int, PrefixUsage]:
    """Utilisation by prefix id, computed in one statement."""
    rows = fetch_dicts(
        """
        SELECT p.id AS prefix_id,
               coalesce(CASE p.kind WHEN 'container' THEN k.n ELSE s.held END, 0) AS held,
               coalesce(s.resting, 0) AS resting,
               c.capacity,
               least(100, round(100 * CASE p.kind WHEN 'container' THEN coalesce(k.share, 0)
                    ELSE coalesce(s.held, 0) / greatest(c.capacity, 1) END, 1)) AS percent
          FROM network_prefix p
          LEFT JOIN network_addresspool o ON o.id = p.pool_id
          CROSS JOIN LATERAL (SELECT network_unit_count(
              p.cidr, o.delegated_length, p.gateway) AS capacity) c
          LEFT JOIN LATERAL (
              SELECT count(*) FILTER (WHERE t.released_at IS NULL) AS held,
                     count(*) FILTER (WHERE t.reusable AND t.quarantined_until >
                         coalesce(%(at)s, statement_timestamp())) AS resting
                FROM network_addressassignment t
               WHERE t.prefix_id = p.id AND (t.released_at IS NULL OR t.reusable)
          ) s ON p.kind = 'network'
          LEFT JOIN LATERAL (
              SELECT count(*) AS n,
                     sum(2::numeric ^ (masklen(p.cidr) - masklen(t.cidr))) AS share
                FROM network_prefix t
               WHERE t.vrf_id = p.vrf_id AND t.kind = 'network' AND t.cidr <<= p.cidr
          ) k ON p.kind = 'container'
         WHERE p.id = ANY(%(ids)s)
        """,
        {"ids": list(prefix_ids), "at": at},
    )
    return {
        row["prefix_id"]: PrefixUsage(**{**row, "capacity": int(row["capacity"])})
        for row in rows
    }


def prefix_depths(prefix_ids: Sequence[int]) -> dict[int, int]:
    """How many containers of its VRF each prefix lies in."""
    rows = fetch_dicts(
        """
        SELECT p.id, count(c.id) AS depth FROM network_prefix p
          LEFT JOIN network_prefix c ON c.vrf_id = p.vrf_id AND c.kind = 'container'
           AND c.id <> p.id AND c.cidr >>= p.cidr
         WHERE p.id = ANY(%s) GROUP BY p.id
        """,
        [list(prefix_ids)],
    )
    return {row["id"]: row["depth"] for row in rows}


def holders_now(address: str) -> list[int]:
    """The accounts that hold the address, or a block around it, in any VRF."""
    rows = fetch_dicts(
        """
        SELECT account_id FROM network_addressassignment
         WHERE released_at IS NULL AND address = ANY(%s::inet[]) LIMIT 50
        """,
        [enclosing_blocks(parsed_address(address))],
    )
    return [row["account_id"] for row in rows]


def free_address_count(pool_id: int, *, at: datetime | None = None) -> int:
    """How many addresses of the pool could be given out now."""
    return free_address_counts([pool_id], at=at).get(pool_id, 0)


def free_address_counts(
    pool_ids: Sequence[int], *, at: datetime | None = None
) -> dict[int, int]:
    """The same for many pools, in one statement. Huge IPv6 pools count whole."""
    rows = fetch_dicts(
        """
        SELECT o.id, c.capacity - (
                   SELECT count(*) FROM network_addressassignment t
                    WHERE t.pool_id = o.id AND (t.released_at IS NULL
                       OR t.reusable AND t.quarantined_until >
                          coalesce(%(at)s, statement_timestamp()))) AS free
          FROM network_addresspool o
          CROSS JOIN LATERAL (
              SELECT coalesce(sum(network_unit_count(
                         p.cidr, o.delegated_length, p.gateway)), 0) AS capacity
                FROM network_prefix p WHERE p.pool_id = o.id) c
         WHERE o.id = ANY(%(ids)s)
        """,
        {"ids": list(pool_ids), "at": at},
    )
    return {row["id"]: int(row["free"]) for row in rows}


def tight_pool_ids(*, tenths: int = 1) -> list[int]:
    """Pools of which less than so many tenths are free."""
    rows = fetch_dicts(
        """
        SELECT o.id FROM network_addresspool o
          CROSS JOIN LATERAL (
              SELECT sum(network_unit_count(
                         p.cidr, o.delegated_length, p.gateway)) AS capacity
                FROM network_prefix p WHERE p.pool_id = o.id) c
         WHERE o.mode = 'dotmac' AND c.capacity > 0 AND (
               SELECT count(*) FROM network_addressassignment t
                WHERE t.pool_id = o.id AND t.released_at IS NULL
               ) * 10 > c.capacity * (10 - %(tenths)s)
         ORDER BY o.id LIMIT 100
        """,
        {"tenths": tenths},
    )
    return [row["id"] for row in rows]
