"""auth/login, auth/refresh, auth/logout through HTTP."""

import pytest

from tests.world import Api, login

pytestmark = pytest.mark.django_db


def test_gives_staff_tokens_for_password_and_code(world):
    answer = Api().post(
        "/api/v1/auth/login",
        {
            "username": "ada",
            "password": world.ada.password,
            "otp": world.ada.otp(),
        },
    )

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access", "refresh", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    me = Api(body["access"]).get("/api/v1/customers")
    assert me.status_code == 200


def test_refreshes_once(world):
    tokens = login(Api(), world.chidi)

    again = Api().post("/api/v1/auth/refresh", {"refresh": tokens["refresh"]})
    assert again.status_code == 200
    assert again.json()["refresh"] != tokens["refresh"]
    assert Api(again.json()["access"]).get("/api/v1/customers").status_code == 200

    reused = Api().post("/api/v1/auth/refresh", {"refresh": tokens["refresh"]})
    assert reused.status_code == 401
    assert reused.json()["code"] == "invalid_refresh"
    dead = Api(again.json()["access"]).get("/api/v1/customers")
    assert (dead.status_code, dead.json()["code"]) == (401, "invalid_token")
