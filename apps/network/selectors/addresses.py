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
    capacity: Decimal
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
    return {row["prefix_id"]: PrefixUsage(**row) for row in rows}


def free_address_count(pool_id: int, *, at: datetime | None = None) -> Decimal:
    """How many addresses of the pool could be given out now; none may be left."""
    rows = fetch_dicts(
        """
        SELECT coalesce(sum(network_unit_count(p.cidr, o.delegated_length, p.gateway)), 0)
               - (SELECT count(*) FROM network_addressassignment t
                   WHERE t.pool_id = %(pool)s AND (t.released_at IS NULL
                      OR t.reusable AND t.quarantined_until >
                         coalesce(%(at)s, statement_timestamp()))) AS free
          FROM network_prefix p JOIN network_addresspool o ON o.id = p.pool_id
         WHERE p.pool_id = %(pool)s
        """,
        {"pool": pool_id, "at": at},
    )
    return Decimal(rows[0]["free"])
