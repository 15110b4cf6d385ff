"""NAS, VLANs, prefixes and profiles, by their operations."""

from __future__ import annotations

import pytest

from apps.network import errors, selectors
from apps.network.models import AccessAccount, Nas, Vlan
from apps.ops.models import AuditEntry, OutboxEvent
from dotmac.core.errors import InvalidInput
from tests.network.conftest import another_account

pytestmark = pytest.mark.django_db


def test_a_nas_gets_a_random_sealed_secret(net):
    other = net.do.create_nas(name="n2", address="127.0.1.2")
    first, second = selectors.nas_secret(net.nas.pk), selectors.nas_secret(other.pk)

    assert first != second
    assert len(first) >= 22
    assert first.encode() not in bytes(Nas.objects.get(pk=net.nas.pk).secret)
    assert first not in str(list(AuditEntry.objects.values()))


def test_a_change_that_changes_nothing_is_none(net):
    before = OutboxEvent.objects.count()
    net.do.change_nas(
        nas_id=net.nas.pk,
        changes={
            "name": "ikeja-1", "address": "127.0.1.1",
            "secret": selectors.nas_secret(net.nas.pk),
        },
    )  # fmt: skip
    assert OutboxEvent.objects.count() == before


def test_a_changed_secret_is_in_no_record(net):
    net.do.change_nas(
        nas_id=net.nas.pk, changes={"secret": "quite-another-secret-1", "site_id": None}
    )
    assert selectors.nas_secret(net.nas.pk) == "quite-another-secret-1"
    changes = AuditEntry.objects.latest("id").changes
    assert changes == {"secret": "***", "site_id": [net.site.pk, None]}
    assert "quite-another" not in str(list(OutboxEvent.objects.values()))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rebooted_at": None}, "rebooted_at"),
        ({"secret": "short"}, "secret"),
        ({"address": "0.0.0.0"}, "address"),  # noqa: S104 - what is refused
        ({"site_id": 99_999}, "site"),
        ({"walled_pool": " "}, "walled_pool"),
        ({"vendor": "acme"}, "vendor"),
        ({"name": ""}, "name"),
    ],
)
def test_a_malformed_change_of_a_nas_is_refused(net, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        net.do.change_nas(nas_id=net.nas.pk, changes=changes)
    assert refusal.value.field == field


def test_a_nas_does_not_take_the_name_or_address_of_another(net):
    other = net.do.create_nas(name="n2", address="127.0.1.2")
    with pytest.raises(errors.NameTaken):
        net.do.change_nas(nas_id=other.pk, changes={"name": "ikeja-1"})


def test_a_nas_does_not_take_the_address_of_another(net):
    other = net.do.create_nas(name="n2", address="127.0.1.2")
    with pytest.raises(errors.NasAddressTaken):
        net.do.change_nas(nas_id=other.pk, changes={"address": "127.0.1.1"})


def test_vlan_ids_are_the_first_free_and_come_back(net):
    group = net.do.create_vlan_group(name="sw1", vid_min=10, vid_max=12, outer_vid=7)
    accounts = [net.account, another_account(net, "b"), another_account(net, "c")]
    given = [
        net.do.assign_vlan(group_id=group.pk, account_id=a.pk).vid for a in accounts
    ]
    again = net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)

    assert (given, again.vid) == ([10, 11, 12], 10)
    with pytest.raises(errors.VlanGroupExhausted):
        net.do.assign_vlan(group_id=group.pk, account_id=another_account(net, "d").pk)
    net.do.close_access(account_id=accounts[1].pk)
    late = net.do.assign_vlan(
        group_id=group.pk, account_id=another_account(net, "e").pk
    )
    assert late.vid == 11


def test_another_group_replaces_the_vlan(net):
    first = net.do.create_vlan_group(name="sw1")
    second = net.do.create_vlan_group(name="sw2", vid_min=500)
    net.do.assign_vlan(group_id=first.pk, account_id=net.account.pk)

    moved = net.do.assign_vlan(group_id=second.pk, account_id=net.account.pk)

    assert moved.vid == 500
    assert Vlan.objects.get().group_id == second.pk
    assert selectors.account_view(net.account.pk).vid == 500


def test_a_closed_account_gets_no_vlan(net):
    group = net.do.create_vlan_group(name="sw1")
    net.do.close_access(account_id=net.account.pk)
    with pytest.raises(errors.AccountClosed):
        net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    assert Vlan.objects.exists() is False


def test_vlan_group_names_are_taken_once(net):
    net.do.create_vlan_group(name="sw1")
    with pytest.raises(errors.NameTaken):
        net.do.create_vlan_group(name="sw1")


def test_site_names_are_taken_once(net):
    with pytest.raises(errors.NameTaken):
        net.do.create_site(name="Ikeja")


@pytest.mark.parametrize(
    ("_case", "inner", "outer", "works"),
    [
        ("network in container", ("10.1.0.0/24", "network"), ("10.0.0.0/8", "container"),
         True),
        ("container in container", ("10.1.0.0/16", "container"),
         ("10.0.0.0/8", "container"), True),
        ("network as large as its container", ("10.0.0.0/8", "network"),
         ("10.0.0.0/8", "container"), True),
        ("container in network", ("10.1.0.0/16", "container"), ("10.0.0.0/8", "network"),
         False),
        ("network in network", ("10.1.0.0/16", "network"), ("10.0.0.0/8", "network"),
         False),
        ("the same container", ("10.0.0.0/8", "container"), ("10.0.0.0/8", "container"),
         False),
    ],
)  # fmt: skip
def test_what_may_lie_in_what(net, _case, inner, outer, works):
    for first, second in ((inner, outer), (outer, inner)):
        net.do.create_vrf(name=f"{first}")
        vrf = selectors.vrfs(_staff()).get(name=f"{first}").pk
        net.do.create_prefix(cidr=first[0], kind=first[1], vrf_id=vrf)
        if works:
            net.do.create_prefix(cidr=second[0], kind=second[1], vrf_id=vrf)
            continue
        with pytest.raises(errors.PrefixOverlaps) as refusal:
            net.do.create_prefix(cidr=second[0], kind=second[1], vrf_id=vrf)
        assert refusal.value.facts["prefix"] == first[0]
        return


def _staff():
    from tests.network.conftest import nuru_actor

    return nuru_actor()


def test_the_same_prefix_lives_in_another_vrf(net):
    vrf = net.do.create_vrf(name="other")
    made = net.do.create_prefix(cidr="192.0.2.0/29", vrf_id=vrf.pk)
    assert made.vrf_id == vrf.pk
    with pytest.raises(InvalidInput, match="another VRF"):
        net.do.create_prefix(cidr="10.0.0.0/8", vrf_id=vrf.pk, pool_id=net.pool.pk)


def test_the_prefix_of_a_pool_of_another_vrf_is_in_that_vrf(net):
    vrf = net.do.create_vrf(name="other")
    pool = net.do.create_pool(name="there", vrf_id=vrf.pk)
    assert net.do.create_prefix(cidr="192.0.2.0/29", pool_id=pool.pk).vrf_id == vrf.pk


@pytest.mark.parametrize(
    ("cidr", "length", "words"),
    [
        ("10.0.0.0/24", 23, "do not fit"),
        ("10.0.0.0/24", 33, "do not fit"),
        ("2001:db8::/56", 48, "do not fit"),
    ],
)
def test_delegated_blocks_fit_their_prefix(net, cidr, length, words):
    pool = net.do.create_pool(name="pd", delegated_length=length)
    with pytest.raises(InvalidInput, match=words) as refusal:
        net.do.create_prefix(cidr=cidr, pool_id=pool.pk)
    assert refusal.value.field == "cidr"


def test_a_delegating_prefix_keeps_no_gateway_unless_told(net):
    pool = net.do.create_pool(name="pd", delegated_length=56)
    made = net.do.create_prefix(cidr="2001:db8::/40", pool_id=pool.pk)
    told = net.do.create_prefix(
        cidr="2001:db8:1000::/64", gateway="2001:db8:1000::ffff"
    )
    assert made.gateway is None
    assert str(told.gateway) == "2001:db8:1000::ffff"


def test_strangers_see_no_row(net, esi):
    for rows in (
        selectors.nas_list, selectors.sites, selectors.vrfs, selectors.address_pools,
        selectors.prefixes, selectors.assignments, selectors.rate_profiles,
        selectors.vlan_groups, selectors.vlans, selectors.accounts,
        selectors.live_sessions, selectors.coa_requests,
    ):  # fmt: skip
        assert rows(esi).exists() is False
    assert selectors.accounts(_staff()).count() == AccessAccount.objects.count()
    assert selectors.default_vrf_id() == net.pool.vrf_id


def test_records_say_what_they_are(net):
    group = net.do.create_vlan_group(name="sw1")
    vlan = net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    hold = net.do.place_hold(account_id=net.account.pk, reason="abuse", effect="reject")
    given = net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    said = [net.site, net.nas, net.profile, net.pool, net.pool.vrf, net.prefix,
            net.account, group, vlan, hold, given]  # fmt: skip
    assert [str(record) for record in said] == [
        "Ikeja", "ikeja-1", "10M", "home", "default", "192.0.2.0/29", "ada@home", "sw1",
        "2 ada@home", "abuse (reject)", "192.0.2.2",
    ]  # fmt: skip
