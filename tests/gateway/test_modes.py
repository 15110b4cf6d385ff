"""GATEWAY_MODE: what developers see and the Internet does not."""

import pytest
from django.test import Client

from dotmac.gateway import health

pytestmark = [pytest.mark.security]

PREFLIGHT = {"Access-Control-Request-Method": "POST"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:80"]
)
def test_a_developers_page_may_use_the_api(client, settings, origin):
    settings.GATEWAY_MODE = "development"
    asked = client.options("/api/v1/customers", headers={"Origin": origin, **PREFLIGHT})
    answer = client.get("/api/v1/nothing", headers={"Origin": origin})

    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == origin
    assert "Idempotency-Key" in asked["Access-Control-Allow-Headers"]
    assert answer["Access-Control-Allow-Origin"] == origin
    assert "Origin" in answer["Vary"]
    # A token is sent on purpose; cookies are not sent at all.
    assert "Access-Control-Allow-Credentials" not in asked
    # Pages and health are for nobody else's scripts.
    for path in ("/portal/sign-in", "/health/live"):
        answer = client.get(path, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "origin"),
    [
        ("production", "http://localhost:3000"),
        ("development", "https://evil.example"),
        ("development", "http://localhost.evil.example"),
        ("development", "http://127.0.0.1.evil.example"),
        ("development", "http://evil.example/localhost"),
        ("development", "file://localhost"),
        ("development", "null"),
        ("development", ""),
        ("development", "http://[::1"),
    ],
)
def test_no_other_page_may(client, settings, mode, origin):
    settings.GATEWAY_MODE = mode
    asked = client.options("/api/v1/customers", headers={"Origin": origin, **PREFLIGHT})
    assert (asked.status_code, asked.json()["code"]) == (403, "cors_closed")
    answer = client.get("/api/v1/customers", headers={"Origin": origin})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/schema", "/api/schema/v2"])
def test_the_description_is_for_those_who_signed_in(client, settings, world, path):
    settings.GATEWAY_MODE = "production"
    assert client.get(path).status_code == 401
    assert client.get("/api/docs").status_code == 404
    assert world.api(world.femi).get(path).status_code == 200


@pytest.mark.django_db
def test_developers_need_not(client, settings):
    settings.GATEWAY_MODE = "development"
    answer = client.get("/api/schema/v2")
    assert answer.status_code == 200
    assert b"/api/v2/customers" in answer.content
    assert b"phone_number" in answer.content
    assert client.get("/api/docs").status_code == 200


class Broken(Exception):
    """What a view raises that nobody expected."""


@pytest.mark.parametrize("mode", ["development", "production"])
def test_failures_inside_are_told_to_developers_only(settings, monkeypatch, mode):
    settings.GATEWAY_MODE = mode

    def broken(*_):
        raise Broken("the password is hidden-word-1")

    client = Client(raise_request_exception=False)
    monkeypatch.setattr("apps.identity.selectors.jwt_key_set", broken)
    answer = client.get("/api/v1/auth/keys")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer["Content-Type"] == "application/problem+json"
    told = "hidden-word-1" in answer.content.decode()
    assert told == (mode == "development")


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["development", "production"])
def test_the_console_shows_the_way_to_the_description_where_it_is(
    settings, world, mode
):
    settings.GATEWAY_MODE = mode
    page = world.console(world.ada).get("/console/")
    assert (b"/api/docs" in page.content) == (mode == "development")


def test_live_asks_nobody(client, monkeypatch):
    monkeypatch.setattr(health, "ask", None)
    assert client.get("/health/live").json() == {"status": "alive"}
