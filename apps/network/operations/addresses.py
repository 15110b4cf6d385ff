"""Giving addresses out and taking them back."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from django.db import connection, transaction

from apps.network.enums import PoolMode
from apps.network.errors import (
    AddressRests,
    AddressTaken,
    PoolExhausted,
    PoolGivesNoAddresses,
)
from apps.network.events import AddressAllocated, AddressReleased
from apps.network.models import AccessAccount, AddressAssignment, AddressPool
from apps.network.operations.checks import open_account
from apps.network.operations.disconnects import tell_edge
from apps.network.rules.effects import EdgeAct
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput


@transaction.atomic
def allocate_address(
    *, pool_id: int, account_id: int, actor: Actor, now: datetime
) -> AddressAssignment:
    """Give the account the first free address of the pool, and of the pools of IPv6
    that go with it (`with_v6`); returns the pool's own.

    Repeating it returns the address that the account holds, and gives what is
    missing of the others. Refused when the account is closed, when the NAS hands
    out this pool's addresses, and with `pool_exhausted` when one of them has
    nothing free or rested: then nothing is given. Allocators of one pool wait for
    each other and for nobody else; a constraint has the last word.
    """
    account = open_account(account_id)
    first, *others = pools_together(pool_id)
    if first.mode != PoolMode.DOTMAC:
        raise PoolGivesNoAddresses(pool=first.name)
    assignment = _give(first, account, actor, now)
    for pool in others:  # of the same giver: create_pool sees to it
        _give(pool, account, actor, now)
    return assignment


def pools_together(pool_id: int) -> list[AddressPool]:
    """The pool and those that go with it. A partner is older, so this has an end."""
    pools = [AddressPool.objects.get(pk=pool_id)]
    while (partner := pools[-1].with_v6_id) is not None:
        pools.append(AddressPool.objects.get(pk=partner))
    return pools


def _give(
    pool: AddressPool, account: AccessAccount, actor: Actor, now: datetime
) -> AddressAssignment:
    assignment_id, made = _allocate(pool, account, now)
    assignment = AddressAssignment.objects.get(pk=assignment_id)
    if not made:
        return assignment

    tell_allocated(assignment, account, actor, now)
    return assignment


def tell_allocated(
    given: AddressAssignment, account: AccessAccount, actor: Actor, now: datetime
) -> None:
    """That the account has the address now, inside an operation that gave it."""
    ops.emit(
        AddressAllocated(
            occurred_at=now, account_id=account.pk, login=account.login,
            address=given.address_text, pool_id=given.pool_id,
        ),
        actor=actor,
    )  # fmt: skip


@transaction.atomic
def assign_address(
    *, pool_id: int, account_id: int, address: str, actor: Actor, now: datetime
) -> AddressAssignment:
    """Give the account this address of the pool, or this block of a pool of blocks.

    What it held of the pool goes back, and its sessions end, since an address
    cannot change while a session runs. Holding it already, nothing changes. Refused
    when the account is closed, when the NAS hands out this pool's addresses, when
    the address is none that the pool gives, and with `address_taken` or
    `address_rests`; its last holder gets it back while it rests. First-free
    allocation goes on behind the highest address that was ever given: chosen
    addresses are best kept in a pool of their own.
    """
    account = open_account(account_id)
    pool = AddressPool.objects.select_for_update(no_key=True).get(pk=pool_id)
    if pool.mode != PoolMode.DOTMAC:
        raise PoolGivesNoAddresses(pool=pool.name)
    unit = _unit_of(pool, address)
    mine = AddressAssignment.objects.filter(account=account, pool=pool)
    held = mine.filter(released_at=None).first()
    if held is not None and str(held.address) == str(unit):
        return held

    prefix = _prefix_that_gives(pool, unit)
    _refuse_taken(pool, unit, account, now)
    release_address(account_id=account.pk, pool_id=pool.pk, actor=actor, now=now)
    with refusing(
        network_addressassignment_one_holder=lambda: AddressTaken(field="address")
    ):
        given = AddressAssignment.objects.create(
            vrf_id=pool.vrf_id, pool=pool, prefix_id=prefix, account=account,
            address=str(unit), assigned_at=now,
        )  # fmt: skip
    given.refresh_from_db()
    tell_allocated(given, account, actor, now)
    tell_edge(
        EdgeAct.DISCONNECT,
        account_id=account.pk, actor=actor, now=now, reason="another address",
    )  # fmt: skip
    return given


def _unit_of(pool: AddressPool, text: str) -> IPv4Interface | IPv6Interface:
    """The host, or the block of the length that the pool gives."""
    try:
        unit = ip_interface(text.strip())
    except ValueError:
        raise InvalidInput(
            "An address looks like 192.0.2.7, a block like 2001:db8:7::/56.",
            field="address",
        ) from None
    length = pool.delegated_length or unit.network.max_prefixlen
    if unit.network.prefixlen != length or unit.ip != unit.network.network_address:
        raise InvalidInput(f"This pool gives units of /{length}.", field="address")
    return unit


def _prefix_that_gives(pool: AddressPool, unit: IPv4Interface | IPv6Interface) -> int:
    """The network of the pool in which it lies, as a unit that may be given out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.id FROM network_prefix p
             WHERE p.pool_id = %(pool)s AND p.kind = 'network'
               AND %(unit)s::inet <<= p.cidr AND %(unit)s::inet IS DISTINCT FROM p.gateway
               AND %(unit)s::inet BETWEEN network_first_unit(p.cidr, %(length)s)
                                      AND network_last_unit(p.cidr, %(length)s)
            """,
            {"pool": pool.pk, "unit": str(unit), "length": pool.delegated_length},
        )
        row = cursor.fetchone()
    if row is None:
        raise InvalidInput("The pool does not give this address.", field="address")
    return int(row[0])


def _refuse_taken(
    pool: AddressPool,
    unit: IPv4Interface | IPv6Interface,
    account: AccessAccount,
    now: datetime,
) -> None:
    known = AddressAssignment.objects.filter(
        vrf_id=pool.vrf_id, address__net_overlaps=str(unit)
    ).exclude(account=account)
    if known.filter(released_at=None).exists():
        raise AddressTaken(field="address")
    resting = known.filter(reusable=True, quarantined_until__gt=now)
    if (last := resting.first()) is not None:
        raise AddressRests(field="address", until=last.quarantined_until)


@transaction.atomic
def release_address(
    *, account_id: int, actor: Actor, now: datetime, pool_id: int | None = None
) -> list[AddressAssignment]:
    """Take back the addresses of the account, or those of one pool (and of no other).

    They rest as long as their pool says before somebody else gets them. Returns
    what was released; nothing held, nothing changed.
    """
    account = AccessAccount.objects.locked().get(pk=account_id)
    held = AddressAssignment.objects.filter(account=account, released_at=None)
    if pool_id is not None:
        held = held.filter(pool_id=pool_id)
    released = list(held.select_for_update(no_key=True).order_by("pk"))

    for assignment in released:
        # The trigger of the table adds the quarantine of the pool.
        assignment.released_at = max(now, assignment.assigned_at)
        assignment.store("released_at", now=now)
        ops.emit(
            AddressReleased(
                occurred_at=now, account_id=account.pk, login=account.login,
                address=assignment.address_text, pool_id=assignment.pool_id,
            ),
            actor=actor,
        )  # fmt: skip
    return released


def _allocate(
    pool: AddressPool, account: AccessAccount, now: datetime
) -> tuple[int, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT assignment_id, made FROM network_allocate_address(%s, %s, %s)",
            [pool.pk, account.pk, now],
        )
        row = cursor.fetchone()
    if row is None:
        raise PoolExhausted(pool=pool.name)
    assignment_id, made = row
    return int(assignment_id), bool(made)
