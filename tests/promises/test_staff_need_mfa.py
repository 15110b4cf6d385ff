"""No administrative route opens to staff without a second factor.

The routes come from the registry and the URLs, so that a new one is tried the
moment it exists.
"""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.identity.models import Session
from dotmac.core.console import registry
from tests.console.screens import flat
from tests.promises.test_api_routes import ROUTES, path_of
from tests.sessions import enter
from tests.world import Api

pytestmark = [pytest.mark.security, pytest.mark.django_db]


def console_addresses():
    """Every list, page, form, detail and action."""
    found = ["/console/", "/console/search?q=x"]
    found += [f"/console/{screen.slug}" for screen in flat()]
    for slug, screen in registry.details.items():
        found += [f"/console/{slug}/1"]
        found += [f"/console/{slug}/1/{action.slug}" for action in screen.all_actions()]
    for slug, listed in registry.lists.items():
        found += [f"/console/{slug}/1/{action.slug}" for action in listed.actions]
        found += [f"/console/{slug}/export.csv"]
    return found


def admin_addresses():
    found = [reverse("admin:index")]
    for model in admin.site._registry:
        app, name = model._meta.app_label, model._meta.model_name
        found += [reverse(f"admin:{app}_{name}_changelist")]
        found += [reverse(f"admin:{app}_{name}_change", args=[1])]
    return found


@pytest.fixture
def owner(world):
    """The owner's browser with the password alone, in three ways."""
    browser = enter(world.ada)
    return browser, Session.objects.get(pk=browser.session["console_sid"])


@pytest.mark.parametrize("stage", ["password", "enrolment"])
def test_the_console_and_the_admin_site_stay_shut(owner, stage):
    browser, row = owner
    Session.objects.filter(pk=row.pk).update(stage=stage, mfa_at=None)
    wrong = []
    for address in [*console_addresses(), *admin_addresses()]:
        for method in (browser.get, browser.post):
            answer: Any = method(address)
            target = answer.headers.get("Location", "")
            shut = answer.status_code == 302 and (
                target.startswith(("/console/sign-in", "/admin/login/"))
            )
            if not shut and answer.status_code != 405:
                wrong.append((address, answer.status_code, target))
    assert wrong == []
    assert len(console_addresses()) > 60


def test_a_whole_session_without_mfa_opens_no_table_of_the_admin_site(owner):
    """Which the database would count as a broken invariant."""
    browser, row = owner
    Session.objects.filter(pk=row.pk).update(mfa_at=None)
    for address in admin_addresses():
        assert browser.get(address).status_code == 302, address


def test_a_whole_session_without_mfa_is_no_member_of_staff(owner, world):
    browser, row = owner
    Session.objects.filter(pk=row.pk).update(mfa_at=None)
    wrong = [
        address
        for address in console_addresses()
        if browser.get(address).status_code != 302
    ]
    assert wrong == []


@pytest.mark.parametrize("change", [{"stage": "password"}, {"mfa_at": None}])
def test_the_api_stays_shut(world, change):
    client = world.api(world.ada)
    Session.objects.filter(user=world.ada.user).update(**change)
    wrong = []
    for pattern, method in ROUTES:
        answer = client.generic(
            method.upper(), path_of(pattern), b"{}", content_type="application/json"
        )
        if answer.status_code != 401:
            wrong.append((pattern, method, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize(
    ("change", "code"),
    [({}, "mfa_required"), ({"otp": "000000"}, "otp_invalid")],
)
def test_a_password_alone_gives_no_token(world, change, code):
    answer = Api().post(
        "/api/v1/auth/login",
        {"username": "ada", "password": world.ada.password, **change},
    )
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_stranger_finds_no_admin_route(world):
    for address in admin_addresses():
        answer = Client().get(address)
        assert answer["Location"].startswith("/admin/login/"), address
