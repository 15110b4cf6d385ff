"""Redis gone, frozen, and back (security.md, row 39)."""

import logging
import os
import signal
import time

import pytest

from dotmac.devtools.servers import Valkey
from dotmac.gateway.breaker import Breaker
from dotmac.gateway.limits import middleware
from dotmac.gateway.limits.local import KEYS_MAX, LocalCounter
from dotmac.gateway.limits.policies import POLICIES, Part, Rule, Strategy
from tests.gateway.conftest import forget_counter
from tests.world import Api

pytestmark = [pytest.mark.security]

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
PAY = "/api/v1/billing/payments"


@pytest.fixture
def fresh_local(monkeypatch):
    monkeypatch.setattr(middleware, "_local", LocalCounter())


@pytest.fixture
def server(settings, tmp_path, fresh_local):
    """A Valkey that this test may stop."""
    server = Valkey(tmp_path / "valkey", durable=False)
    server.start()
    settings.RATE_LIMIT_ENABLED = True
    settings.RATE_LIMIT_TIMEOUT_MS = 200
    settings.REDIS_URL = server.url()
    yield server
    forget_counter()
    server.stop()


def codes(client):
    return {
        "login": client.post(LOGIN).status_code,
        "page": client.post("/portal/sign-in").status_code,
        "refresh": client.post(REFRESH).status_code,
        "pay": client.post(
            PAY, {}, headers={"Idempotency-Key": "some-key"}
        ).status_code,
        "read": client.get("/api/v1/customers").status_code,
    }


WELL = {"login": 400, "page": 200, "refresh": 400, "pay": 403, "read": 200}
AWAY = {**dict.fromkeys(("login", "page", "refresh", "pay"), 503), "read": 200}


def back(client):
    began = time.monotonic()
    while client.post(LOGIN).status_code == 503:
        assert time.monotonic() - began < 5
        time.sleep(0.05)


@pytest.mark.django_db
def test_doors_and_money_close_and_reading_goes_on(server, world, caplog):
    sola = world.api(world.sola)
    assert codes(sola) == WELL
    caplog.set_level(logging.ERROR)
    server.kill()

    for _ in range(20):
        assert codes(sola) == AWAY
    answer = sola.post(LOGIN)

    assert answer.json()["code"] == "limiter_unavailable"
    assert answer["Retry-After"] == "5"
    assert "Nothing was changed" in answer.json()["detail"]
    lines = [r for r in caplog.records if "limiter_away" in r.getMessage()]
    assert len(lines) == 1

    server.start()
    back(sola)
    assert codes(sola) == WELL


@pytest.mark.django_db
def test_a_frozen_server_holds_nobody_up(server, world):
    sola = world.api(world.sola)
    assert codes(sola) == WELL
    os.kill(server.child.pid, signal.SIGSTOP)
    try:
        assert sola.post(LOGIN).status_code == 503
        assert sola.post(LOGIN).status_code == 503
        began = time.monotonic()
        answers = {sola.post(LOGIN).status_code for _ in range(100)}
        took = time.monotonic() - began
    finally:
        os.kill(server.child.pid, signal.SIGCONT)
    assert answers == {503}
    # Waiting for it each time would be 20 s.
    assert took < 10
    back(sola)
    assert codes(sola) == WELL


@pytest.mark.django_db
def test_reading_alone_is_limited_to_this_processs_share(server, settings, world):
    sola = world.api(world.sola)
    settings.RATE_LIMIT_PROCESSES = 100
    server.kill()

    answers = [sola.get("/api/v1/customers").status_code for _ in range(30)]

    # 1200 a minute by a hundred processes: twelve, and what flows in meanwhile.
    assert answers[:12] == [200] * 12
    assert 429 in answers


@pytest.mark.django_db
def test_a_stranger_cannot_guess_meanwhile(server, settings):
    server.kill()
    answers = {Api().post(LOGIN).status_code for _ in range(40)}
    assert answers == {503}


@pytest.mark.unit
def test_a_breaker_lets_one_through_now_and_then():
    now = [0.0]
    breaker = Breaker(failures_max=2, retry_s=1.0, clock=lambda: now[0])
    breaker.failed()
    assert breaker.permits()
    breaker.failed()
    assert [breaker.permits() for _ in range(3)] == [False] * 3

    now[0] = 1.0
    assert [breaker.permits() for _ in range(3)] == [True, False, False]
    breaker.failed()
    now[0] = 1.9
    assert breaker.permits() is False
    now[0] = 2.0
    assert breaker.permits()
    breaker.succeeded()
    assert [breaker.permits() for _ in range(3)] == [True] * 3


BUCKET = Rule("bucket", Strategy.BUCKET, 40, 10, (Part.ADDRESS,))
BUSY = Rule("busy", Strategy.BUSY, 8, 10, (Part.ADDRESS,))


@pytest.mark.unit
def test_the_local_counter_grants_its_share_and_what_flows_in():
    now = [100.0]
    counter = LocalCounter(clock=lambda: now[0])

    def granted():
        return sum(counter.take([BUCKET], ["a"], share=4).allowed for _ in range(30))

    assert granted() == 10
    now[0] += 2.0
    assert granted() == 2
    now[0] += 100.0
    assert granted() == 10
    assert counter.take([BUCKET], ["b"], share=4).allowed


@pytest.mark.unit
def test_the_local_counter_holds_places_until_they_are_given_back():
    counter = LocalCounter()
    assert counter.take([BUSY], ["a"], share=4).allowed
    assert counter.take([BUSY], ["a"], share=4).allowed
    refused = counter.take([BUCKET, BUSY], ["b", "a"], share=4)
    assert refused.allowed is False
    # The bucket beside it lost nothing.
    assert counter.take([BUCKET], ["b"], share=4).standings[0].left == 9

    counter.end_leases(["a"])
    assert counter.take([BUSY], ["a"], share=4).allowed
    counter.end_leases(["unknown"])


@pytest.mark.unit
def test_the_local_counter_does_not_grow_without_end():
    counter = LocalCounter()
    for number in range(KEYS_MAX + 50):
        counter.take([BUCKET], [str(number)], share=1)
    assert len(counter._full_at) == KEYS_MAX


@pytest.mark.unit
def test_a_share_is_never_nothing():
    for policy in POLICIES:
        for rule in (*policy.door, *policy.rules):
            assert LocalCounter().take([rule], ["a"], share=10_000).allowed
