"""What tired people and hostile programs send: a 4xx problem, and no change."""

import pytest

from apps.identity.models import Customer

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


def send(world, raw, content_type="application/json"):
    client = world.api(world.sola)
    before = Customer.objects.count()
    answer = client.generic("POST", "/api/v1/customers", raw, content_type=content_type)
    assert Customer.objects.count() == before
    return answer


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"[" * 1000 + b"]" * 1000, 400, "malformed"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, 400, "malformed"),
        (b'{"name": "A", "name": "B"}', 400, "malformed"),
        (b'{"name": NaN}', 400, "malformed"),
        (b'{"name": "\\u0000"}', 400, "malformed"),
        (b'{"name": "\xff"}', 400, "malformed"),
        (b'{"name": "\\ud800"}', 400, "malformed"),
        (b'{"unit": 1e999}', 400, "malformed"),
        (b'{"unit": ' + b"9" * 400 + b"}", 400, "malformed"),
        (b'{"unit": 99999999999999999999}', 400, "invalid"),
        (b"{", 400, "malformed"),
        (b'"just a text"', 400, "invalid"),
        (b"[]", 400, "invalid"),
        (b"{}", 400, "invalid"),
    ],
)
def test_a_strange_body_is_a_problem(world, raw, status, code):
    answer = send(world, raw)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer["X-Request-ID"]


def test_five_megabytes_are_too_much(world):
    answer = send(world, b'{"name": "' + b"x" * 5_000_000 + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_another_content_type_is_refused(world):
    answer = send(world, b"name=A", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (
        415,
        "unsupported_media_type",
    )


@pytest.mark.parametrize(
    "query",
    [
        "?page_size=0",
        "?page_size=x",
        "?cursor=nonsense",
        "?cursor=WzFd",
        "?state=gone",
        "?customer__user__password=x",
        "?fields=password",
        "?state=",
    ],
)
def test_a_strange_query_is_a_problem(world, query):
    answer = world.api(world.sola).get(f"/api/v1/customers{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "?fields=id&colour=red"),
        ("PATCH", "?dry_run=true"),
        ("PUT", "?confirm=1"),
        ("DELETE", "?force=true"),
    ],
)
def test_a_parameter_that_means_nothing_is_named(world, method, path):
    """Who says ?force= or ?dry_run= must not believe that it was heard."""
    ada, pk = world.api(world.ada), world.chidi.customer.pk
    before = list(Customer.objects.values())
    answer = ada.generic(
        method, f"/api/v1/customers/{pk}{path}", b"{}", content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["field"] in path
    assert list(Customer.objects.values()) == before


def test_a_parameter_of_a_new_one_too(world):
    answer = world.api(world.sola).post("/api/v1/customers?dry_run=true", {})
    assert answer.json()["errors"][0]["field"] == "dry_run"


def test_a_stranger_is_asked_to_sign_in(client):
    answer = client.get("/api/v1/customers")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_an_unknown_path_of_the_api_is_a_problem_too(world):
    answer = world.api(world.sola).get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
