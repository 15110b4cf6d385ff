"""Giving addresses out and taking them back."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from apps.network.enums import PoolMode
from apps.network.errors import AccountClosed, PoolExhausted, PoolGivesNoAddresses
from apps.network.events import AddressAllocated, AddressReleased
from apps.network.models import AccessAccount, AddressAssignment, AddressPool
from apps.ops import operations as ops
from dotmac.core.actors import Actor


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
    account = AccessAccount.objects.locked().get(pk=account_id)
    if account.closed_at is not None:
        raise AccountClosed(login=account.login)
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

    ops.emit(
        AddressAllocated(
            occurred_at=now, account_id=account.pk, login=account.login,
            address=assignment.address_text, pool_id=pool.pk,
        ),
        actor=actor,
    )  # fmt: skip
    return assignment


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
