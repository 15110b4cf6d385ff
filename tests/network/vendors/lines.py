"""Makes the line of a case, and asks RADIUS's functions what its NAS is told."""

from __future__ import annotations

import itertools
import os
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.network import operations
from apps.network.models import AccessAccount, Nas
from apps.network.radius import packets
from apps.network.radius.database import (
    AccessFacts,
    RadiusDatabase,
    RadiusSession,
    encoded,
    session_settings,
)
from dotmac.core.actors import system_actor
from dotmac.core.models import keyring
from tests.network.vendors import Case

ACTOR = system_actor("vendors")
REDIRECT = "https://pay.example/?a=1&b='2'"
_SERVERS = ("Cleartext-Password", "Tmp-String-1", "Class", "Acct-Interim-Interval")
_numbers = itertools.count(1)


def act(operation: str, /, **facts: Any) -> Any:
    return getattr(operations, operation)(actor=ACTOR, now=timezone.now(), **facts)


def make_line(
    case: Case, vendor: str, secret: str | None = None
) -> tuple[AccessAccount, Nas]:
    """An account in a routing table of its own, so that addresses are the same."""
    number = next(_numbers) + os.getpid() % 97 * 250
    nas = act(
        "create_nas", name=f"nas {number}", vendor=vendor, address=f"127.20.{number // 250}.{number % 250 + 1}",
        redirect_url=REDIRECT if case.redirect else "", secret=secret,
    )  # fmt: skip
    profile = act(
        "create_rate_profile", name=f"p{number}",
        **{"down_kbps": 20_000, "up_kbps": 10_000, **case.profile},
    )  # fmt: skip
    pool = None
    vrf = act("create_vrf", name=f"vrf {number}").pk
    if case.nas_pools:
        pool = _pools_of_the_nas(vrf, number)
    elif case.holds_addresses:
        pool = _pools_of_dotmac(vrf, number)
    account = act(
        "open_access", login=f"u{number}", password="right horse",
        profile_id=profile.pk, pool_id=pool,
    )  # fmt: skip
    if case.holds_addresses:
        act("allocate_address", pool_id=pool, account_id=account.pk)
        for routed in _routed_pools(vrf, number):
            act("allocate_address", pool_id=routed, account_id=account.pk)
    if case.vlan:
        group = act("create_vlan_group", name=f"g{number}", vid_min=101)
        act("assign_vlan", group_id=group.pk, account_id=account.pk)
    if case.hold:
        act("place_hold", account_id=account.pk, reason="admin", effect=case.hold)
    return account, nas


def _pools_of_the_nas(vrf: int, number: int) -> int:
    partner = None
    for name, use in (
        ("nas'pd", "delegated"), ("nas-link", "link"), ("nas v4", "address"),
    ):  # fmt: skip
        partner = act(
            "create_pool", name=f"{name} {number}", vrf_id=vrf, mode="nas",
            framed_pool=name, use=use, with_v6_id=partner,
        ).pk  # fmt: skip
    assert partner is not None
    return int(partner)


def _pools_of_dotmac(vrf: int, number: int) -> int:
    partner = None
    for name, use, length, cidr in (
        ("pd", "delegated", 56, "2001:db8:1000::/40"),
        ("link", "link", 64, "2001:db8:0:1::/64"),
        ("v4", "address", None, "100.64.0.0/24"),
    ):
        partner = act(
            "create_pool", name=f"{name} {number}", vrf_id=vrf, use=use,
            delegated_length=length, with_v6_id=partner,
        ).pk  # fmt: skip
        act("create_prefix", cidr=cidr, vrf_id=vrf, pool_id=partner)
    assert partner is not None
    return int(partner)


def _routed_pools(vrf: int, number: int) -> list[int]:
    pools = []
    for cidr, length in (("203.0.113.0/24", 29), ("2001:db8:2000::/40", 48)):
        pool = act(
            "create_pool", name=f"routed {length} {number}", vrf_id=vrf, use="routed",
            delegated_length=length,
        )  # fmt: skip
        act("create_prefix", cidr=cidr, vrf_id=vrf, pool_id=pool.pk)
        pools.append(pool.pk)
    return pools


def radius_session() -> RadiusSession:
    """As a RADIUS server has it, on the test's database."""
    url = os.environ["RADIUS_DATABASE_URL"].rsplit("/", 1)[0]
    name = connection.settings_dict["NAME"]
    return RadiusSession(
        RadiusDatabase.from_url(f"{url}/{name}"),
        lambda: session_settings(keyring(), "UTC"),
    )


def told(
    session: RadiusSession, account: AccessAccount, nas: Nas
) -> list[tuple[str, str, str]]:
    """Attribute, value and op of an Access-Accept, without what is everybody's."""
    rows = session.authorize(
        AccessFacts(login=encoded(account.login.encode()), nas=str(nas.address))
    )
    return [
        (name, packets.unquoted(value), op)
        for name, value, op in rows
        if name not in _SERVERS
    ]


def edge_rate(account: AccessAccount, nas: Nas) -> list[tuple[str, str]]:
    """What a CoA would carry."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attribute, value FROM network_edge_rate(%s, %s)",
            [account.pk, nas.pk],
        )
        return [(name, packets.unquoted(value)) for name, value in cursor.fetchall()]
