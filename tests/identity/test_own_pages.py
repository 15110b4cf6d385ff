"""My security: what a member of staff sees and changes of the own sign-in."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from apps.identity.models import Passkey, TotpDevice
from tests.identity.authenticator import HOST, ORIGIN, Authenticator
from tests.identity.test_mailed_links import GOOD, delivered
from tests.world import STEP_S, code_at

pytestmark = pytest.mark.django_db


def test_shows_what_there_is(world, enter_console):
    page = enter_console(world.ada).get("/console/my-security").content.decode()

    for words in ("Set up", "Without one, a lost phone", "Not confirmed"):
        assert words in page


def test_changes_the_own_password(world, enter_console):
    browser, other = enter_console(world.ada), enter_console(world.ada)
    url = "/console/my-security/password"
    differ = browser.post(url, {"new_password": GOOD, "again": "x"})
    assert (differ.status_code, b"differ" in differ.content) == (422, True)
    weak = browser.post(url, {"new_password": "short", "again": "short"})
    assert (weak.status_code, b"At least 12" in weak.content) == (422, True)
    done = browser.post(url, {"new_password": GOOD, "again": GOOD})

    assert done["Location"] == "/console/my-security"
    assert browser.get("/console/").status_code == 200
    assert other.get("/console/").status_code == 302


def test_moves_to_another_phone(world, enter_console):
    browser = enter_console(world.ada)
    url = "/console/my-security/authenticator"
    page = browser.get(url).content.decode()
    [secret] = set(re.findall(r"[A-Z2-7]{32}", page))
    assert secret != world.ada.secret
    assert browser.post(url, {"otp": "000000"}).status_code == 422
    step = int(timezone.now().timestamp()) // STEP_S
    browser.post(url, {"otp": code_at(secret, step)})

    assert TotpDevice.objects.filter(user=world.ada.user).count() == 1
    world.ada.secret = secret
    assert world.console(world.ada).get("/console/").status_code == 200


def test_asks_to_confirm_the_address(world, enter_console):
    browser = enter_console(world.ada)
    browser.post("/console/my-security/email", {"email": "ada@home.example"})

    assert delivered()[0].to == ["ada@home.example"]


def ask(browser, url, body):
    return browser.post(url, json.dumps(body), content_type="application/json")


@pytest.mark.security
@override_settings(PASSKEY_HOST=HOST, PASSKEY_ORIGINS=[ORIGIN])
def test_the_script_s_addresses_make_use_and_remove_a_passkey(world, enter_console):
    browser, device = enter_console(world.ada), Authenticator()
    begun = ask(browser, "/console/passkey/begin", {"new": True}).json()
    made = ask(
        browser,
        "/console/passkey/finish?next=/console/my-passkeys",
        {"credential": device.create(begun["options"]), "name": "Laptop"},
    )
    assert made.json() == {"url": "/console/my-passkeys"}

    newcomer = Client()
    begun = ask(newcomer, "/console/passkey/begin", {}).json()
    answer = {"credential": device.get(begun["options"])}
    opened = ask(newcomer, "/console/passkey/finish?next=//evil.example/", answer)
    assert opened.json() == {"url": "/console/"}
    assert newcomer.get("/console/").status_code == 200
    # The question was put to that browser, once.
    for other in (newcomer, Client()):
        again = ask(other, "/console/passkey/finish", answer)
        assert (again.status_code, again.json()["code"]) == (401, "passkey_invalid")

    row = Passkey.objects.get()
    assert "Laptop" in browser.get("/console/my-passkeys").content.decode()
    browser.post(f"/console/my-passkeys/{row.pk}/rename", {"name": "Old laptop"})
    row.refresh_from_db()
    assert row.name == "Old laptop"
    browser.post(f"/console/my-passkeys/{row.pk}/remove")
    assert Passkey.objects.exists() is False


@pytest.mark.security
@override_settings(PASSKEY_HOST=HOST, PASSKEY_ORIGINS=[ORIGIN])
def test_making_one_asks_who_it_is(world, enter_console):
    from apps.identity.models import Session

    browser = enter_console(world.ada)
    Session.objects.update(mfa_at=timezone.now() - timedelta(minutes=11))
    stale = ask(browser, "/console/passkey/begin", {"new": True})
    assert (stale.status_code, stale.json()["code"]) == (403, "step_up_required")

    phone = world.portal(world.chidi)
    wrong = ask(phone, "/portal/passkey/begin", {"new": True, "password": "x"})
    assert wrong.json()["code"] == "invalid_credentials"
    body = {"new": True, "password": world.chidi.password}
    begun = ask(phone, "/portal/passkey/begin", body).json()
    made = ask(
        phone,
        "/portal/passkey/finish",
        {"credential": Authenticator().create(begun["options"]), "name": 5},
    )
    assert made.status_code == 200
    assert Passkey.objects.get().name.startswith("Passkey of ")
    for door in ("console", "portal"):
        nobody = ask(Client(), f"/{door}/passkey/begin", {"new": True})
        assert nobody.status_code == 401


@pytest.mark.security
@pytest.mark.parametrize(
    "raw", [b"", b"x", b"[]", b"5", b'{"a":' * 500, b'{"x": "' + b"y" * 70_000 + b'"}']
)
def test_refuses_what_is_no_small_object(world, raw):
    for name in ("begin", "finish"):
        answer = Client().post(
            f"/portal/passkey/{name}", raw, content_type="application/json"
        )
        assert answer.status_code == 400
    assert Client().get("/portal/passkey/begin").status_code == 405


@pytest.mark.security
def test_a_forged_request_is_refused(world, enter_console):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = enter_console(world.ada).cookies

    assert ask(strict, "/console/passkey/begin", {}).status_code == 403
