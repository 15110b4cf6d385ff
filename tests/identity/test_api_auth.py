"""auth/login, auth/refresh, auth/logout through HTTP."""

import pytest

from tests.world import Api, login

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
CODES_LAST_S = 90


def test_gives_staff_tokens_for_password_and_code(world):
    answer = Api().post(
        LOGIN,
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


def test_staff_without_a_code_are_asked_for_one(world):
    body = {"username": "ada", "password": world.ada.password}
    answer = Api().post(LOGIN, body)

    assert (answer.status_code, answer.json()["code"]) == (401, "mfa_required")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "Retry-After" not in answer
    wrong = Api().post(LOGIN, {**body, "password": "not this one"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")


def test_a_code_counts_once_and_says_when_to_try_again(world):
    body = {"username": "ada", "password": world.ada.password, "otp": world.ada.otp()}
    first, second = Api().post(LOGIN, body), Api().post(LOGIN, body)

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (401, "otp_reused")
    assert [error["field"] for error in second.json()["errors"]] == ["otp"]
    wait = int(second["Retry-After"])
    assert wait == second.json()["retry_after_s"]
    assert 0 < wait <= CODES_LAST_S


def test_refreshes_once(world):
    tokens = login(Api(), world.chidi)

    again = Api().post("/api/v1/auth/refresh", {"refresh": tokens["refresh"]})
    assert again.status_code == 200
    assert set(again.json()) == set(tokens)
    assert (again.json()["token_type"], again.json()["expires_in"]) == ("Bearer", 600)
    assert again.json()["refresh"] != tokens["refresh"]
    assert Api(again.json()["access"]).get("/api/v1/customers").status_code == 200

    reused = Api().post("/api/v1/auth/refresh", {"refresh": tokens["refresh"]})
    assert reused.status_code == 401
    assert reused.json()["code"] == "invalid_refresh"
    dead = Api(again.json()["access"]).get("/api/v1/customers")
    assert (dead.status_code, dead.json()["code"]) == (401, "invalid_token")
