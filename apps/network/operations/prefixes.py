"""VRFs, pools and prefixes: the space that addresses come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.network.enums import PoolMode, PrefixKind
from apps.network.errors import NameTaken, PrefixOverlaps
from apps.network.events import PoolCreated, PrefixCreated, VrfCreated
from apps.network.models import AddressPool, Prefix, Site, Vrf
from apps.network.operations.checks import checked, in_range, named, one_of
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
    delegated_length: int | None = None, actor: Actor, now: datetime,
) -> AddressPool:  # fmt: skip
    """A pool without prefixes yet. Without a VRF it is in the default one.

    In mode nas the NAS has the addresses, under the name `framed_pool`.
    """
    named(name, maximum=64)
    one_of("mode", mode, PoolMode.values)
    in_range("quarantine_s", quarantine_s, 0, QUARANTINE_S_MAX)
    if delegated_length is not None:
        in_range("delegated_length", delegated_length, 1, 128)
    if mode == PoolMode.NAS or framed_pool:
        named(framed_pool, maximum=64, field="framed_pool")

    with refusing(network_addresspool_name_key=lambda: NameTaken(field="name")):
        pool = AddressPool.objects.create(
            name=name, vrf_id=_vrf(vrf_id).pk, framed_pool=framed_pool, mode=mode,
            quarantine_s=quarantine_s, delegated_length=delegated_length,
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
    if site_id is not None and not Site.objects.filter(pk=site_id).exists():
        raise InvalidInput("There is no such site.", field="site")
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
    sibling = Prefix.objects.filter(pool=pool).first()
    if sibling is not None and sibling.cidr.version != network.version:
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
