"""What an imported user stands on: pools, prefixes, speeds, attributes of NASes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from django.db import connection

from apps.network.enums import PoolMode, PoolUse, PrefixKind, ReplyMoment
from apps.network.errors import AddressTaken
from apps.network.models import (
    AccessAccount,
    AddressAssignment,
    AddressPool,
    Nas,
    NasAttribute,
    Prefix,
    RateProfile,
    VendorRule,
)
from apps.network.operations.addresses import tell_allocated
from apps.network.operations.checking import PLATFORM_NAS
from apps.network.operations.profiles import create_rate_profile
from apps.network.radius.attributes import attribute_table
from apps.network.rules.addressing import Network, is_host_of
from apps.network.rules.attributes import encoded_value, known_attribute
from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports.people import ImportedUser
from apps.network.rules.imports.rates import Rate
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput

# What each kind of use is told as, and so what an engineer would look for.
_MOMENTS = (ReplyMoment.ALWAYS, ReplyMoment.OPEN)


@dataclass(frozen=True, slots=True)
class Home:
    """Where an address of an old server lies in DotMac."""

    prefix: Prefix
    network: Network

    @property
    def pool_id(self) -> int:
        assert self.prefix.pool_id is not None  # prefixes of pools only are looked at
        return self.prefix.pool_id

    @property
    def text(self) -> str:
        """As network_addressassignment has it: with its length."""
        return str(self.network)


@dataclass(frozen=True, slots=True)
class Ground:
    """Read once for a chunk: no question for each user."""

    prefixes: dict[tuple[str, int, int], dict[int, list[Prefix]]]
    pools: dict[str, AddressPool]
    covered: frozenset[tuple[str, bytes]]
    default: RateProfile | None

    def homes(self, user: ImportedUser) -> list[Home]:
        """The prefix of each of its addresses; raises InvalidInput where one has none."""
        return [self._home(use, ip_network(text)) for use, text in user.addresses]

    def _home(self, use: str, network: Network) -> Home:
        found = [
            prefix
            for length in range(network.prefixlen, -1, -1)
            for prefix in self.prefixes.get((use, network.version, length), {}).get(
                int(network.supernet(new_prefix=length).network_address), []
            )
            if _fits(prefix, use, network)
        ]
        if not found:
            raise InvalidInput(
                f"No pool of DotMac gives {_shown(network)} out ({PoolUse(use).label})."
            )
        if len(found) > 1:
            raise InvalidInput(f"{_shown(network)} lies in more than one pool.")
        return Home(found[0], network)

    def pool_id(self, user: ImportedUser, homes: Sequence[Home]) -> int | None:
        """That of its address; else the one of that name, here or on the NAS."""
        uses = [use for use, _ in user.addresses]
        if PoolUse.ADDRESS in uses:
            return homes[uses.index(PoolUse.ADDRESS)].pool_id
        if not user.pool:
            return homes[0].pool_id if homes else None
        pool = self.pools.get(user.pool)
        if pool is None:
            raise InvalidInput(f"There is no pool {user.pool}. Make it first.")
        return pool.pk

    def require_cover(self, user: ImportedUser) -> None:
        """Raise for an attribute that nobody would tell the NAS any more."""
        missing = [pair for pair in user.extras if _wire(*pair) not in self.covered]
        if missing:
            told = ", ".join(f"{name} = {value}" for name, value in missing)
            raise InvalidInput(
                f"An account has no place for {told}. Where all lines of a NAS are told"
                " it, add it to the attributes of the NAS."
            )

    def require_speed(self, user: ImportedUser) -> None:
        """Raise where neither the user nor the import says a speed."""
        if user.rate is None and self.default is None:
            raise InvalidInput("It has no speed. Choose a profile for those.")


def ground_of(*, profile: RateProfile | None, nas: Nas | None) -> Ground:
    """What is there now. A few statements, however many users follow."""
    prefixes: dict[tuple[str, int, int], dict[int, list[Prefix]]] = {}
    rows = Prefix.objects.filter(
        kind=PrefixKind.NETWORK, pool__mode=PoolMode.DOTMAC
    ).select_related("pool")
    for prefix in rows:
        network = ip_network(str(prefix.cidr))
        pool = prefix.pool
        assert pool is not None
        key = (pool.use, network.version, network.prefixlen)
        by_start = prefixes.setdefault(key, {})
        by_start.setdefault(int(network.network_address), []).append(prefix)
    pools = {pool.framed_pool: pool for pool in AddressPool.objects.order_by("-pk")}
    pools |= {pool.name: pool for pool in AddressPool.objects.all()}
    pools.pop("", None)
    return Ground(prefixes, pools, _covered(nas), profile)


def _covered(nas: Nas | None) -> frozenset[tuple[str, bytes]]:
    """What the NAS is told with every open line; without one what all of them are."""
    chosen = [nas] if nas is not None else list(
        Nas.objects.filter(enabled=True).exclude(address=PLATFORM_NAS)
    )  # fmt: skip
    sets = [_told_by(one) for one in chosen]
    return frozenset.intersection(*sets) if sets else frozenset()


def _told_by(nas: Nas) -> frozenset[tuple[str, bytes]]:
    own = NasAttribute.objects.filter(nas=nas, moment__in=_MOMENTS)
    fixed = VendorRule.objects.filter(
        vendor__slug=nas.vendor, needs=0, unless=0, in_accept=True
    ).exclude(template__contains="%")
    pairs = [
        *own.values_list("attribute", "value"),
        *fixed.values_list("attribute", "template"),
    ]
    return frozenset(_wire(name, value) for name, value in pairs)


def _wire(name: str, value: str) -> tuple[str, bytes]:
    """As it travels: Framed-User, Framed and 2 are the same Service-Type."""
    try:
        attribute, tag = known_attribute(name, attribute_table())
        return name, encoded_value(attribute, tag, value)
    except MalformedText:
        return name, value.encode()


def _fits(prefix: Prefix, use: str, network: Network) -> bool:
    """Whether the pool gives units of this size, and this one is a unit."""
    assert prefix.pool is not None
    length = prefix.pool.delegated_length
    if length is not None:
        return network.prefixlen == length
    address, gateway = network.network_address, prefix.gateway
    return (
        network.prefixlen == network.max_prefixlen
        and is_host_of(address, ip_network(str(prefix.cidr)))
        and (gateway is None or str(gateway) != str(address))
    )


def _shown(network: Network) -> str:
    whole = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if whole else str(network)


def held_already(homes: Sequence[Home]) -> set[tuple[int, str]]:
    """Which of these (VRF and address) somebody holds now; in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT w.vrf, w.address FROM unnest(%s::bigint[], %s::text[])"
            " AS w (vrf, address) JOIN network_addressassignment s ON s.vrf_id = w.vrf"
            " AND s.address && w.address::inet WHERE s.released_at IS NULL",
            [[h.prefix.vrf_id for h in homes], [h.text for h in homes]],
        )
        return {(int(vrf), str(address)) for vrf, address in cursor.fetchall()}


def take_address(
    home: Home, account: AccessAccount, *, actor: Actor, now: datetime
) -> AddressAssignment:
    """Give the account this very address; part of an operation that holds the account.

    One that rests may be taken: the old server gave it to this login. Refused with
    `address_taken` when another account holds it or a part of it.
    """
    pool = AddressPool.objects.locked().get(pk=home.pool_id)
    taken = lambda: AddressTaken(  # noqa: E731
        f"Another account holds {_shown(home.network)}."
    )
    twice = lambda: AddressTaken(  # noqa: E731
        f"It has more than one address of the pool {pool.name}."
    )
    with refusing(
        network_addressassignment_one_holder=taken,
        network_addressassignment_one_per_account=twice,
    ):
        assignment = AddressAssignment.objects.create(
            vrf_id=home.prefix.vrf_id, pool=pool, prefix=home.prefix, account=account,
            address=home.text, assigned_at=now,
        )  # fmt: skip
    assignment.refresh_from_db(fields=["address"])
    tell_allocated(assignment, account, actor, now)
    return assignment


def profile_for(
    user: ImportedUser, ground: Ground, *, actor: Actor, now: datetime
) -> RateProfile:
    """The profile of its speed: found, else made. Part of an operation."""
    rate = user.rate
    if rate is None:
        ground.require_speed(user)
        assert ground.default is not None
        return ground.default
    facts = _facts_of(rate, user)
    same = RateProfile.objects.filter(**facts, policy="", throttled_policy="")
    if not user.interim_s:
        facts["interim_s"] = 300
    found = same.order_by("pk").first()
    if found is not None:
        return found
    return create_rate_profile(
        name=_free_name(rate), **facts, sessions_max=user.sessions_max, actor=actor,
        now=now,
    )  # fmt: skip


def _facts_of(rate: Rate, user: ImportedUser) -> dict[str, Any]:
    facts: dict[str, Any] = {
        name: getattr(rate, name) for name in Rate.__dataclass_fields__
    }
    facts["idle_s"] = user.idle_s
    if user.interim_s:
        facts["interim_s"] = user.interim_s
    return facts


def _free_name(rate: Rate) -> str:
    """Imported 20M down, 5M up; numbered where that is another profile's."""
    base = f"Imported {rate}"[:90]
    taken = set(
        RateProfile.objects.filter(name__startswith=base).values_list("name", flat=True)
    )
    names = [base, *(f"{base} ({n})" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
