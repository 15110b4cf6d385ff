"""Sixteen at once: nobody gets what another holds, and nobody gets an error."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connections, transaction

from apps.network.models import (
    AccessAccount,
    AccessHold,
    AddressAssignment,
    AddressPool,
    CoaRequest,
    Prefix,
    Vlan,
)
from dotmac.core.actors import system_actor
from dotmac.core.errors import Conflict
from tests.network.conftest import LATER, acting, build_network, session_row

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]

CLIENTS = 16


@pytest.fixture
def do():
    return acting(system_actor("races"))


@pytest.fixture
def net(own_database, do):
    return build_network(do)


def at_once(jobs):
    """Run the callables together on connections of their own; results in order."""
    barrier = threading.Barrier(len(jobs))

    def run(job):
        barrier.wait(timeout=30)
        try:
            return job()
        except Conflict as refusal:
            return refusal.code
        finally:
            connections.close_all()

    close_old_connections()
    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def many_accounts(net, count):
    return [
        net.do.open_access(login=f"r{i}", password="w", profile_id=net.profile.pk)
        for i in range(count)
    ]


def test_sixteen_clients_get_sixteen_times_ten_different_addresses(net, do):
    do.create_prefix(cidr="10.0.0.0/24", pool_id=net.pool.pk)
    accounts = many_accounts(net, CLIENTS * 10)

    def client(mine):
        return lambda: [
            str(do.allocate_address(pool_id=net.pool.pk, account_id=account.pk).address)
            for account in mine
        ]

    given = at_once([client(accounts[i::CLIENTS]) for i in range(CLIENTS)])

    addresses = [address for each in given for address in each]
    assert len(addresses) == len(set(addresses)) == CLIENTS * 10
    held = AddressAssignment.objects.filter(released_at=None)
    assert {str(row.address) for row in held} == set(addresses)


def test_the_last_addresses_go_to_some_and_the_rest_hear_that_it_is_exhausted(net, do):
    accounts = many_accounts(net, CLIENTS)

    given = at_once(
        [
            lambda account=account: str(
                do.allocate_address(pool_id=net.pool.pk, account_id=account.pk).address
            )
            for account in accounts
        ]
    )

    assert Counter(given)["pool_exhausted"] == CLIENTS - 5
    assert len(set(given)) == 6


def test_one_account_asking_sixteen_times_gets_one_address(net, do):
    given = at_once(
        [lambda: do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk).pk]
        * CLIENTS
    )
    assert len(set(given)) == 1
    assert AddressAssignment.objects.count() == 1


def test_releases_and_allocations_together_never_share_an_address(net, do):
    do.create_prefix(cidr="10.0.0.0/26", pool_id=net.pool.pk)
    AddressPool.objects.filter(pk=net.pool.pk).update(quarantine_s=0)
    accounts = many_accounts(net, CLIENTS)

    def churn(account):
        ask = {"pool_id": net.pool.pk, "account_id": account.pk, "now": LATER}

        def run():
            for _ in range(6):
                do.allocate_address(**ask)
                do.release_address(account_id=account.pk, now=LATER)
            return str(do.allocate_address(**ask).address)

        return run

    given = at_once([churn(account) for account in accounts])

    assert len(set(given)) == CLIENTS
    assert AddressAssignment.objects.filter(released_at=None).count() == CLIENTS


def test_an_allocation_held_open_in_one_pool_does_not_delay_another(net, do):
    other = do.create_pool(name="other")
    do.create_prefix(cidr="10.0.0.0/24", pool_id=other.pk)
    first, second = many_accounts(net, 2)
    holding, release = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                do.allocate_address(pool_id=net.pool.pk, account_id=first.pk)
                holding.set()
                assert release.wait(timeout=30)
        finally:
            connections.close_all()

    keeper = threading.Thread(target=hold)
    keeper.start()
    try:
        assert holding.wait(timeout=30)
        given = do.allocate_address(pool_id=other.pk, account_id=second.pk)
        assert str(given.address.ip) == "10.0.0.2"
        assert keeper.is_alive()
    finally:
        release.set()
        keeper.join(timeout=30)


def test_closing_and_allocating_leave_no_closed_account_with_an_address(net, do):
    do.create_prefix(cidr="10.0.0.0/24", pool_id=net.pool.pk)
    accounts = many_accounts(net, 8)
    jobs = [
        lambda a=a: do.allocate_address(pool_id=net.pool.pk, account_id=a.pk).pk
        for a in accounts
    ] + [lambda a=a: do.close_access(account_id=a.pk).pk for a in accounts]

    at_once(jobs)

    closed = AccessAccount.objects.filter(closed_at__isnull=False)
    assert closed.count() == 8
    held = AddressAssignment.objects.filter(released_at=None, account__in=closed)
    assert held.exists() is False


def test_one_login_is_opened_once(net, do):
    answers = at_once(
        [
            lambda: do.open_access(
                login="same", password="w", profile_id=net.profile.pk
            ).login
        ]
        * CLIENTS
    )
    assert Counter(answers) == {"same": 1, "login_taken": CLIENTS - 1}


def test_vlan_ids_are_given_once(net, do):
    group = do.create_vlan_group(name="sw1", vid_min=100, vid_max=109)
    accounts = many_accounts(net, CLIENTS)

    given = at_once(
        [
            lambda a=a: do.assign_vlan(group_id=group.pk, account_id=a.pk).vid
            for a in accounts
        ]
    )

    assert Counter(given)["vlan_group_exhausted"] == CLIENTS - 10
    assert sorted(v for v in given if isinstance(v, int)) == list(range(100, 110))
    assert Vlan.objects.count() == 10


def test_overlapping_prefixes_made_together_leave_one(net, do):
    cidrs = [f"10.0.0.0/{length}" for length in range(8, 8 + CLIENTS)]
    answers = at_once([lambda c=c: str(do.create_prefix(cidr=c).cidr) for c in cidrs])

    assert Counter(answers)["prefix_overlaps"] == CLIENTS - 1
    assert Prefix.objects.count() == 2


def test_a_hold_placed_by_sixteen_is_one_and_asks_for_one_disconnect(net, do):
    session_row(net, net.account)
    at_once(
        [
            lambda: do.place_hold(
                account_id=net.account.pk, reason="abuse", effect="reject"
            ).pk
        ]
        * CLIENTS
    )
    assert AccessHold.objects.count() == 1
    assert CoaRequest.objects.count() == 1


def test_different_reasons_placed_and_lifted_together_do_not_touch_each_other(net, do):
    session_row(net, net.account)
    place = {"account_id": net.account.pk, "effect": "reject"}
    do.place_hold(**place, reason="non_payment")
    do.place_hold(**place, reason="abuse")

    at_once(
        [
            lambda: do.lift_hold(account_id=net.account.pk, reason="non_payment"),
            lambda: do.place_hold(**place, reason="admin"),
        ]
        * 8
    )

    left = AccessHold.objects.filter(lifted_at=None).values_list("reason", flat=True)
    assert sorted(left) == ["abuse", "admin"]
