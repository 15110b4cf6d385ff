"""A person in psql, as the application's role, against what must never be false."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.network.models import AddressAssignment
from dotmac.core.db import fetch_dicts
from dotmac.core.invariants import all_invariants
from tests.network.conftest import LATER, NOON, another_account

pytestmark = pytest.mark.django_db


def attack(sql, params=()):
    """The name of the constraint that stopped the statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("dotmac_app",)
        with pytest.raises(DatabaseError) as stopped, transaction.atomic():
            cursor.execute(sql, params)
    cause: Any = stopped.value.__cause__
    return cause.diag.constraint_name or cause.sqlstate


@pytest.fixture
def held(net):
    given = net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    net.held = given
    net.other = another_account(net, "b")
    return net


ASSIGN = """
    INSERT INTO network_addressassignment
        (vrf_id, pool_id, prefix_id, account_id, address, assigned_at, reusable)
    VALUES (%s, %s, %s, %s, %s, now(), false)
"""


def row(net, address, account=None, prefix=None):
    prefix = prefix or net.prefix
    return [
        prefix.vrf_id, net.pool.pk, prefix.pk, (account or net.other).pk, address,
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["192.0.2.2/32", "192.0.2.2/31", "192.0.2.0/29"])
def test_an_address_has_one_holder(held, address):
    stopped_by = attack(ASSIGN, row(held, address))
    assert stopped_by == "network_addressassignment_one_holder"


def test_an_account_has_one_address_of_a_pool(held):
    stopped_by = attack(ASSIGN, row(held, "192.0.2.5/32", account=held.account))
    assert stopped_by == "network_addressassignment_one_per_account"


@pytest.mark.parametrize("address", ["192.0.2.9/32", "10.0.0.1/32", "::1/128"])
def test_an_address_lies_in_its_prefix(held, address):
    stopped_by = attack(ASSIGN, row(held, address))
    assert stopped_by == "network_addressassignment_in_prefix"


def test_an_address_has_an_account(held):
    values = row(held, "192.0.2.5/32")
    values[3] = None
    assert attack(ASSIGN, values) == "network_addressassignment_account_open"
    values[3] = 999_999
    assert attack(ASSIGN, values) == "network_addressassignment_account_open"


def test_a_closed_account_gets_no_address(held):
    held.do.close_access(account_id=held.other.pk)
    stopped_by = attack(ASSIGN, row(held, "192.0.2.5/32"))
    assert stopped_by == "network_addressassignment_account_open"


def test_an_account_with_an_address_is_not_closed(held):
    stopped_by = attack(
        "UPDATE network_accessaccount SET closed_at = now() WHERE id = %s",
        [held.account.pk],
    )
    assert stopped_by == "network_accessaccount_closed_holds_nothing"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE network_addressassignment SET account_id = %(other)s",
        "UPDATE network_addressassignment SET address = '192.0.2.4/32'",
        "UPDATE network_addressassignment SET assigned_at = now() - interval '1 day'",
        "UPDATE network_addressassignment SET released_at = NULL"
        " WHERE released_at IS NOT NULL",
        "DELETE FROM network_addressassignment",
    ],
)
def test_who_held_an_address_is_history(held, sql):
    if "IS NOT NULL" in sql:
        held.do.release_address(account_id=held.account.pk)
    stopped_by = attack(sql, {"other": held.other.pk})
    assert stopped_by == "network_addressassignment_history"


def test_history_cannot_be_emptied(held):
    assert attack("TRUNCATE network_addressassignment CASCADE") in {
        "42501", "network_addressassignment_history",
    }  # fmt: skip


def test_a_release_by_hand_rests_and_comes_back(held):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE network_addressassignment SET released_at = %s", [NOON])
    row_ = AddressAssignment.objects.get()

    assert row_.reusable is True
    assert row_.quarantined_until is not None
    assert (row_.quarantined_until - NOON).total_seconds() == 3600
    again = held.do.allocate_address(
        pool_id=held.pool.pk, account_id=held.other.pk, now=LATER
    )
    assert str(again.address.ip) == "192.0.2.2"


def test_an_address_taken_by_hand_while_it_rests_is_not_given_again(held):
    held.do.release_address(account_id=held.account.pk)
    with connection.cursor() as cursor:
        cursor.execute(ASSIGN, row(held, "192.0.2.2/32"))

    third = another_account(held, "c")
    given = held.do.allocate_address(
        pool_id=held.pool.pk, account_id=third.pk, now=LATER
    )

    assert str(given.address.ip) == "192.0.2.3"


PREFIX = """
    INSERT INTO network_prefix (vrf_id, cidr, kind, pool_id, gateway, description)
    VALUES (%s, %s, %s, %s, %s, '')
"""


@pytest.mark.parametrize(
    ("_case", "values", "constraint"),
    [
        ("inside", ("192.0.2.4/30", "network", None, None), "network_prefix_no_overlap"),
        ("around", ("192.0.0.0/16", "network", None, None), "network_prefix_no_overlap"),
        ("the same", ("192.0.2.0/29", "network", None, None),
         "network_prefix_no_overlap"),
        ("no kind", ("10.0.0.0/8", "heap", None, None), "network_prefix_kind_known"),
        ("container with pool", ("10.0.0.0/8", "container", "pool", None),
         "network_prefix_container_has_no_pool"),
        ("gateway outside", ("10.0.0.0/8", "network", None, "11.0.0.1"),
         "network_prefix_gateway_inside"),
    ],
)  # fmt: skip
def test_prefixes_keep_their_rules(net, _case, values, constraint):
    cidr, kind, pool, gateway = values
    pool_id = net.pool.pk if pool else None
    stopped_by = attack(PREFIX, [net.pool.vrf_id, cidr, kind, pool_id, gateway])
    assert stopped_by == constraint


def test_a_container_is_there_once(net):
    values = [net.pool.vrf_id, "10.0.0.0/8", "container", None, None]
    with connection.cursor() as cursor:
        cursor.execute(PREFIX, values)
    assert attack(PREFIX, values) == "network_prefix_one_container"


def test_a_pool_of_another_vrf_is_refused(net):
    vrf = net.do.create_vrf(name="other")
    stopped_by = attack(PREFIX, [vrf.pk, "10.0.0.0/8", "network", net.pool.pk, None])
    assert stopped_by == "network_prefix_pool_in_vrf"


@pytest.mark.parametrize(
    "change", ["UPDATE network_prefix SET cidr = '192.0.2.0/28'", "UPDATE network_prefix SET kind = 'container', pool_id = NULL",
               "UPDATE network_prefix SET pool_id = NULL"],
)  # fmt: skip
def test_a_prefix_with_tenants_keeps_its_range(held, change):
    stopped_by = attack(change)
    assert stopped_by in {
        "network_prefix_has_tenants", "network_prefix_container_has_no_pool",
    }  # fmt: skip


def test_a_pool_with_prefixes_keeps_what_it_gives_out(net):
    stopped_by = attack("UPDATE network_addresspool SET delegated_length = 30")
    assert stopped_by == "network_addresspool_has_prefixes"


HOLD = """
    INSERT INTO network_accesshold (account_id, reason, effect, note, placed_at)
    VALUES (%s, %s, %s, '', now())
"""


def test_one_open_hold_for_a_reason(net):
    net.do.place_hold(account_id=net.account.pk, reason="abuse", effect="reject")
    again = [net.account.pk, "abuse", "throttle"]
    assert attack(HOLD, again) == "network_accesshold_one_open_per_reason"
    mood = [net.account.pk, "mood", "reject"]
    assert attack(HOLD, mood) == "network_accesshold_reason_known"
    shout = [net.account.pk, "quota", "shout"]
    assert attack(HOLD, shout) == "network_accesshold_effect_known"
    stopped_by = attack("UPDATE network_accesshold SET lifted_at = '2001-01-01'")
    assert stopped_by == "network_accesshold_lifted_after_placed"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (
            "UPDATE network_accessaccount SET login = 'ada home'",
            "network_accessaccount_login_printable",
        ),
        (
            "UPDATE network_accessaccount SET login = ''",
            "network_accessaccount_login_printable",
        ),
        (
            "UPDATE network_accessaccount SET mac_lock = 'AA-BB-CC-DD-EE-FF'",
            "network_accessaccount_mac_canonical",
        ),
        (
            "UPDATE network_accessaccount SET kind = 'fax'",
            "network_accessaccount_kind_known",
        ),
    ],
)
def test_accounts_keep_their_rules(net, change, constraint):
    assert attack(change) == constraint


def test_a_login_is_there_once_among_open_accounts(net):
    other = another_account(net, "b")
    stopped_by = attack(
        "UPDATE network_accessaccount SET login = 'ada@home' WHERE id = %s", [other.pk]
    )
    assert stopped_by == "network_accessaccount_login_taken"


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("UPDATE network_rateprofile SET down_kbps = 0", "network_rateprofile_has_speed"),
        ("UPDATE network_rateprofile SET up_kbps = -1",
         "network_rateprofile_up_kbps_check"),
        ("UPDATE network_rateprofile SET burst_down_kbps = 5",
         "network_rateprofile_burst_exceeds_rate"),
        ("UPDATE network_rateprofile SET interim_s = 5",
         "network_rateprofile_interim_in_range"),
        ("UPDATE network_nas SET coa_port = 0", "network_nas_coa_port_in_range"),
        ("UPDATE network_nas SET vendor = 'acme'", "network_nas_vendor_known"),
        ("UPDATE network_site SET latitude = 91, longitude = 0",
         "network_site_on_earth"),
        ("UPDATE network_addresspool SET mode = 'nas'",
         "network_addresspool_nas_mode_names_pool"),
    ],
)  # fmt: skip
def test_settings_keep_their_rules(net, sql, constraint):
    assert attack(sql) in {constraint, "network_rateprofile_has_speed"}


def test_a_vlan_id_lies_in_its_group_and_is_there_once(net):
    group = net.do.create_vlan_group(name="sw1", vid_min=10, vid_max=20)
    net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    insert = "INSERT INTO network_vlan (group_id, vid, name) VALUES (%s, %s, '')"

    assert attack(insert, [group.pk, 21]) == "network_vlan_in_group"
    assert attack(insert, [group.pk, 10]) == "network_vlan_one_per_group"


def test_the_application_makes_partitions_only_through_the_function():
    assert (
        attack(
            "CREATE TABLE network_sessionhistory_x PARTITION OF network_sessionhistory"
            " FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')"
        )
        == "42501"
    )
    made = "SELECT network_ensure_session_partitions('2031-01-15', '2031-03-01') AS n"
    assert fetch_dicts(made) == [{"n": 3}]
    assert fetch_dicts(made) == [{"n": 0}]
    assert attack(
        "SELECT network_ensure_session_partitions('2000-01-01', '2031-01-01')"
    )


def test_no_invariant_is_broken_by_a_life_of_an_isp(net, ops_of):
    do = net.do
    do.create_prefix(cidr="192.0.2.0/24", kind="container")
    group = do.create_vlan_group(name="sw1")
    for i in range(4):
        account = another_account(net, f"a{i}")
        do.allocate_address(pool_id=net.pool.pk, account_id=account.pk)
        do.assign_vlan(group_id=group.pk, account_id=account.pk)
        do.place_hold(account_id=account.pk, reason="abuse", effect="reject")
        if i % 2:
            do.close_access(account_id=account.pk)

    for invariant in all_invariants():
        if invariant.name.startswith("network."):
            assert fetch_dicts(invariant.sql) == [], invariant.name
