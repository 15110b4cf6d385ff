"""Changing an account by hand: by the API and from its page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import errors, selectors
from apps.network.models import AccessAccount, AddressAssignment, CoaRequest
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput
from tests.network.conftest import acting, another_account, build_network, session_row
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor, now=timezone.now()))


@pytest.fixture
def api(world):
    return world.api(world.nuru)


@pytest.fixture
def browser(world):
    return enter(world.nuru)


def asked(net) -> list[tuple[str, str]]:
    rows = CoaRequest.objects.filter(account=net.account).order_by("pk")
    return list(rows.values_list("kind", "state"))


def now_of(net) -> AccessAccount:
    return AccessAccount.objects.get(pk=net.account.pk)


# --- The API --------------------------------------------------------------------------


def test_a_speed_goes_to_the_running_session_which_stays(net, api):
    faster = net.do.create_rate_profile(name="50M", down_kbps=50_000, up_kbps=25_000)
    session = session_row(net, net.account, started_at=timezone.now())

    answer = api.patch(f"{API}/accounts/{net.account.pk}", {"profile": faster.pk})

    assert answer.status_code == 200, answer.content
    assert answer.json()["profile_name"] == "50M"
    row = CoaRequest.objects.get()
    assert (row.kind, row.state, row.session_id) == ("coa", "queued", session.pk)
    assert row.not_before <= timezone.now()
    session.refresh_from_db()
    assert session.stopped_at is None
    assert api.patch(f"{API}/accounts/{net.account.pk}", {"profile": faster.pk})
    assert asked(net) == [("coa", "queued")]


def test_device_sessions_and_password_are_changed_and_the_password_is_not_shown(
    net, api
):
    session_row(net, net.account, started_at=timezone.now())
    body = {"mac_lock": "02-00-00-aa-bb-cc", "sessions_max": 2, "password": " new one "}

    answer = api.patch(f"{API}/accounts/{net.account.pk}", body)

    told = answer.json()
    assert (told["mac_lock"], told["sessions_max"]) == ("02:00:00:aa:bb:cc", 2)
    assert "new one" not in answer.content.decode()
    assert selectors.account_secret(net.account.pk) == " new one "
    assert asked(net) == []
    audit = AuditEntry.objects.filter(action__startswith="network.account").latest("pk")
    assert "new one" not in str(audit.changes)
    api.patch(
        f"{API}/accounts/{net.account.pk}", {"mac_lock": "", "sessions_max": None}
    )
    assert (now_of(net).mac_lock, now_of(net).sessions_max) == ("", None)


def test_another_pool_gives_another_address_and_ends_the_session(net, api):
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    other = net.do.create_pool(name="business")
    net.do.create_prefix(cidr="198.51.100.0/29", pool_id=other.pk)
    session_row(net, net.account, started_at=timezone.now())

    answer = api.patch(f"{API}/accounts/{net.account.pk}", {"pool": other.pk})

    assert answer.json()["addresses"] == ["198.51.100.2"]
    assert asked(net) == [("disconnect", "queued")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"profile": 99999999}, "profile"), ({"pool": 99999999}, "pool"),
        ({"mac_lock": "nonsense"}, "mac_lock"), ({"sessions_max": -1}, "sessions_max"),
        ({"sessions_max": 40000}, "sessions_max"), ({"password": ""}, "password"),
        ({"password": "tab\there"}, "password"), ({"password": "é" * 100}, "password"),
        ({"profile": None}, "profile"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_changes_nothing(net, api, body, field):
    before = now_of(net)

    answer = api.patch(f"{API}/accounts/{net.account.pk}", body)

    assert answer.status_code == 400, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    after = now_of(net)
    assert (after.updated_at, after.secret) == (before.updated_at, before.secret)


def test_a_vlan_of_a_group_is_assigned_once(net, api):
    group = net.do.create_vlan_group(name="tower", vid_min=100, vid_max=100)
    at = f"{API}/accounts/{net.account.pk}/vlan"

    first, again = api.post(at, {"group": group.pk}), api.post(at, {"group": group.pk})

    assert (first.status_code, first.json()["vid"], again.json()["vid"]) == (
        201,
        100,
        100,
    )
    assert api.post(at, {"group": 99999999}).json()["errors"][0]["field"] == "group"
    other = another_account(net, "b@home")
    full = api.post(f"{API}/accounts/{other.pk}/vlan", {"group": group.pk})
    assert (full.status_code, full.json()["code"]) == (409, "vlan_group_exhausted")


def test_strangers_and_closed_accounts_change_nothing(world, net, api):
    at = f"{API}/accounts/{net.account.pk}"
    for person in (world.sola, world.bisi, world.remi, world.esi):
        for verb, path in (("patch", at), ("post", f"{at}/vlan")):
            answer = getattr(world.api(person), verb)(
                path, {"password": "another word"}
            )
            assert answer.status_code in {403, 404}
    assert selectors.account_secret(net.account.pk) == "s3cret-word"
    net.do.close_access(account_id=net.account.pk)
    answer = api.patch(at, {"password": "another word"})
    assert (answer.status_code, answer.json()["code"]) == (409, "account_closed")


# --- A chosen address -----------------------------------------------------------------


def assign(net, address, account=None, **facts):
    return net.do.assign_address(
        pool_id=facts.pop("pool_id", net.pool.pk),
        account_id=(account or net.account).pk, address=address, **facts,
    )  # fmt: skip


def test_the_chosen_address_takes_the_place_of_the_one_held(net, api):
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    session_row(net, net.account, started_at=timezone.now())

    body = {"account": net.account.pk, "address": "192.0.2.5"}
    answer = api.post(f"{API}/pools/{net.pool.pk}/assign", body)

    assert (answer.status_code, answer.json()["address"]) == (201, "192.0.2.5")
    assert selectors.account_view(net.account.pk).addresses == ["192.0.2.5"]
    assert asked(net) == [("disconnect", "queued")]
    assert AddressAssignment.objects.exclude(released_at=None).count() == 1
    # Holding it already, nothing changes.
    again = api.post(f"{API}/pools/{net.pool.pk}/assign", body)
    assert again.json()["id"] == answer.json()["id"]
    assert AddressAssignment.objects.count() == 2
    stranger = {"account": 99999999, "address": "192.0.2.6"}
    refused = api.post(f"{API}/pools/{net.pool.pk}/assign", stranger)
    assert refused.json()["errors"][0]["field"] == "account"


@pytest.mark.parametrize(
    "text",
    ["192.0.2.0", "192.0.2.1", "192.0.2.7", "192.0.2.9", "10.0.0.1", "192.0.2.4/29",
     "nonsense", "2001:db8::1", "192.0.2.4/33", ""],
)  # fmt: skip
def test_an_address_that_the_pool_does_not_give_is_refused(net, text):
    """Network, gateway, broadcast, outside, a block, no address at all."""
    with pytest.raises(InvalidInput) as refusal:
        assign(net, text)
    assert refusal.value.field == "address"
    assert AddressAssignment.objects.count() == 0


def test_a_block_is_chosen_by_its_length(net):
    pool = net.do.create_pool(name="blocks", delegated_length=56)
    net.do.create_prefix(cidr="2001:db8::/40", pool_id=pool.pk)
    for wrong in ("2001:db8:7::1", "2001:db8:7::/64", "2001:db8:7::1/56"):
        with pytest.raises(InvalidInput):
            assign(net, wrong, pool_id=pool.pk)

    given = assign(net, "2001:db8:7::/56", pool_id=pool.pk)

    assert given.address_text == "2001:db8:7::/56"


def test_what_somebody_holds_or_has_just_given_back_is_not_chosen(net):
    other = another_account(net, "b@home")
    assign(net, "192.0.2.5", other)
    with pytest.raises(errors.AddressTaken):
        assign(net, "192.0.2.5")
    now = timezone.now()
    net.do.release_address(account_id=other.pk, now=now)
    with pytest.raises(errors.AddressRests):
        assign(net, "192.0.2.5", now=now)
    # Whoever had it last may have it back; later anybody may.
    assert assign(net, "192.0.2.5", other, now=now)
    net.do.release_address(account_id=other.pk, now=now)
    later = now + timedelta(seconds=net.pool.quarantine_s + 1)
    assert assign(net, "192.0.2.5", now=later).account_id == net.account.pk


def test_a_nas_pool_and_a_closed_account_get_none(net):
    there = net.do.create_pool(name="there", mode="nas", framed_pool="there")
    with pytest.raises(errors.PoolGivesNoAddresses):
        assign(net, "192.0.2.5", pool_id=there.pk)
    net.do.close_access(account_id=net.account.pk)
    with pytest.raises(errors.AccountClosed):
        assign(net, "192.0.2.5")


def test_first_free_goes_on_where_a_chosen_address_lies_at_the_end(net):
    assign(net, "192.0.2.6")

    given = [
        net.do.allocate_address(
            pool_id=net.pool.pk, account_id=another_account(net, f"a{n}").pk
        ).address_text
        for n in range(4)
    ]

    assert given == [f"192.0.2.{host}" for host in (2, 3, 4, 5)]


# --- The page -------------------------------------------------------------------------


def page(browser, path):
    answer = browser.get(f"/console/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_page_offers_what_is_there_and_changes_it(browser, net):
    faster = net.do.create_rate_profile(name="50M", down_kbps=50_000, up_kbps=25_000)
    session_row(net, net.account, started_at=timezone.now())
    at = f"accounts/{net.account.pk}"
    form = page(browser, f"{at}/change")
    assert "50M" in form
    assert f'value="{net.profile.pk}" selected' in form

    answer = browser.post(
        f"/console/{at}/change",
        {"profile_id": faster.pk, "pool_id": net.pool.pk, "mac_lock": "",
         "sessions_max": ""},
    )  # fmt: skip

    assert answer.status_code == 302
    assert now_of(net).profile_id == faster.pk
    shown = page(browser, at)
    assert asked(net) == [("coa", "queued")]
    assert "Change of authorization" in shown
    for action in ("change", "password", "vlan", "address"):
        assert f"/console/{at}/{action}" in shown


def test_a_password_a_vlan_and_an_address_are_given_from_the_page(browser, net):
    group = net.do.create_vlan_group(name="tower", vid_min=100, vid_max=101)
    at = f"/console/accounts/{net.account.pk}"
    for path, body in (
        ("password", {"password": " right horse "}),
        ("vlan", {"group_id": group.pk}),
        ("address", {"pool_id": net.pool.pk, "address": "192.0.2.5"}),
    ):
        page(browser, f"accounts/{net.account.pk}/{path}")
        assert browser.post(f"{at}/{path}", body).status_code == 302

    view = selectors.account_view(net.account.pk)
    assert (view.vid, view.addresses) == (100, ["192.0.2.5"])
    assert selectors.account_secret(net.account.pk) == " right horse "
    refused = browser.post(f"{at}/address", {"pool_id": net.pool.pk, "address": "x"})
    assert refused.status_code == 422 or "looks like" in refused.content.decode()


def test_support_is_not_offered_what_it_may_not_do(world, net):
    at = f"/console/accounts/{net.account.pk}"
    support = enter(world.sola)
    assert f"{at}/change" not in support.get(at).content.decode()
    assert support.post(f"{at}/password", {"password": "another"}).status_code == 403


def test_who_sees_no_speeds_and_pools_is_offered_none(world, net):
    """A branch's engineer changes the device of a customer of the branch."""
    from apps.network.console.account_changes import ChangeForm
    from dotmac.core.console import Page
    from tests.network.conftest import staff

    actor = staff("network.change_account")
    now = timezone.now()
    some = Page(actor=actor, now=now, today=now.date())

    form = ChangeForm(page=some, row=net.account)

    assert sorted(form.fields) == ["mac_lock", "sessions_max"]
