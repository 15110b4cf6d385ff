"""The whole ceremony in a real browser, with Chromium's own virtual authenticator."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import override_settings
from django.utils import timezone

from tests.browser import PHONE, WIDE, chromium, site, visit

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]


@pytest.fixture
def named(site):
    """The site by a name, which passkeys need; and a world."""
    from tests.world import World

    origin = f"http://localhost:{urlsplit(site).port}"
    with override_settings(PASSKEY_HOST="localhost", PASSKEY_ORIGINS=[origin]):
        yield origin, World()


@pytest.fixture
def window(visit, named):
    """window(width) is a browser with a finger on its sensor."""

    def enter(width=WIDE):
        visitor = visit({}, width)
        visitor.base = named[0]
        cdp = visitor.page.context.new_cdp_session(visitor.page)
        cdp.send("WebAuthn.enable")
        made = cdp.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        visitor.finger = (cdp, made["authenticatorId"])
        return visitor

    return enter


def faults(visitor):
    host = urlsplit(visitor.base).netloc
    away = [one for one in visitor.outside if one != host]
    return [*visitor.messages, *away, *filter(None, [visitor.overflow()])]


def sign_in(visitor, person, door):
    page = visitor.page
    visitor.open(f"/{door}/sign-in")
    page.get_by_label("Name or e-mail address").fill(person.username)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def make_one(visitor, ada):
    """Through the sign-in with a code, to the page that makes a passkey."""
    page = visitor.page
    sign_in(visitor, ada, "console")
    page.get_by_label("One-time code").fill(ada.otp())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/console/")

    visitor.open("/console/my-passkeys/new")
    page.get_by_label("Name").fill("Office laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.wait_for_url("**/console/my-passkeys")
    assert page.get_by_text("Office laptop").is_visible()


def test_staff_make_a_passkey_and_sign_in_with_it(window, named):
    from apps.identity.models import Passkey, Session

    ada, visitor = named[1].ada, window()
    page = visitor.page
    make_one(visitor, ada)

    page.locator(".dm-user > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/console/")

    assert faults(visitor) == []
    assert Passkey.objects.get().sign_count >= 1
    row = Session.objects.filter(user=ada.user).latest("pk")
    assert (row.stage, row.mfa_at is not None) == ("full", True)


def test_the_passkey_stands_for_the_code_before_something_dangerous(window, named):
    from apps.identity.models import Session

    visitor = window()
    page = visitor.page
    make_one(visitor, named[1].ada)

    # A dangerous page, eleven minutes later: the finger instead of the code.
    Session.objects.update(mfa_at=timezone.now() - timedelta(minutes=11))
    visitor.open("/console/my-security/password")
    assert "/console/step-up" in page.url
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/console/my-security/password")

    # A form that was sent too late: what was typed stays, and goes through.
    visitor.open("/console/my-keys/new")
    page.get_by_label("Name", exact=True).fill("nightly export")
    page.get_by_label("See customers, their contacts").check()
    Session.objects.update(mfa_at=timezone.now() - timedelta(minutes=11))
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("heading", name="Confirm that it is you").wait_for()
    visitor.messages.clear()  # The browser notes the 422 of the question.
    page.get_by_role("button", name="Use your passkey").click()
    page.get_by_text("nightly export").first.wait_for()
    assert "dmk_" in page.content()

    assert faults(visitor) == []


def test_a_customer_on_a_phone_adds_uses_and_removes_one(window, named):
    from apps.identity.models import Passkey

    world, visitor = named[1], window(PHONE)
    chidi, page = world.chidi, visitor.page
    sign_in(visitor, chidi, "portal")
    page.wait_for_url("**/portal/")
    visitor.open("/portal/security")
    page.get_by_text("Add a passkey").click()
    box = page.locator("details", has=page.get_by_text("Add a passkey")).last
    box.get_by_label("Name").fill("My phone")
    box.get_by_label("Your password").fill(chidi.password)
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("My phone").wait_for()

    # Second factor behind the password.
    page.locator(".pt-account > summary").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(visitor, chidi, "portal")
    page.wait_for_url("**/portal/sign-in/code*")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/portal/")

    visitor.open("/portal/security")
    row = page.locator("li", has=page.get_by_text("My phone"))
    row.get_by_text("Remove").first.click()
    row.get_by_label("Your password").fill(chidi.password)
    row.get_by_role("button", name="Remove").click()
    page.get_by_text("The passkey no longer works.").wait_for()
    assert faults(visitor) == []
    assert Passkey.objects.exists() is False


def test_a_finger_that_is_taken_away_changes_nothing(window, named):
    from apps.identity.models import Passkey, Session

    visitor = window()
    cdp, authenticator = visitor.finger
    assert named[1].ada
    cdp.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": authenticator, "isUserVerified": False},
    )
    visitor.open("/console/sign-in")
    visitor.page.get_by_role("button", name="Sign in with a passkey").click()
    visitor.page.get_by_text("Nothing was changed.").wait_for()
    assert Session.objects.filter(ended_at=None).exists() is False
    assert Passkey.objects.exists() is False


def test_without_a_name_or_without_script_nothing_is_offered(visit, site):
    """At a bare address browsers refuse passkeys; the password still works."""
    for options in ({}, {"java_script_enabled": False}):
        visitor = visit({}, PHONE, **options)
        visitor.open("/portal/sign-in")
        button = visitor.page.get_by_text("Sign in with a passkey")
        assert button.is_visible() is False
        assert visitor.messages == []
