"""Whom the gateway recognises, and where it says a request comes from."""

import pytest
from django.test import RequestFactory, override_settings

from apps.identity.models import Session
from dotmac.gateway.authentication import client_address, face_of
from tests.world import Api

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "face"),
    [
        ("/console", "console"),
        ("/console/customers", "console"),
        ("/admin/", "console"),
        ("/portal/", "portal"),
        ("/portals", None),
        ("/health", None),
        ("/static/x", None),
    ],
)
def test_knows_the_doors(path, face):
    assert face_of(path) == face


@pytest.mark.parametrize(
    ("trusted", "header", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, ", ".join(["1.1.1.1"] * 500 + ["203.0.113.9"]), "203.0.113.9"),
        (1, "not an address", "127.0.0.1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "2001:DB8:0::9", "2001:db8::9"),
    ],
)
def test_believes_our_own_proxies_only(trusted, header, address):
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})

    with override_settings(TRUSTED_PROXY_COUNT=trusted):
        assert client_address(request) == address


@pytest.mark.security
@pytest.mark.parametrize(
    ("peer", "address"),
    [("::ffff:203.0.113.5", "203.0.113.5"), ("::1", "::1"), ("", "")],
)
def test_a_dual_stack_listener_hides_nobody_s_address(peer, address):
    """A rule that denies 203.0.113.0/24 sees the neighbour on either listener."""
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer)) == address


def test_the_address_of_a_sign_in_is_kept(world):
    Api().post(
        "/api/v1/auth/login",
        {"username": "chidi", "password": world.chidi.password},
        REMOTE_ADDR="198.51.100.7",
        headers={"User-Agent": "a" * 500},
    )

    session = Session.objects.get(face="api")
    assert session.address == "198.51.100.7"
    assert session.device == "a" * 200


def test_a_door_takes_its_own_sessions_only(world):
    """A console cookie opens nothing with a session of the portal or of the API."""
    browser = world.console(world.ada)
    phone = world.portal(world.chidi)
    assert world.api(world.ada).get("/api/v1/customers").status_code == 200
    of_api = Session.objects.get(user=world.ada.user, face="api", ended_at=None)
    held = browser.session

    for session_id in (phone.session["portal_sid"], of_api.pk):
        held["console_sid"] = session_id
        held.save()
        assert browser.get("/console/").status_code == 302


@pytest.mark.parametrize("value", ["1", None, 2**62])
def test_a_cookie_with_something_else_in_it_opens_nothing(world, value):
    browser = world.console(world.ada)
    held = browser.session
    held["console_sid"] = value
    held.save()

    assert browser.get("/console/").status_code == 302


def test_answers_of_the_api_are_kept_by_nobody(world):
    chidi = world.api(world.chidi)

    assert chidi.get("/api/v1/customers")["Cache-Control"] == "no-store"
    assert Api().get("/api/v1/customers")["Cache-Control"] == "no-store"
    assert "max-age" in Api().get("/api/v1/auth/keys")["Cache-Control"]
