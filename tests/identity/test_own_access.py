"""Where people are signed in: seen and ended by themselves and by administrators."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.identity.models import Session
from apps.identity.rules.devices import device_of
from tests.sessions import enter
from tests.world import Api, login

pytestmark = pytest.mark.django_db
CHROME = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("agent", "browser", "system", "icon"),
    [
        (CHROME, "Chrome", "Android", "device-mobile"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 "
         "Version/18.0 Mobile/15E148 Safari/604.1", "Safari", "iPhone",
         "device-mobile"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537.36 "
         "Edg/130.0", "Edge", "Windows", "device-laptop"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
         "Firefox", "Linux", "device-laptop"),
        ("python-requests/2.32 extra", "python-requests/2.32", "", "terminal-2"),
        ("", "", "", "terminal-2"),
        ("x" * 500, "x" * 40, "", "terminal-2"),
    ],
)  # fmt: skip
def test_names_devices(agent, browser, system, icon):
    device = device_of(agent)

    assert (device.browser, device.system, device.icon) == (browser, system, icon)


def test_the_api_lists_and_ends(world):
    first, second = world.api(world.chidi), world.api(world.chidi)
    theirs = world.api(world.esi)

    rows = first.get("/api/v1/auth/sessions").json()["results"]
    assert [row["current"] for row in rows] == [False, True]
    assert set(rows[0]) == {
        "id", "face", "device", "user_agent", "address", "started_at",
        "last_used_at", "idle_until", "expires_at", "current",
    }  # fmt: skip
    foreign = theirs.get("/api/v1/auth/sessions").json()["results"][0]["id"]
    for pk in (foreign, 999999999, 10**17):
        answer = first.delete(f"/api/v1/auth/sessions/{pk}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert first.delete(f"/api/v1/auth/sessions/{rows[0]['id']}").status_code == 204
    assert second.get("/api/v1/auth/sessions").status_code == 401
    assert theirs.get("/api/v1/auth/sessions").status_code == 200


def test_the_api_ends_all_others(world):
    here = world.api(world.chidi)
    for _ in range(3):
        login(Api(), world.chidi)

    answer = here.delete("/api/v1/auth/sessions")

    assert (answer.status_code, answer.json()) == (200, {"ended": 3})
    assert here.delete("/api/v1/auth/sessions").json() == {"ended": 0}
    reasons = Session.objects.exclude(ended_at=None).values_list(
        "end_reason", flat=True
    )
    assert set(reasons) == {"ended_elsewhere"}


def test_the_console_shows_this_one_and_ends_others(world, enter_console):
    here, there = enter_console(world.bisi), enter_console(world.bisi)
    Session.objects.filter(pk=there.session["console_sid"]).update(device=CHROME)

    page = here.get("/console/my-sign-ins").content.decode()
    assert "Chrome on Android" in page
    assert page.count("This one") == 1
    here.post(f"/console/my-sign-ins/{there.session['console_sid']}/end")
    assert there.get("/console/").status_code == 302
    other = enter_console(world.bisi)
    done = here.post("/console/my-sign-ins/end-others", follow=True)
    assert "1 other sign-ins are over." in done.content.decode()
    assert other.get("/console/").status_code == 302
    assert here.get("/console/").status_code == 200


@pytest.mark.security
def test_nobody_ends_another_s(world, enter_console):
    ada, bisi = enter_console(world.ada), enter_console(world.bisi)
    row = ada.session["console_sid"]

    assert bisi.post(f"/console/my-sign-ins/{row}/end").status_code == 404
    assert bisi.post(f"/console/sign-ins/{row}/end").status_code == 403
    assert ada.get("/console/").status_code == 200


def test_an_administrator_sees_and_ends(world, enter_console):
    ada, bisi = enter_console(world.ada), enter_console(world.bisi)
    phone = enter(world.chidi, face="portal", key="portal_sid")

    page = ada.get("/console/sign-ins").content.decode()
    assert "bisi" in page
    assert "chidi" in page
    assert (
        "bisi"
        not in ada.get(f"/console/sign-ins?user={world.chidi.id}").content.decode()
    )
    detail = ada.get(f"/console/staff/{world.bisi.id}?tab=sign-ins")
    assert "127.0.0.1" in detail.content.decode()
    for browser, key in ((bisi, "console_sid"), (phone, "portal_sid")):
        ada.post(f"/console/sign-ins/{browser.session[key]}/end")
    assert bisi.get("/console/").status_code == 302
    assert phone.get("/portal/devices").status_code == 302
    assert Session.objects.filter(end_reason="revoked").count() == 2


def test_a_branch_sees_the_sign_ins_of_its_own(world):
    from apps.identity import selectors

    for person in (world.ada, world.remi):
        enter(person)
    for person in (world.chidi, world.esi):
        enter(person, face="portal", key="portal_sid")
    boss = world.hire("kano", "Kano Boss", "manager", unit_id=world.reseller.pk)
    Session.objects.exclude(ended_at=None).delete()

    seen = selectors.sessions_visible_to(boss.actor, "identity.view_sign_in")
    assert {row.user.username for row in seen} == {"remi", "esi"}
    assert not selectors.sessions_visible_to(world.sola.actor, "identity.view_sign_in")


def test_the_portal_shows_devices_and_ends_them(world):
    here = enter(world.chidi, face="portal", key="portal_sid")
    there = enter(world.chidi, face="portal", key="portal_sid")
    Session.objects.filter(pk=there.session["portal_sid"]).update(device=CHROME)

    page = here.get("/portal/devices").content.decode()
    assert "Chrome on Android" in page
    assert page.count("This device") == 1
    assert "Ends unused on" in page
    here.post("/portal/devices", {"session": there.session["portal_sid"]})
    assert there.get("/portal/").status_code == 302
    tokens = login(Api(), world.chidi)
    here.post("/portal/devices", {"session": "others"})
    assert Api(tokens["access"]).get("/api/v1/customers").status_code == 401
    theirs = enter(world.esi, face="portal", key="portal_sid")
    for wanted in (theirs.session["portal_sid"], "x", "", "9" * 40):
        assert here.post("/portal/devices", {"session": wanted}).status_code == 404
    assert theirs.get("/portal/").status_code == 200


@pytest.mark.security
def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after(world):
    """Session fixation: who plants a cookie does not share the sign-in."""
    from django.test import Client

    victim = Client()
    victim.post("/portal/passkey/begin", {}, content_type="application/json")
    planted = victim.cookies["sessionid"].value
    victim.post(
        "/portal/sign-in", {"username": "chidi", "password": world.chidi.password}
    )
    assert victim.get("/portal/").status_code == 200
    attacker = Client()
    attacker.cookies["sessionid"] = planted

    assert attacker.get("/portal/").status_code == 302


def test_a_session_ends_unused_and_in_any_case(world):
    phone = enter(world.chidi, face="portal", key="portal_sid")
    row = Session.objects.filter(pk=phone.session["portal_sid"])
    row.update(idle_until_at=timezone.now() - timedelta(seconds=1))
    assert phone.get("/portal/devices").status_code == 302
    row.update(
        idle_until_at=timezone.now() + timedelta(days=1),
        expires_at=timezone.now() - timedelta(seconds=1),
        started_at=timezone.now() - timedelta(days=2),
    )
    assert phone.get("/portal/devices").status_code == 302
