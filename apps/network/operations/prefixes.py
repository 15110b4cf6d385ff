"""VRFs, pools and prefixes: the space that addresses come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.network.enums import PoolMode, PoolUse, PrefixKind
from apps.network.errors import NameTaken, PrefixOverlaps
from apps.network.events import PoolCreated, PrefixCreated, VrfCreated
from apps.network.models import AddressPool, Prefix, Vrf
from apps.network.operations.checks import (
    checked,
    in_range,
    named,
    one_of,
    refuse_unknown_site,
)
from apps.network.rules.addressing import (
    Address,
    Network,
    default_gateway,
    delegation_fits,
    is_host_of,
    parsed_address,
    parsed_network,
)
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput

QUARANTINE_S_MAX = 366 * 86400
DEFAULT_VRF = "default"
_V4, _V6 = 4, 6


@transaction.atomic
def create_vrf(*, name: str, actor: Actor, now: datetime) -> Vrf:
    """A routing table of its own, in which addresses may repeat."""
    named(name, maximum=64)
    with refusing(network_vrf_name_key=lambda: NameTaken(field="name")):
        vrf = Vrf.objects.create(name=name)
    ops.emit(VrfCreated(occurred_at=now, record_id=vrf.pk, label=name), actor=actor)
    return vrf


@transaction.atomic
def create_pool(
    *, name: str, vrf_id: int | None = None, framed_pool: str = "",
    mode: str = PoolMode.DOTMAC, quarantine_s: int = 3600,
    delegated_length: int | None = None, use: str | None = None,
    with_v6_id: int | None = None, actor: Actor, now: datetime,
) -> AddressPool:  # fmt: skip
    """A pool without prefixes yet. Without a VRF it is in the default one.

    In mode nas the NAS has the addresses, under the name `framed_pool`. `use` says
    what a unit is to the subscriber: by default an address, and a delegated prefix
    where there is a length. Who takes of this pool takes of `with_v6_id` as well.
    """
    use = use or (PoolUse.ADDRESS if delegated_length is None else PoolUse.DELEGATED)
    named(name, maximum=64)
    one_of("mode", mode, PoolMode.values)
    in_range("quarantine_s", quarantine_s, 0, QUARANTINE_S_MAX)
    if delegated_length is not None:
        in_range("delegated_length", delegated_length, 1, 128)
    _check_use(use, mode, delegated_length)
    if with_v6_id is not None:
        _check_partner(with_v6_id, mode)
    if mode == PoolMode.NAS or framed_pool:
        named(framed_pool, maximum=64, field="framed_pool")

    with refusing(network_addresspool_name_key=lambda: NameTaken(field="name")):
        pool = AddressPool.objects.create(
            name=name, vrf_id=_vrf(vrf_id).pk, framed_pool=framed_pool, mode=mode,
            quarantine_s=quarantine_s, delegated_length=delegated_length, use=use,
            with_v6_id=with_v6_id,
        )  # fmt: skip
    ops.emit(PoolCreated(occurred_at=now, record_id=pool.pk, label=name), actor=actor)
    return pool


@transaction.atomic
def create_prefix(
    *, cidr: str, kind: str = PrefixKind.NETWORK, vrf_id: int | None = None,
    pool_id: int | None = None, site_id: int | None = None, gateway: str | None = None,
    description: str = "", actor: Actor, now: datetime,
) -> Prefix:  # fmt: skip
    """Add address space. Networks never overlap; containers may hold networks.

    A network without a given gateway keeps its first host for it, unless its pool
    delegates prefixes. Refused with `prefix_overlaps` and the other prefix.
    """
    network = checked("cidr", parsed_network, cidr)
    one_of("kind", kind, PrefixKind.values)
    pool = _pool(pool_id, kind, network)
    vrf = _vrf(vrf_id if vrf_id is not None or pool is None else pool.vrf_id)
    if pool is not None and pool.vrf_id != vrf.pk:
        raise InvalidInput("The pool is in another VRF.", field="pool")
    refuse_unknown_site(site_id)
    hop = _gateway(gateway, kind, network, pool)

    # Prefixes are made rarely: their makers wait for each other, so that the
    # refusal can name the prefix in the way. The constraint guards all others.
    Vrf.objects.select_for_update(no_key=True).get(pk=vrf.pk)
    if clash := _clash(vrf, network, kind):
        raise PrefixOverlaps(
            f"{network} overlaps {clash.cidr}.",
            field="cidr", prefix=str(clash.cidr), prefix_id=clash.pk,
        )  # fmt: skip
    with refusing(
        network_prefix_no_overlap=lambda: PrefixOverlaps(field="cidr"),
        network_prefix_one_container=lambda: PrefixOverlaps(field="cidr"),
    ):
        prefix = Prefix.objects.create(
            vrf=vrf, cidr=network, kind=kind, pool=pool, site_id=site_id, gateway=hop,
            description=description,
        )  # fmt: skip
    ops.emit(
        PrefixCreated(occurred_at=now, record_id=prefix.pk, label=str(network)),
        actor=actor,
    )
    return prefix


def _check_use(use: str, mode: str, length: int | None) -> None:
    one_of("use", use, PoolUse.values)
    gives_prefixes = use in (PoolUse.LINK, PoolUse.DELEGATED)
    if gives_prefixes and mode == PoolMode.DOTMAC and length is None:
        raise InvalidInput("Say how long its prefixes are.", field="delegated_length")
    if use == PoolUse.ADDRESS and length is not None:
        raise InvalidInput("An address has no length.", field="delegated_length")
    if use == PoolUse.ROUTED and mode == PoolMode.NAS:
        raise InvalidInput("Only DotMac can give routed blocks out.", field="mode")


def _check_partner(pool_id: int, mode: str) -> None:
    """A pool of IPv6: where its prefixes tell, they must not tell otherwise."""
    partner = AddressPool.objects.filter(pk=pool_id).first()
    if partner is None:
        raise InvalidInput("There is no such pool.", field="with_v6")
    if partner.use == PoolUse.ROUTED or _version_of(partner) == _V4:
        raise InvalidInput("This is no pool of IPv6 for a line.", field="with_v6")
    # The NAS's own pools need no step of provisioning, so nobody would take of it.
    if mode == PoolMode.NAS and partner.mode == PoolMode.DOTMAC:
        raise InvalidInput("DotMac gives out that one's addresses.", field="with_v6")


def _version_of(pool: AddressPool) -> int | None:
    """4 or 6, as its prefixes are; None as long as it has none."""
    prefix = Prefix.objects.filter(pool=pool).first()
    return None if prefix is None else int(prefix.cidr.version)


def _vrf(vrf_id: int | None) -> Vrf:
    wanted: dict[str, Any] = {"name": DEFAULT_VRF} if vrf_id is None else {"pk": vrf_id}
    vrf = Vrf.objects.filter(**wanted).first()
    if vrf is None:
        raise InvalidInput("There is no such VRF.", field="vrf")
    return vrf


def _pool(pool_id: int | None, kind: str, network: Network) -> AddressPool | None:
    if pool_id is None:
        return None
    if kind == PrefixKind.CONTAINER:
        raise InvalidInput("A container gives out no addresses.", field="pool")
    pool = AddressPool.objects.filter(pk=pool_id).first()
    if pool is None:
        raise InvalidInput("There is no such pool.", field="pool")
    length = pool.delegated_length
    if length is not None and not delegation_fits(network, length):
        raise InvalidInput(f"Its blocks of /{length} do not fit.", field="cidr")
    version = _version_of(pool)
    if version is None and AddressPool.objects.filter(with_v6=pool).exists():
        version = _V6
    if pool.use in (PoolUse.LINK, PoolUse.DELEGATED):
        version = _V6
    if version is not None and version != network.version:
        raise InvalidInput("The pool is of the other IP version.", field="cidr")
    return pool


def _gateway(
    text: str | None, kind: str, network: Network, pool: AddressPool | None
) -> Address | None:
    if not text:
        delegates = pool is not None and pool.delegated_length is not None
        plain = kind == PrefixKind.NETWORK and not delegates
        return default_gateway(network) if plain else None
    if kind == PrefixKind.CONTAINER:
        raise InvalidInput("A container has no gateway.", field="gateway")
    gateway = checked("gateway", parsed_address, text)
    if not is_host_of(gateway, network):
        raise InvalidInput(f"It is no host of {network}.", field="gateway")
    return gateway


def _clash(vrf: Vrf, network: Network, kind: str) -> Prefix | None:
    """The prefix in the way: nested is allowed only as network inside container."""
    near = Prefix.objects.filter(vrf=vrf, cidr__net_overlaps=str(network))
    for other in near.order_by("cidr", "pk"):
        if not _may_nest(network, kind, other):
            return other
    return None


def _may_nest(network: Network, kind: str, other: Prefix) -> bool:
    inside = network.prefixlen >= other.cidr.prefixlen
    around = network.prefixlen <= other.cidr.prefixlen
    if other.kind == PrefixKind.CONTAINER:
        same = network == other.cidr
        return not same if kind == PrefixKind.CONTAINER else inside
    return kind == PrefixKind.CONTAINER and around
