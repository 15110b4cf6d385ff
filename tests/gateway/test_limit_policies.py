"""The table as it stands, applied to requests."""

import os
import re
import time
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from apps.identity.models import Customer
from apps.ops.models import IdempotencyKey
from dotmac.gateway import api, doors
from dotmac.gateway.authentication import client_address
from dotmac.gateway.limits.keys import key_of, network_of
from dotmac.gateway.limits.policies import (
    POLICIES,
    Away,
    Part,
    Rule,
    Strategy,
    policy_for,
)
from tests.environment import ROOT
from tests.promises.test_api_routes import path_of
from tests.world import Api

pytestmark = pytest.mark.security

PAGE = ROOT / "docs/security.md"
MARKS = re.compile(r"(<!-- limits -->\n)(.*?)(<!-- /limits -->)", re.DOTALL)
LOGIN = "/api/v1/auth/login"
ITEM = r'"[a-z-]+";q=\d+(;w=\d+|;qu="concurrent-requests")'
LEFT = r'"[a-z-]+";r=\d+(;t=\d+)?'


def table():
    rows = ["| policy | what | rules | without Redis |", "|---|---|---|---|"]
    for policy in POLICIES:
        rules = [
            f"{says(rule)}{' (at the door)' if rule in policy.door else ''}"
            for rule in (*policy.door, *policy.rules)
        ]
        rows.append(
            f"| `{policy.name}` | {policy.says} | {'; '.join(rules)} | {policy.away} |"
        )
    return "\n".join(rows) + "\n"


def says(rule):
    by = " and ".join(rule.by)
    if rule.strategy == Strategy.BUSY:
        return f"{rule.limit} at once by {by}, leases of {rule.window_s} s"
    return f"{rule.limit} in {rule.window_s} s by {by} ({rule.strategy})"


@pytest.mark.unit
def test_the_document_shows_the_table():
    text = PAGE.read_text()
    if os.environ.get("DOTMAC_UPDATE_DOCS"):
        PAGE.write_text(MARKS.sub(lambda found: found[1] + table() + found[3], text))
        text = PAGE.read_text()
    found = MARKS.search(text)
    assert found is not None
    assert found[2] == table(), "Run this test with DOTMAC_UPDATE_DOCS=1."


@pytest.mark.unit
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/api/v1/auth/login", "sign-in"),
        ("POST", "/api/v2/auth/login", "sign-in"),
        ("POST", "/api/v1/auth/password-reset", "sign-in"),
        ("POST", "/console/sign-in", "sign-in"),
        ("POST", "/console/sign-in/code", "sign-in"),
        ("POST", "/portal/sign-in", "sign-in"),
        ("POST", "/console/invitation/x", "sign-in"),
        ("POST", "/console/enrolment", "sign-in"),
        ("POST", "/api/v1/auth/refresh", "refresh"),
        ("DELETE", "/api/v1/auth/sessions", "write"),
        ("POST", "/api/v1/billing/payments", "payments"),
        ("POST", "/api/v1/billing/payments/7/reverse", "payments"),
        ("POST", "/portal/pay", "payments"),
        ("GET", "/api/v1/billing/payments", "read"),
        ("GET", "/api/v1/billing/invoices/7/pdf", "heavy"),
        ("POST", "/api/v1/billing/runs", "heavy"),
        ("POST", "/webhooks/paystack", "notices"),
        ("PATCH", "/api/v1/customers/7", "write"),
        ("GET", "/api/v1/customers", "read"),
        ("HEAD", "/api/v3/customers", "read"),
        ("GET", "/console/", "pages"),
        ("GET", "/portal/sign-in", "pages"),
        ("GET", "/health", None),
        ("GET", "/health/live", None),
        ("GET", "/healthy", "pages"),
        ("GET", "/static/x.css", None),
    ],
)
def test_each_request_has_its_policy(method, path, name):
    policy = policy_for(method, path)
    assert (policy.name if policy else None) == name


@pytest.mark.unit
def test_doors_and_money_are_closed_without_redis_and_reading_is_not():
    """Row 39: the decision of each route is in the table, for routes to come too."""
    for route in api.routes(api.urlpatterns):
        methods = {m.upper() for m in getattr(route.callback, "actions", {"post": ""})}
        for method in methods:
            path = path_of(str(route.pattern))
            policy = policy_for(method, path)
            assert policy is not None
            is_door = path.startswith("/api/v1/auth/")
            is_money = path.startswith("/api/v1/billing/") and "run" not in path
            is_money = is_money and "tax" not in path
            closed = method == "POST" and (is_door or is_money)
            assert (policy.away == Away.CLOSED) == closed, (method, path)


@pytest.mark.unit
def test_every_page_where_one_signs_in_is_a_door():
    for route in doors.urlpatterns:
        path = "/" + re.sub(r"<[^>]+>", "x", str(route.pattern))
        policy = policy_for("POST", path)
        assert policy is not None
        if not path.endswith("/sign-out"):  # Ends something; harmless to repeat.
            assert (policy.away, bool(policy.door)) == (Away.CLOSED, True), path


@pytest.mark.unit
def test_every_policy_limits_and_names_are_told_apart():
    rules = [rule for p in POLICIES for rule in (*p.door, *p.rules)]
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(p.door or p.rules for p in POLICIES)
    # At the door nobody is known yet.
    assert {part for p in POLICIES for r in p.door for part in r.by} == {Part.ADDRESS}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("nonsense", "unknown"),
    ],
)
def test_an_ipv6_address_counts_as_its_network(address, network):
    assert network_of(address) == network


@pytest.mark.unit
def test_a_long_forwarded_for_gives_the_same_key(rf, settings):
    rule = Rule("test", Strategy.FIXED, 1, 1, (Part.ADDRESS,))
    settings.TRUSTED_PROXY_COUNT = 1

    def key(header):
        request = rf.post(LOGIN, headers={"X-Forwarded-For": header})
        request.client_address = client_address(request)
        return key_of(rule, request)

    hostile = ", ".join([f"10.0.{n // 250}.{n % 250}" for n in range(499)])
    assert key(f"{hostile}, 203.0.113.9") == key("203.0.113.9")
    assert key("203.0.113.8") != key("203.0.113.9")
    assert "203" not in key("203.0.113.9")

    settings.TRUSTED_PROXY_COUNT = 0
    assert key(f"{hostile}, 203.0.113.9") == key("198.51.100.1")


@pytest.mark.django_db
def test_a_sign_in_door_refuses_the_guesser_and_nobody_else(limited):
    guesser, other = Api(), Api(REMOTE_ADDR="198.51.100.2")
    for _ in range(30):
        assert guesser.post(LOGIN).status_code == 400

    answer = guesser.post(LOGIN, headers={"X-Forwarded-For": "1.2.3.4"})

    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["violated-policies"] == ["sign-in-address"]
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert re.fullmatch(r'"sign-in-address";r=0;t=\d+', answer["RateLimit"])
    # The draft: Retry-After is not before the end of the effective window.
    assert int(answer["Retry-After"]) >= int(answer["RateLimit"].rpartition("=")[2])
    # By the other version's name, and by the pages' doors, it is the same door.
    assert guesser.post("/api/v2/auth/login").status_code == 429
    page = Client().post("/console/sign-in", {"username": "a", "password": "b"})
    assert page.status_code == 429
    assert b"Too many requests" in page.content
    assert page["Content-Type"].startswith("text/html")
    assert other.post(LOGIN).status_code == 400


@pytest.mark.django_db
def test_the_guesser_is_refused_before_the_database_is_asked(
    limited, django_assert_num_queries
):
    for _ in range(31):
        answer = Api().post(LOGIN)
    with django_assert_num_queries(0):
        answer = Api().post(LOGIN)
    assert answer.status_code == 429


@pytest.mark.django_db
def test_answers_say_what_is_left(limited, world):
    sola = world.api(world.sola)
    first, second = sola.get("/api/v1/customers"), sola.get("/api/v1/customers")

    for name, item in (("RateLimit-Policy", ITEM), ("RateLimit", LEFT)):
        items = second[name].split(", ")
        assert len(items) == 4
        assert all(re.fullmatch(item, found) for found in items), items
    assert '"read-user";q=1200;w=60' in second["RateLimit-Policy"]
    assert '"read-busy";q=32;qu="concurrent-requests"' in second["RateLimit-Policy"]
    assert left(first, "read-user") - left(second, "read-user") in {0, 1}
    assert left(first, "read-address") - left(second, "read-address") == 1
    # The place of a request that was answered is free again.
    assert left(second, "read-busy") == 31


def left(answer, name):
    found = re.search(rf'"{name}";r=(\d+)', answer["RateLimit"])
    assert found is not None
    return int(found[1])


def empty(redis_client, name, person):
    """Take all that a person's bucket has, and will have in a minute."""
    (rule,) = (r for p in POLICIES for r in p.rules if r.name == name)
    key = key_of(rule, SimpleNamespace(actor=person.actor, client_address="::1"))
    redis_client.set(key, str((time.time_ns() // 1000) + 120_000_000), px=120_000)


@pytest.mark.django_db
def test_a_user_has_one_quota_from_everywhere_and_shares_none(
    limited, world, redis_client
):
    sola, nuru = world.api(world.sola), world.api(world.nuru)
    elsewhere = Api(sola.bearer, REMOTE_ADDR="198.51.100.3")
    assert sola.get("/api/v1/customers").status_code == 200
    empty(redis_client, "read-user", world.sola)

    assert sola.get("/api/v1/customers").status_code == 429
    assert elsewhere.get("/api/v1/customers").status_code == 429
    assert elsewhere.get("/api/v2/units").status_code == 429
    assert nuru.get("/api/v1/customers").status_code == 200


@pytest.mark.django_db
def test_a_refused_change_changes_nothing(limited, world, redis_client):
    sola = world.api(world.sola)
    body = {"kind": "individual", "name": "A", "email": "a@example.com"}
    assert sola.post("/api/v1/customers", {}).status_code == 400
    empty(redis_client, "write-user", world.sola)

    answer = sola.post("/api/v1/customers", body, headers={"Idempotency-Key": "key-1"})

    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert Customer.objects.filter(name="A").exists() is False
    assert IdempotencyKey.objects.exists() is False


@pytest.mark.django_db
def test_can_be_switched_off_where_nobody_attacks(limited, settings, redis_client):
    settings.RATE_LIMIT_ENABLED = False
    answers = {Api().post(LOGIN).status_code for _ in range(35)}
    assert answers == {400}
    assert redis_client.dbsize() == 0


@pytest.mark.django_db
def test_health_and_static_are_never_counted(limited, client, redis_client):
    client.get("/health/live")
    client.get(reverse("health-live"))
    assert redis_client.dbsize() == 0
