"""An invariant that never fails proves nothing: each is broken once."""

from __future__ import annotations

import pytest
from django.db import connections, transaction

from dotmac.core.actors import system_actor
from dotmac.core.invariants import all_invariants
from tests.network.conftest import acting, another_account, build_network

pytestmark = pytest.mark.integration
COPY = "INSERT INTO {0} ({1}) SELECT {2} FROM {0} LIMIT 1"
HELD = "vrf_id, pool_id, prefix_id, account_id, address, assigned_at, reusable"
HOLD = "account_id, reason, effect, note, placed_at"


def test_each_invariant_sees_what_it_is_for(own_database):
    """Broken on purpose, with the guards taken away."""
    net = build_network(acting(system_actor("test")))
    _use_everything(net)
    close = "UPDATE network_accessaccount SET closed_at = now()"
    breakages = {
        "networks_do_not_overlap": COPY.format(
            "network_prefix", "vrf_id, cidr, kind, description",
            "vrf_id, '192.0.0.0/16', kind, ''"),
        "no_container_inside_network": COPY.format(
            "network_prefix", "vrf_id, cidr, kind, description",
            "vrf_id, '192.0.2.0/30', 'container', ''"),
        "addresses_have_one_holder": COPY.format(
            "network_addressassignment", HELD, HELD),
        "held_addresses_lie_in_prefix":
            "UPDATE network_addressassignment SET address = '10.0.0.1/32'",
        "reserved_addresses_are_free":
            "UPDATE network_addressassignment SET address = '192.0.2.1/32'",
        "closed_accounts_hold_nothing": close,
        "closed_accounts_have_no_handle": close,
        "one_open_hold_per_reason": COPY.format("network_accesshold", HOLD, HOLD),
        "logins_are_unique": "UPDATE network_accessaccount SET login = 'same'",
        "vlans_lie_in_group": "UPDATE network_vlan SET vid = 99",
        "sessions_belong_to_accounts":
            "INSERT INTO network_sessionlive (session_key, account_id, nas_id, login,"
            " acct_session_id, started_at, seen_at) VALUES"
            " (gen_random_uuid(), 999999, NULL, 'x', 'x', now(), now())",
        "rendered_replies_are_current":
            "UPDATE network_profilereply SET pairs = '{}' WHERE vendor = 'cisco'",
        "awaited_secrets_are_scheduled": "UPDATE network_nas SET secret_awaits = 7",
        "vendor_rules_match_files":
            "UPDATE network_vendorrule SET template = '1k/1k' WHERE vendor = 'mikrotik'",
    }  # fmt: skip
    known = {i.name: i for i in all_invariants() if i.name.startswith("network.")}
    ours = {name.removeprefix("network.") for name in known}
    assert set(breakages) <= ours

    with connections["owner"].cursor() as owner:
        _drop_guards(owner)
        for name, breakage in breakages.items():
            with transaction.atomic(using="owner"):
                owner.execute(breakage)
                owner.execute(known[f"network.{name}"].sql)
                assert owner.fetchall(), name
                transaction.set_rollback(True, using="owner")


def _use_everything(net):
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    net.do.add_handle(account_id=net.account.pk, kind="mac", value="aabbccddeeff")
    net.do.place_hold(account_id=net.account.pk, reason="abuse", effect="reject")
    group = net.do.create_vlan_group(name="sw1", vid_min=10, vid_max=20)
    net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    another_account(net, "b")


def _drop_guards(owner):
    owner.execute("""
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
          FROM pg_constraint WHERE contype IN ('x', 'c')
           AND conrelid::regclass::text LIKE 'network\\_%'
           AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = conrelid)
        UNION ALL
        SELECT format('DROP INDEX %I', indexname) FROM pg_indexes
         WHERE indexname IN ('network_accesshold_one_open_per_reason',
             'network_accessaccount_login_taken',
             'network_addressassignment_one_per_account')
        UNION ALL
        SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
         WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'network\\_%'
    """)
    for (statement,) in owner.fetchall():
        owner.execute(statement)
