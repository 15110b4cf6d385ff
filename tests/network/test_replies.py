"""Attributes of one NAS, dual stack, and a speed that changes while sessions run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction

from apps.network import tasks
from apps.network.errors import VendorInUse
from apps.network.models import (
    AddressAssignment,
    CoaRequest,
    Nas,
    NasAttribute,
    RateProfile,
)
from apps.network.operations import profiles, vendors
from apps.network.radius.vendors import own_maps
from dotmac.core.errors import InvalidInput
from tests.network.conftest import NOON, another_account, session_row
from tests.network.vendors import Case, lines

pytestmark = pytest.mark.integration


@pytest.fixture
def asked(own_database):
    """Ask radius_authorize about a line that changes under the test's hands."""
    session = lines.radius_session()
    account, nas = lines.make_line(Case(says="", told=()), "mikrotik")

    def ask() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value, _ in lines.told(session, account, nas):
            found.setdefault(name, []).append(value)
        return found

    yield ask, account, nas
    session.close()


def test_an_attribute_of_one_nas_takes_the_maps_place_or_adds(asked):
    ask, account, nas = asked
    tell = {"nas_id": nas.pk, "attribute": "Mikrotik-Rate-Limit"}

    lines.act("add_nas_attribute", **tell, value="1M/1M '\"\\")
    lines.act("add_nas_attribute", **tell, value="2M/2M", op="+=", moment="throttled")
    lines.act(
        "add_nas_attribute", nas_id=nas.pk, attribute="Filter-Id", value="o'filter"
    )

    assert ask() == {"Mikrotik-Rate-Limit": ["1M/1M '\"\\"], "Filter-Id": ["o'filter"]}
    assert lines.edge_rate(account, nas) == [("Mikrotik-Rate-Limit", "1M/1M '\"\\")]
    lines.act("place_hold", account_id=account.pk, reason="admin", effect="throttle")
    assert ask()["Mikrotik-Rate-Limit"] == ["1M/1M '\"\\", "2M/2M"]

    for row in NasAttribute.objects.all():
        lines.act("remove_nas_attribute", nas_id=nas.pk, attribute_id=row.pk)
        lines.act("remove_nas_attribute", nas_id=nas.pk, attribute_id=row.pk)
    assert ask() == {"Mikrotik-Rate-Limit": ["512k/512k"]}


def test_a_changed_profile_is_in_the_next_answer(asked):
    ask, account, _ = asked
    changes = {"down_kbps": 50_000, "priority": 2, "idle_s": 60}

    lines.act("change_rate_profile", profile_id=account.profile_id, changes=changes)

    limit = "10000k/50000k 0/0 0/0 0/0 2"
    assert ask() == {"Idle-Timeout": ["60"], "Mikrotik-Rate-Limit": [limit]}


def test_a_limit_of_the_account_is_the_one_that_is_told(asked):
    session = lines.radius_session()
    account, nas = lines.make_line(Case(says="", told=()), "generic")
    lines.act("change_access", account_id=account.pk, sessions_max=7)

    told = lines.told(session, account, nas)

    session.close()
    assert ("Port-Limit", "7", ":=") in told


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"attribute": "Mikrotik-Rate-Limt", "value": "1"}, "attribute"),
        ({"attribute": "Tmp-String-0", "value": "ignore"}, "attribute"),
        ({"attribute": "Idle-Timeout", "value": "long"}, "value"),
        ({"attribute": "Class", "value": "1"}, "value"),
        ({"attribute": "Idle-Timeout", "value": "1", "op": "=="}, "op"),
        ({"attribute": "Idle-Timeout", "value": "1", "moment": "never"}, "moment"),
    ],
)
def test_what_no_nas_may_be_told_is_refused_when_saved(net, facts, field):
    with pytest.raises(InvalidInput) as refused:
        net.do.add_nas_attribute(nas_id=net.nas.pk, **facts)

    assert refused.value.field == field
    assert not NasAttribute.objects.exists()


def test_a_nas_has_so_many_attributes_and_no_more(net, monkeypatch):
    monkeypatch.setattr(vendors, "ATTRIBUTES_MAX", 2)
    for number in range(2):
        net.do.add_nas_attribute(
            nas_id=net.nas.pk, attribute="Filter-Id", value=f"f{number}", op="+="
        )
    with pytest.raises(InvalidInput, match="at most"):
        net.do.add_nas_attribute(nas_id=net.nas.pk, attribute="Filter-Id", value="x")


@pytest.mark.parametrize(
    "url", ["portal.example", "ftp://x.example/", "http://" + "x" * 400]
)
def test_a_garden_leads_to_a_page_that_a_browser_can_open(net, url):
    with pytest.raises(InvalidInput) as refused:
        net.do.change_nas(nas_id=net.nas.pk, changes={"redirect_url": url})
    assert refused.value.field == "redirect_url"


def test_a_pool_that_both_have_is_kept_when_the_line_moves(net):
    v4 = _pools(net)
    net.do.change_access(account_id=net.account.pk, pool_id=v4.pk)
    assert _held(net.account) == ["198.51.100.2", "2001:db8::/64"]
    other = net.do.create_pool(name="other v4", with_v6_id=v4.with_v6_id)
    net.do.create_prefix(cidr="198.51.100.64/28", pool_id=other.pk)

    net.do.change_access(account_id=net.account.pk, pool_id=other.pk)

    assert _held(net.account) == ["198.51.100.66", "2001:db8::/64"]


def test_the_same_attribute_twice_is_one(net):
    same = {"nas_id": net.nas.pk, "attribute": "Idle-Timeout", "value": "600"}

    first = net.do.add_nas_attribute(**same)

    assert net.do.add_nas_attribute(**same).pk == first.pk


def test_a_vendor_without_a_map_is_refused_by_operation_and_database(net):
    with pytest.raises(InvalidInput) as refused:
        net.do.change_nas(nas_id=net.nas.pk, changes={"vendor": "acme"})
    assert refused.value.field == "vendor"

    with pytest.raises(IntegrityError), transaction.atomic():
        Nas.objects.filter(pk=net.nas.pk).update(vendor="acme")


def test_a_map_stays_while_a_nas_is_of_it(net):
    without = [found for found in own_maps() if found.slug != "mikrotik"]

    with pytest.raises(VendorInUse):
        net.do.load_vendor_maps(maps=without)

    fewer = [found for found in own_maps() if found.slug != "cambium"]
    assert net.do.load_vendor_maps(maps=fewer) == ["cambium"]
    assert net.do.load_vendor_maps() == ["cambium"]


def test_nobody_writes_the_rendered_replies(net):
    with (
        pytest.raises(Exception, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE network_profilereply SET pairs = '{}'")


def _pools(net):
    link = net.do.create_pool(name="link", use="link", delegated_length=64)
    net.do.create_prefix(cidr="2001:db8::/48", pool_id=link.pk)
    v4 = net.do.create_pool(name="v4", with_v6_id=link.pk)
    net.do.create_prefix(cidr="198.51.100.0/30", pool_id=v4.pk)
    return v4


def _held(account) -> list[str]:
    rows = AddressAssignment.objects.filter(account=account, released_at=None)
    return sorted(row.address_text for row in rows)


def test_both_addresses_are_given_in_one_step_or_none(net):
    v4 = _pools(net)
    first = net.do.allocate_address(pool_id=v4.pk, account_id=net.account.pk)
    assert first.address_text == "198.51.100.2"
    assert _held(net.account) == ["198.51.100.2", "2001:db8::/64"]
    assert net.do.allocate_address(pool_id=v4.pk, account_id=net.account.pk) == first

    net.do.change_access(account_id=net.account.pk, pool_id=v4.pk)
    net.do.change_access(account_id=net.account.pk, pool_id=net.pool.pk)
    assert _held(net.account) == ["192.0.2.2"]

    # The pool of IPv6 is full: nothing is given of the other either.
    full = net.do.create_pool(name="full", use="delegated", delegated_length=56)
    pair = net.do.create_pool(name="pair", with_v6_id=full.pk)
    net.do.create_prefix(cidr="198.51.100.8/29", pool_id=pair.pk)
    other = another_account(net, "other")
    with pytest.raises(Exception, match="no free address"):
        net.do.allocate_address(pool_id=pair.pk, account_id=other.pk)
    assert _held(other) == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"use": "link"}, "delegated_length"),
        ({"use": "address", "delegated_length": 29}, "delegated_length"),
        ({"use": "routed", "mode": "nas", "framed_pool": "x"}, "mode"),
        ({"use": "whole"}, "use"),
        ({"with_v6_id": 10**9}, "with_v6"),
    ],
)
def test_pools_that_make_no_sense_are_refused(net, facts, field):
    with pytest.raises(InvalidInput) as refused:
        net.do.create_pool(name="odd", **facts)

    assert refused.value.field == field


def test_a_partner_is_of_ipv6_and_of_the_same_giver(net):
    with pytest.raises(InvalidInput):
        net.do.create_pool(name="odd", with_v6_id=net.pool.pk)
    v6 = net.do.create_pool(name="v6")
    with pytest.raises(InvalidInput):
        net.do.create_pool(name="odd", mode="nas", framed_pool="x", with_v6_id=v6.pk)
    net.do.create_pool(name="v4", with_v6_id=v6.pk)
    with pytest.raises(InvalidInput):
        net.do.create_prefix(cidr="198.51.100.0/24", pool_id=v6.pk)


def test_running_sessions_hear_of_a_changed_speed_in_chunks(net, monkeypatch):
    monkeypatch.setattr(profiles, "TELL_MAX", 2)
    accounts = [net.account, *(another_account(net, f"a{n}") for n in range(4))]
    for number, account in enumerate(accounts):
        session_row(net, account, session=f"s{number}")
    session_row(net, net.account, session="over", stopped_at=NOON + timedelta(hours=1))

    net.do.change_rate_profile(profile_id=net.profile.pk, changes={"up_kbps": 6_000})

    # Killed after the first chunk, the others are told by the task.
    assert CoaRequest.objects.count() == 2
    assert tasks.tell_profiles() == 3
    assert sorted(CoaRequest.objects.values_list("login", "kind")) == sorted(
        (account.login, "coa") for account in accounts
    )
    assert RateProfile.objects.get().told_session is None
    assert tasks.tell_profiles() == 0


def test_a_change_that_no_session_notices_tells_nobody(net):
    session_row(net, net.account)

    net.do.change_rate_profile(
        profile_id=net.profile.pk, changes={"name": "new", "sessions_max": 2}
    )
    net.do.change_rate_profile(profile_id=net.profile.pk, changes={"name": "new"})

    assert not CoaRequest.objects.exists()
    with pytest.raises(InvalidInput) as refused:
        net.do.change_rate_profile(profile_id=net.profile.pk, changes={"color": 1})
    assert refused.value.field == "color"
    with pytest.raises(InvalidInput) as refused:
        net.do.change_rate_profile(
            profile_id=net.profile.pk, changes={"burst_down_kbps": 20_000}
        )
    assert refused.value.field == "burst_up_kbps"


def test_where_a_session_cannot_change_it_ends(net):
    net.do.change_nas(nas_id=net.nas.pk, changes={"vendor": "cisco"})
    session_row(net, net.account)

    net.do.change_rate_profile(profile_id=net.profile.pk, changes={"up_kbps": 6_000})

    assert CoaRequest.objects.get().kind == "disconnect"


def test_every_profile_is_rendered_for_every_vendor(net):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM network_profilereply")
        assert cursor.fetchone()[0] == 3 * len(own_maps()) * RateProfile.objects.count()
        cursor.execute("SELECT * FROM network_stale_replies()")
        assert cursor.fetchall() == []
