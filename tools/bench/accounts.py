"""Subscribers for the measurement of RADIUS, by COPY; part of `tools.bench.inside`.

Django is set up by whoever imports this.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.network import operations as network
from apps.network.enums import HoldEffect, HoldReason
from apps.network.models import (
    AccessAccount,
    AccessHold,
    AddressAssignment,
    Prefix,
    RateProfile,
)
from dotmac.core.actors import system_actor
from dotmac.core.db import copy_rows, next_ids
from dotmac.core.models import keyring

ACTOR = system_actor("benchmark")
CHUNK = 10_000
BLOCK = "10.0.0.0/8"
# Download, upload, and a burst for one of them.
SPEEDS: tuple[dict[str, Any], ...] = (
    {"down_kbps": 10_000, "up_kbps": 5_000},
    {
        "down_kbps": 50_000, "up_kbps": 20_000, "burst_down_kbps": 80_000,
        "burst_up_kbps": 40_000, "burst_s": 8,
    },
)  # fmt: skip
THROTTLED_EVERY = 10


def make_subscribers(first: int, count: int, password: str) -> dict[str, int]:
    """Accounts `b1`… with a sealed password and an address each, two speeds.

    Every tenth has used up its quota: an open hold throttles it. As the operations
    would leave them, but for events and audit rows. `first` are there already.
    """
    now = timezone.now()
    if not first:
        _make_plans(now)
    profiles = list(RateProfile.objects.order_by("pk").values_list("pk", flat=True))
    hosts = islice(ipaddress.ip_network(BLOCK).hosts(), first, None)
    for done in range(first, first + count, CHUNK):
        size = min(CHUNK, first + count - done)
        with transaction.atomic():
            ids = next_ids(AccessAccount, size)
            _copy_accounts(ids, done, password, profiles)
            _copy_addresses(ids, [str(host) for host in islice(hosts, size)], now)
            copy_rows(
                AccessHold,
                ("account", "reason", "effect", "note", "placed_at"),
                (
                    (pk, HoldReason.QUOTA.value, HoldEffect.THROTTLE.value, "", now)
                    for pk in ids[::THROTTLED_EVERY]
                ),
            )
    return {"accounts": count}


def _make_plans(now: datetime) -> None:
    pool = network.create_pool(name="bench", actor=ACTOR, now=now)
    network.create_prefix(cidr=BLOCK, pool_id=pool.pk, actor=ACTOR, now=now)
    for number, speed in enumerate(SPEEDS):
        network.create_rate_profile(
            name=f"Bench {number}", actor=ACTOR, now=now, **speed
        )


def _copy_accounts(
    ids: list[int], first: int, password: str, profiles: list[int]
) -> None:
    ring, table = keyring(), AccessAccount._meta.db_table
    pool = Prefix.objects.get(cidr=BLOCK).pool_id
    copy_rows(
        AccessAccount,
        ("id", "login", "secret", "kind", "mac_lock", "pool", "profile"),
        (
            (
                pk,
                f"b{first + number + 1}",
                ring.seal(password, table=table, column="secret", row_id=pk),
                "radius",
                "",
                pool,
                profiles[number % len(profiles)],
            )
            for number, pk in enumerate(ids)
        ),
    )


def _copy_addresses(ids: list[int], addresses: list[str], now: datetime) -> None:
    prefix = Prefix.objects.get(cidr=BLOCK)
    place = (prefix.vrf_id, prefix.pool_id, prefix.pk)
    copy_rows(
        AddressAssignment,
        ("vrf", "pool", "prefix", "address", "account", "assigned_at", "reusable"),
        (
            (*place, address, pk, now, False)
            for pk, address in zip(ids, addresses, strict=True)
        ),
    )
