"""Giving addresses out, letting them rest, and knowing who held them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.network import errors, selectors
from apps.network.models import AddressAssignment
from apps.ops.models import OutboxEvent
from tests.network.conftest import LATER, NOON, another_account

pytestmark = pytest.mark.django_db


def allocate(net, account=None, **facts):
    return net.do.allocate_address(
        pool_id=facts.pop("pool_id", net.pool.pk),
        account_id=(account or net.account).pk,
        **facts,
    )


def test_gives_the_first_host_behind_network_and_gateway(net):
    given = allocate(net)

    assert str(given.address.ip) == "192.0.2.2"
    assert OutboxEvent.objects.latest("id").name == "network.address.allocated.v1"


def test_repeating_gives_the_same_address_and_tells_nobody(net):
    first = allocate(net)
    events = OutboxEvent.objects.count()

    assert allocate(net).pk == first.pk
    assert OutboxEvent.objects.count() == events


def test_neither_network_nor_broadcast_nor_gateway_is_given_and_then_it_is_exhausted(
    net,
):
    given = [str(allocate(net).address.ip)]
    given += [
        str(allocate(net, another_account(net, f"a{i}")).address.ip) for i in range(4)
    ]

    assert given == [f"192.0.2.{host}" for host in (2, 3, 4, 5, 6)]
    with pytest.raises(errors.PoolExhausted) as refusal:
        allocate(net, another_account(net, "late"))
    assert (refusal.value.code, refusal.value.facts) == (
        "pool_exhausted", {"pool": "home"},
    )  # fmt: skip
    assert AddressAssignment.objects.count() == 5
    assert selectors.free_address_count(net.pool.pk, at=NOON) == 0


def test_a_gateway_in_the_middle_is_stepped_over(net, ops_of):
    pool = ops_of.create_pool(name="middle")
    ops_of.create_prefix(
        cidr="198.51.100.0/29", pool_id=pool.pk, gateway="198.51.100.3"
    )
    given = [
        str(allocate(net, another_account(net, f"m{i}"), pool_id=pool.pk).address.ip)
        for i in range(5)
    ]

    assert given == [f"198.51.100.{host}" for host in (1, 2, 4, 5, 6)]


def test_a_released_address_rests_and_then_comes_first(net):
    allocate(net)
    allocate(net, another_account(net, "b"))
    net.do.release_address(account_id=net.account.pk)

    during = allocate(net, another_account(net, "c"))
    after = allocate(net, another_account(net, "d"), now=LATER)

    assert str(during.address.ip) == "192.0.2.4"
    assert str(after.address.ip) == "192.0.2.2"


def test_an_exhausted_pool_serves_again_when_an_address_has_rested(net):
    allocate(net)
    for i in range(4):
        allocate(net, another_account(net, f"a{i}"))
    net.do.release_address(account_id=net.account.pk)
    late = another_account(net, "late")

    with pytest.raises(errors.PoolExhausted):
        allocate(net, late, now=NOON + timedelta(seconds=3599))
    assert str(allocate(net, late, now=LATER).address.ip) == "192.0.2.2"


def test_releasing_nothing_changes_nothing(net):
    events = OutboxEvent.objects.count()

    assert net.do.release_address(account_id=net.account.pk) == []
    assert OutboxEvent.objects.count() == events


def test_release_of_one_pool_leaves_the_other(net, ops_of):
    six = ops_of.create_pool(name="six")
    ops_of.create_prefix(cidr="2001:db8:1::/64", pool_id=six.pk)
    allocate(net)
    allocate(net, pool_id=six.pk)

    released = net.do.release_address(account_id=net.account.pk, pool_id=net.pool.pk)

    assert [str(r.address.ip) for r in released] == ["192.0.2.2"]
    assert selectors.account_view(net.account.pk).addresses == ["2001:db8:1::2"]


def test_prefixes_of_a_pool_are_filled_in_their_order(net, ops_of):
    ops_of.create_prefix(cidr="192.0.2.8/31", pool_id=net.pool.pk)
    given = [str(allocate(net).address.ip)] + [
        str(allocate(net, another_account(net, f"a{i}")).address.ip) for i in range(6)
    ]

    assert given[4:] == ["192.0.2.6", "192.0.2.8", "192.0.2.9"]


def test_delegates_prefixes_and_never_overlapping_ones(net, ops_of):
    pool = ops_of.create_pool(name="pd", delegated_length=56)
    ops_of.create_prefix(cidr="2001:db8:8000::/55", pool_id=pool.pk)

    first = allocate(net, pool_id=pool.pk)
    second = allocate(net, another_account(net, "b"), pool_id=pool.pk)

    assert str(first.address) == "2001:db8:8000::/56"
    assert str(second.address) == "2001:db8:8000:100::/56"
    assert selectors.account_view(net.account.pk).addresses == ["2001:db8:8000::/56"]
    with pytest.raises(errors.PoolExhausted):
        allocate(net, another_account(net, "c"), pool_id=pool.pk)


def test_a_prefix_at_the_end_of_the_address_space_does_not_overflow(net, ops_of):
    pool = ops_of.create_pool(name="top")
    ops_of.create_prefix(cidr="255.255.255.254/31", pool_id=pool.pk)
    given = [
        str(allocate(net, another_account(net, f"t{i}"), pool_id=pool.pk).address.ip)
        for i in range(2)
    ]

    assert given == ["255.255.255.254", "255.255.255.255"]
    with pytest.raises(errors.PoolExhausted):
        allocate(net, another_account(net, "t3"), pool_id=pool.pk)


def test_a_gap_that_an_import_left_is_found_before_the_pool_counts_as_full(net):
    last = AddressAssignment.objects.create(
        vrf_id=net.pool.vrf_id, pool=net.pool, prefix=net.prefix, address="192.0.2.6/32",
        account=another_account(net, "imported"), assigned_at=NOON,
    )  # fmt: skip

    given = [str(allocate(net).address.ip)] + [
        str(allocate(net, another_account(net, f"a{i}")).address.ip) for i in range(3)
    ]

    assert given == ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"]
    assert last.released_at is None
    with pytest.raises(errors.PoolExhausted):
        allocate(net, another_account(net, "late"))


def test_refuses_a_closed_account(net):
    net.do.close_access(account_id=net.account.pk)
    with pytest.raises(errors.AccountClosed):
        allocate(net)
    assert AddressAssignment.objects.exists() is False


def test_refuses_a_pool_that_lives_on_the_nas(net, ops_of):
    pool = ops_of.create_pool(name="nas", mode="nas", framed_pool="dhcp")
    with pytest.raises(errors.PoolGivesNoAddresses):
        allocate(net, pool_id=pool.pk)


def test_a_pool_without_prefixes_is_exhausted(net, ops_of):
    pool = ops_of.create_pool(name="bare")
    with pytest.raises(errors.PoolExhausted):
        allocate(net, pool_id=pool.pk)


def test_knows_who_held_an_address_at_any_time(net):
    vrf = net.pool.vrf_id
    allocate(net)
    net.do.release_address(account_id=net.account.pk, now=LATER)
    other = another_account(net, "b")
    taken_at = LATER + timedelta(hours=2)
    allocate(net, other, now=taken_at)

    def holder(at):
        found = selectors.holder_of("192.0.2.2", vrf, at)
        return found.login if found else None

    assert holder(NOON - timedelta(seconds=1)) is None
    assert holder(NOON) == "ada@home"
    assert holder(LATER) is None
    assert holder(taken_at) == "b"
    assert holder(taken_at + timedelta(days=900)) == "b"
    assert selectors.holder_of("192.0.2.2", vrf + 1, NOON) is None


def test_knows_who_held_an_address_inside_a_delegated_prefix(net, ops_of):
    pool = ops_of.create_pool(name="pd", delegated_length=56)
    ops_of.create_prefix(cidr="2001:db8:8000::/40", pool_id=pool.pk)
    allocate(net, pool_id=pool.pk)

    found = selectors.holder_of("2001:db8:8000:42::7", net.pool.vrf_id, NOON)

    assert found is not None
    assert (found.login, found.address) == ("ada@home", "2001:db8:8000::/56")
    assert selectors.holder_of("2001:db8:8000:100::", net.pool.vrf_id, NOON) is None


def test_utilisation_counts_held_and_resting_of_what_is_possible(net, ops_of):
    around = ops_of.create_prefix(cidr="192.0.2.0/24", kind="container")
    allocate(net)
    allocate(net, another_account(net, "b"))
    net.do.release_address(account_id=net.account.pk)

    usage = selectors.prefix_usages([net.prefix.pk, around.pk], at=NOON)

    network, container = usage[net.prefix.pk], usage[around.pk]
    assert (network.held, network.resting, network.capacity) == (1, 1, 5)
    assert network.percent == 20
    assert (container.held, str(container.percent)) == (1, "3.1")
    assert selectors.free_address_count(net.pool.pk, at=NOON) == 3
    assert selectors.free_address_count(net.pool.pk, at=LATER) == 4
