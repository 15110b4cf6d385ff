"""The network's screens: what people see, do, and are refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import selectors
from apps.network.models import CoaRequest, Nas, Prefix, UsageHour
from tests.network.conftest import acting, build_network, session_row
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def do(world):
    return acting(world.nuru.actor, now=timezone.now())


@pytest.fixture
def net(do):
    return build_network(do)


@pytest.fixture
def browser(world):
    return enter(world.nuru)


def page(browser, path):
    answer = browser.get(f"/console/{path}")
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


LISTS = (
    "nas", "sites", "pools", "prefixes", "rate-profiles", "sessions", "coa-requests",
    "accounts",
)  # fmt: skip


@pytest.mark.parametrize("slug", LISTS)
def test_each_list_answers_empty_and_filled(world, browser, slug):
    page(browser, slug)
    do = acting(world.nuru.actor, now=timezone.now())
    net = build_network(do)
    session_row(net, net.account, started_at=timezone.now())
    do.request_disconnects(account_id=net.account.pk)

    shown = page(browser, slug)

    words = {
        "nas": "ikeja-1", "sites": "Ikeja", "pools": "home", "prefixes": "192.0.2.0/29",
        "rate-profiles": "10M",
    }  # fmt: skip
    assert words.get(slug, "ada@home") in shown


def test_a_stranger_sees_no_screen(world, net):
    stranger = enter(world.bisi)
    for slug in LISTS:
        assert stranger.get(f"/console/{slug}").status_code in {403, 404}
    assert stranger.get(f"/console/nas/{net.nas.pk}").status_code in {403, 404}
    refused = stranger.post("/console/nas/new", {"name": "x", "address": "127.0.1.9"})
    assert refused.status_code in {403, 404}
    assert Nas.objects.count() == 1


def test_a_new_nas_shows_its_secret_once(browser, net):
    answer = browser.post(
        "/console/nas/new",
        {"name": "yaba-1", "address": "127.0.1.9", "vendor": "mikrotik",
         "coa_port": "3799", "walled_pool": "walled", "secret": "",
         "require_message_authenticator": "on"},
    )  # fmt: skip
    nas = Nas.objects.get(name="yaba-1")
    secret = selectors.nas_secret(nas.pk)

    assert answer.status_code == 200
    assert len(secret) >= 22
    # Once, on a page that stays; a message would lie in a cookie.
    assert answer.content.decode().count(f">{secret}<") == 1
    assert "messages" not in answer.cookies
    assert secret not in page(browser, f"nas/{nas.pk}")


def test_a_given_secret_is_never_shown(browser, net):
    browser.post(
        "/console/nas/new",
        {"name": "yaba-1", "address": "127.0.1.9", "vendor": "generic",
         "coa_port": "3799", "walled_pool": "walled", "secret": "typed-by-nuru-in-2026"},
    )  # fmt: skip
    nas = Nas.objects.get(name="yaba-1")
    assert nas.require_message_authenticator is False
    assert selectors.nas_secret(nas.pk) == "typed-by-nuru-in-2026"
    assert "typed-by-nuru" not in page(browser, f"nas/{nas.pk}")


def test_a_refusal_marks_the_field_and_keeps_what_was_typed(browser, net):
    answer = browser.post(
        "/console/nas/new",
        {"name": "yaba-1", "address": "127.0.1.1", "vendor": "mikrotik",
         "coa_port": "3799", "walled_pool": "walled", "secret": "typed-by-nuru-in-2026"},
    )  # fmt: skip
    text = answer.content.decode()
    assert "typed-by-nuru" not in text
    assert "Type it again" in text
    assert "Another NAS has this address" in text
    assert "yaba-1" in text
    assert Nas.objects.count() == 1


def test_a_nas_is_changed_and_gets_another_secret(browser, net):
    before = selectors.nas_secret(net.nas.pk)
    changed = browser.post(
        f"/console/nas/{net.nas.pk}/change",
        {"name": "ikeja-2", "address": "127.0.1.1", "vendor": "mikrotik",
         "coa_port": "3800", "walled_pool": "walled", "site_id": str(net.site.pk),
         "counts_32_bits": "on"},
    )  # fmt: skip
    renewed = browser.post(
        f"/console/nas/{net.nas.pk}/renew-secret", {"confirmed": "1"}
    )

    nas = Nas.objects.get(pk=net.nas.pk)
    assert (changed.status_code, renewed.status_code) == (302, 200)
    assert (nas.name, nas.coa_port, nas.enabled) == ("ikeja-2", 3800, False)
    assert nas.counts_32_bits is True
    after = selectors.nas_secret(net.nas.pk)
    assert after != before
    assert f">{after}<" in renewed.content.decode()


@pytest.mark.parametrize("tab", ["overview", "sessions", "requests"])
def test_the_page_of_a_nas(browser, net, tab):
    session_row(net, net.account, started_at=timezone.now())
    assert "127.0.1.1" in page(browser, f"nas/{net.nas.pk}?tab={tab}")


@pytest.mark.parametrize("tab", ["addresses", "inside", "history"])
def test_the_page_of_a_prefix(browser, net, do, tab):
    do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    if tab == "history":
        do.release_address(account_id=net.account.pk)
    around = do.create_prefix(cidr="192.0.2.0/24", kind="container")

    shown = page(browser, f"prefixes/{net.prefix.pk}?tab={tab}")
    outer = page(browser, f"prefixes/{around.pk}?tab={tab}")

    assert ("ada@home" in shown) is (tab != "inside")
    assert ("192.0.2.0/29" in outer) is (tab == "inside")


def test_the_list_of_prefixes_is_a_tree(browser, net, do):
    do.create_prefix(cidr="192.0.2.0/24", kind="container")
    do.create_prefix(cidr="192.0.0.0/16", kind="container")

    shown = page(browser, "prefixes")

    places = [shown.index(f"{i}192.0.{n}") for i, n in
              (("", "0.0/16"), ("\u2003", "2.0/24"), ("\u2003\u2003", "2.0/29"))]  # fmt: skip
    assert places == sorted(places)
    assert "192.0.2.0/29" in page(browser, "prefixes?q=192.0.2.5")
    assert "192.0.2.0/29" not in page(browser, "prefixes?q=10.0.0.1")
    assert "192.0.2.0/29" not in page(browser, "prefixes?q=nonsense")


def test_huge_pools_are_told_by_magnitude(browser, do):
    six = do.create_pool(name="six")
    do.create_prefix(cidr="2001:db8::/64", pool_id=six.pk)
    for path in ("prefixes", "pools", f"pools/{six.pk}"):
        assert "about 2^64" in page(browser, path)


def test_prefixes_page_by_key(browser, do):
    for i in range(60):
        do.create_prefix(cidr=f"10.{i}.0.0/16")
    first = page(browser, "prefixes")
    cursor = first.split("cursor=")[1].split('"')[0].split("&")[0]
    second = page(browser, f"prefixes?cursor={cursor}")

    assert "10.0.0.0/16" in first
    assert "10.59.0.0/16" not in first
    assert "10.59.0.0/16" in second


def test_a_new_prefix_feeds_a_pool_and_an_overlap_is_marked(browser, net):
    vrf = net.pool.vrf_id
    good = browser.post(
        "/console/prefixes/new",
        {
            "cidr": "10.1.0.0/24",
            "kind": "network",
            "vrf_id": vrf,
            "pool_id": net.pool.pk,
        },
    )
    bad = browser.post(
        "/console/prefixes/new",
        {"cidr": "10.1.0.0/25", "kind": "network", "vrf_id": vrf},
    )
    other = browser.post(
        "/console/prefixes/new",
        {"cidr": "2001:db8::/40", "kind": "network", "vrf_id": vrf,
         "pool_id": net.pool.pk},
    )  # fmt: skip

    assert good.status_code == 302
    assert "10.1.0.0/25 overlaps 10.1.0.0/24" in bad.content.decode()
    assert "other IP version" in other.content.decode()
    assert Prefix.objects.count() == 2


def test_a_container_with_a_pool_is_refused_at_its_field(browser, net):
    answer = browser.post(
        "/console/prefixes/new",
        {"cidr": "10.0.0.0/8", "kind": "container", "vrf_id": net.pool.vrf_id,
         "pool_id": net.pool.pk},
    )  # fmt: skip
    assert "A container gives out no addresses" in answer.content.decode()


def test_sites_pools_and_rate_profiles_are_made_by_form(browser, net):
    for slug, data in (
        ("sites", {"name": "Yaba", "city": "Lagos"}),
        ("pools", {"name": "office", "mode": "dotmac", "quarantine_s": "60"}),
        ("pools", {"name": "edge", "mode": "nas", "framed_pool": "dhcp",
                   "quarantine_s": "0"}),
        ("rate-profiles",
         {"name": "20M", "down_kbps": "20000", "up_kbps": "5000", "burst_down_kbps": "0",
          "burst_up_kbps": "0", "burst_s": "0", "throttled_down_kbps": "512",
          "throttled_up_kbps": "512", "sessions_max": "1", "interim_s": "300",
          "on_limit": "replace"}),
    ):  # fmt: skip
        answer = browser.post(f"/console/{slug}/new", data)
        assert answer.status_code == 302, answer.content.decode()
        detail = browser.get(answer["Location"]).content.decode()
        assert data["name"] in detail


def test_an_account_is_held_lifted_and_disconnected(browser, net):
    session_row(net, net.account, started_at=timezone.now())
    path = f"accounts/{net.account.pk}"

    held = browser.post(
        f"/console/{path}/hold",
        {"reason": "abuse", "effect": "walled_garden", "note": "spam run"},
    )
    shown = page(browser, path)
    lifted = browser.post(f"/console/{path}/lift", {"reason": "abuse"})

    assert (held.status_code, lifted.status_code) == (302, 302)
    assert "spam run" in shown
    assert "Walled garden" in shown
    assert selectors.account_view(net.account.pk).state == "open"
    CoaRequest.objects.all().delete()
    ended = browser.post(f"/console/{path}/disconnect", {"confirmed": "1"})
    again = browser.post(f"/console/{path}/disconnect", {"confirmed": "1"}, follow=True)
    assert ended.status_code == 302
    assert CoaRequest.objects.get().kind == "disconnect"
    assert "its end is on the way" in again.content.decode()


@pytest.mark.parametrize("tab", ["overview", "usage", "sessions"])
def test_the_page_of_an_account(browser, net, tab):
    session_row(net, net.account, started_at=timezone.now())
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.create(
        account=net.account, hour_at=hour - timedelta(hours=2), octets_in=10**9
    )
    assert "ada@home" in page(browser, f"accounts/{net.account.pk}?tab={tab}")


def test_what_an_account_used_so_far(browser, net):
    UsageHour.objects.create(
        account=net.account, octets_in=3 * 10**9, octets_out=4 * 10**9,
        hour_at=timezone.now().replace(minute=0, second=0, microsecond=0),
    )  # fmt: skip

    shown = page(browser, f"accounts/{net.account.pk}?tab=usage")

    for words in ("Today", "This week", "This month", "By the clock of Africa/Lagos."):
        assert words in shown
    assert shown.count("7 GB") + shown.count("7.0 GB") + shown.count("7.00 GB") == 3


def test_usage_as_a_series(browser, net):
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.create(
        account=net.account, hour_at=hour, octets_in=100, octets_out=7000
    )
    path = f"/console/accounts/{net.account.pk}/series"
    series = browser.get(f"{path}/usage?range=7d")

    assert series.status_code == 200
    assert 7000 in series.json()["columns"][1]
    assert browser.get(f"{path}/nothing").status_code == 404


def test_an_expired_account_says_until_when(browser, net, do):
    do.change_access(
        account_id=net.account.pk, expires_at=timezone.now() - timedelta(days=1)
    )
    assert "Paid until" in page(browser, f"accounts/{net.account.pk}")


def test_a_session_that_went_silent_says_so(browser, net):
    session_row(net, net.account, started_at=timezone.now() - timedelta(hours=2))
    assert "Its session went silent" in page(browser, f"accounts/{net.account.pk}")


def test_pages_of_sessions_and_requests(browser, net, do):
    row = session_row(net, net.account, started_at=timezone.now())
    do.request_disconnects(account_id=net.account.pk, reason="asked")
    asked = CoaRequest.objects.get()
    CoaRequest.objects.filter(pk=asked.pk).update(
        answer="Disconnect-ACK", attributes={"User-Name": "ada@home"}
    )

    session = page(browser, f"sessions/{row.pk}")
    request = page(browser, f"coa-requests/{asked.pk}")

    assert "Disconnect-ACK" in session
    assert "Disconnect-ACK" in request
    assert "User-Name" in request
    for state in ("sending", "obsolete", "silent"):
        CoaRequest.objects.filter(pk=asked.pk).update(state=state)
        page(browser, f"coa-requests/{asked.pk}")


def test_lists_search_by_what_is_indexed(browser, net, do):
    do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    session_row(net, net.account, started_at=timezone.now())
    do.request_disconnects(account_id=net.account.pk)

    for path in (
        "nas?q=ikeja", "nas?q=127.0.1.1", "accounts?q=ada", "sessions?q=ada@home",
        "sessions?q=192.0.2.2", "coa-requests?q=ada@home",
    ):  # fmt: skip
        assert "ada@home" in page(browser, path) or "ikeja-1" in page(browser, path)
    for path in ("nas?q=zzz", "accounts?q=zzz", "sessions?q=zzz", "coa-requests?q=zz"):
        shown = page(browser, path)
        assert "ada@home" not in shown
        assert "ikeja-1" not in shown.split("<main")[1] or "option" in shown


@pytest.mark.parametrize("text", ["ada@home", "192.0.2.2", "ikeja-1", "127.0.1.1",
                                  "192.0.2.0/29"])  # fmt: skip
def test_the_search_finds(browser, net, do, text):
    do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    shown = page(browser, f"search?q={text}")
    assert any(word in shown for word in ("ada@home", "ikeja-1", "192.0.2.0/29"))


def test_home_tells_of_tight_pools_and_first_steps(browser, net, do):
    for i in range(5):
        account = do.open_access(login=f"a{i}", password="w", profile_id=net.profile.pk)
        do.allocate_address(pool_id=net.pool.pk, account_id=account.pk)
    assert selectors.tight_pool_ids() == [net.pool.pk]
    assert "Pools almost used up" in page(browser, "")


def test_a_session_is_ended_from_its_page_and_its_end_is_asked_once(browser, net):
    row = session_row(net, net.account, started_at=timezone.now())
    ended = browser.post(f"/console/sessions/{row.pk}/disconnect", {"confirmed": "1"})
    again = browser.post(f"/console/sessions/{row.pk}/disconnect", {"confirmed": "1"})

    asked = CoaRequest.objects.get()
    assert ended["Location"] == again["Location"] == f"/console/coa-requests/{asked.pk}"
    assert "ikeja-1 is being asked" in browser.get(ended["Location"]).content.decode()


def test_a_session_that_ended_cannot_be_ended(browser, net):
    now = timezone.now()
    row = session_row(net, net.account, started_at=now, stopped_at=now)
    browser.post(f"/console/sessions/{row.pk}/disconnect", {"confirmed": "1"})
    assert CoaRequest.objects.exists() is False


@pytest.mark.parametrize(
    "model", ["site", "vrf", "addresspool", "rateprofile", "vlangroup", "vlan"]
)
def test_the_admin_site_shows_settings_and_changes_none(world, net, do, model):
    group = do.create_vlan_group(name="sw1")
    do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    owner = enter(world.ada)
    assert owner.get(f"/admin/network/{model}/").status_code == 200
    assert owner.get(f"/admin/network/{model}/add/").status_code == 403
