"""Dangerous operations ask for the second factor again; nothing typed is lost."""

from datetime import timedelta
from html import unescape
from re import findall

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.errors import NoSecondFactor, OtpRefused, SignInLocked
from apps.identity.models import ApiKey, Session, User
from apps.ops.models import AuditEntry
from tests.world import Api, login

pytestmark = [pytest.mark.django_db, pytest.mark.security]
STALE = timedelta(minutes=11)


def grow_old(**of):
    Session.objects.filter(**of).update(mfa_at=timezone.now() - STALE)


@pytest.fixture
def stale(world, enter_console):
    """Ada's browser, eleven minutes after the code."""
    browser = enter_console(world.ada)
    grow_old(user=world.ada.user)
    return browser


def test_a_dangerous_page_asks_first_and_leads_back(world, stale):
    asked = stale.get("/console/my-keys/new?name=cron")
    assert asked["Location"] == (
        "/console/step-up?next=%2Fconsole%2Fmy-keys%2Fnew%3Fname%3Dcron"
    )
    wrong = stale.post(asked["Location"], {"otp": "000000"})
    assert wrong.status_code == 401
    back = stale.post(asked["Location"], {"otp": world.ada.otp()})

    assert back["Location"] == "/console/my-keys/new?name=cron"
    assert b'value="cron"' in stale.get(back["Location"]).content
    assert AuditEntry.objects.filter(action="identity.step_up").count() == 1


def test_a_dialog_is_told_to_go_there(stale, world):
    url = f"/console/staff/{world.bisi.id}/reset-mfa"
    answer = stale.get(url, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["HX-Redirect"].startswith("/console/step-up?next=%2Fconsole%2Fstaff")


def test_harmless_pages_do_not_ask(stale):
    for path in ("/console/", "/console/customers", "/console/my-security"):
        assert stale.get(path).status_code == 200


def test_a_form_that_comes_too_late_keeps_what_was_typed(world, enter_console):
    browser = enter_console(world.ada)
    typed = {
        "name": 'nightly "export" <b>',
        "days": "30",
        "addresses": "203.0.113.0/28\n198.51.100.7",
        "scopes": ["identity.view_customer", "catalog.view_plan"],
    }
    assert browser.get("/console/my-keys/new").status_code == 200
    grow_old(user=world.ada.user)

    asked = browser.post("/console/my-keys/new", typed)
    assert asked.status_code == 422
    assert ApiKey.objects.exists() is False
    hidden: dict[str, list[str]] = {}
    for name, value in findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.content.decode()
    ):
        hidden.setdefault(name, []).append(unescape(value))
    hidden.pop("csrfmiddlewaretoken", None)
    wrong = browser.post("/console/my-keys/new", {**hidden, "step_up_otp": "000000"})
    assert (wrong.status_code, ApiKey.objects.exists()) == (422, False)
    assert "The one-time code is wrong." in wrong.content.decode()
    done = browser.post(
        "/console/my-keys/new", {**hidden, "step_up_otp": world.ada.otp()}
    )

    assert done.status_code == 200
    key = ApiKey.objects.get()
    assert key.name == typed["name"]
    assert key.scopes == sorted(typed["scopes"])
    assert key.addresses == ["203.0.113.0/28", "198.51.100.7/32"]


def test_a_button_without_a_form_asks_as_well(world, stale):
    url = f"/console/staff/{world.bisi.id}/deactivate"
    asked = stale.post(url)
    assert (asked.status_code, b"Confirm that it is you" in asked.content) == (
        422,
        True,
    )
    assert User.objects.get(pk=world.bisi.id).is_active

    stale.post(url, {"step_up_otp": world.ada.otp()})
    assert User.objects.get(pk=world.bisi.id).is_active is False


def test_a_code_from_another_site_is_not_looked_at(world):
    """The CSRF check stands in front of the code."""
    from django.test import Client

    from apps.identity.models import CodeTries
    from tests.sessions import enter

    browser = enter(world.ada)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    answer = strict.post("/console/my-keys/new", {"step_up_otp": "000000"})
    assert answer.status_code == 403
    assert (
        CodeTries.objects.filter(user=world.ada.user, tried_at__len__gt=0).count() == 0
    )


def test_the_admin_site_asks_before_it_changes(world, stale):
    url = "/admin/identity/user/"
    typed = {"action": "deactivate", "_selected_action": [world.bisi.id]}
    assert stale.get(url).status_code == 200
    asked = stale.post(url, typed)
    assert asked.status_code == 422
    assert f'name="_selected_action" value="{world.bisi.id}"' in asked.content.decode()
    assert User.objects.get(pk=world.bisi.id).is_active

    stale.post(url, {**typed, "step_up_otp": world.ada.otp()})
    assert User.objects.get(pk=world.bisi.id).is_active is False
    grow_old(user=world.ada.user)
    assert stale.post("/admin/logout/")["Location"] == "/console/sign-in"


def test_the_api_says_so_and_takes_a_code(world):
    client = world.api(world.ada)
    grow_old(user=world.ada.user)
    body = {"name": "x", "scopes": ["identity.view_customer"]}

    refused = client.post("/api/v1/api-keys", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    wrong = client.post("/api/v1/auth/step-up", {"otp": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "otp_invalid")
    code = world.ada.otp()
    answer = client.post("/api/v1/auth/step-up", {"otp": code})
    assert answer.status_code == 200
    assert set(answer.json()) == {"confirmed_at", "valid_until"}
    again = client.post("/api/v1/auth/step-up", {"otp": code})
    assert again.json()["code"] == "otp_reused"
    assert client.post("/api/v1/api-keys", body).status_code == 201


def test_the_api_refuses_what_is_no_code(world):
    client = world.api(world.ada)

    for body in ({}, {"otp": ""}, {"otp": "1" * 25}, {"otp": None}, {"otp": ["1"]}):
        assert client.post("/api/v1/auth/step-up", body).status_code == 400
    assert Api().post("/api/v1/auth/step-up", {"otp": "1"}).status_code == 401


def test_who_has_no_factor_is_told(world):
    client = Api(login(Api(), world.chidi)["access"])

    answer = client.post("/api/v1/auth/step-up", {"otp": "123456"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_second_factor")


def test_guessing_is_slowed_and_ends_with_the_session(world, enter_console):
    enter_console(world.ada)
    row, now = Session.objects.latest("pk"), timezone.now()
    for _ in range(5):
        with pytest.raises(OtpRefused):
            identity.step_up(session_id=row.pk, otp="000000", now=now)
    with pytest.raises(SignInLocked):
        identity.step_up(session_id=row.pk, otp=world.ada.otp(), now=now)
    chidi = enter_console(world.chidi, face="portal", key="portal_sid")
    with pytest.raises(NoSecondFactor):
        identity.step_up(session_id=chidi.session["portal_sid"], otp="000000", now=now)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/portal/", "/console//x\\y"]
)
def test_leads_nowhere_else(world, stale, target):
    answer = stale.post(f"/console/step-up?next={target}", {"otp": world.ada.otp()})

    assert answer["Location"].startswith("/console/")


def test_the_dangerous_ones_are_declared():
    from dotmac.core.permissions import is_dangerous

    for name in (
        "identity.manage_roles", "identity.grant_access", "identity.reset_mfa",
        "identity.deactivate_user", "identity.set_portal_password",
        "identity.create_api_key", "identity.change_own_factors",
        "billing.issue_credit_note", "billing.reverse_payment",
        "catalog.reveal_credentials", "network.change_nas",
    ):  # fmt: skip
        assert is_dangerous(name), name
