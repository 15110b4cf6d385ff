"""Takes from the limiter inside one process; part of `tools.bench.inside`.

Django is set up by whoever imports this.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import redis
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from dotmac.core.actors import Actor, ActorKind, Scope
from dotmac.gateway.limits.counter import Counter, counter
from dotmac.gateway.limits.middleware import ActorLimitMiddleware
from dotmac.gateway.limits.policies import Part, Rule, Strategy

PLENTY = 10**9
HOUR_S = 3600
PATIENCE_MS = 10_000
NOBODY = "redis://127.0.0.1:9/0"
THREADS = 8


def latencies(count: int) -> dict[str, list[float]]:
    """Milliseconds of each call: a bare PING, each strategy, the whole middleware."""
    # A crowded machine's pauses belong to the figure; they must not end it.
    with override_settings(RATE_LIMIT_TIMEOUT_MS=PATIENCE_MS):
        return _latencies(count)


def _latencies(count: int) -> dict[str, list[float]]:
    found = {"PING": _timed(_ping(), count)}
    for strategy in Strategy:
        rule = Rule("bench", strategy, PLENTY, HOUR_S, (Part.ADDRESS,))
        found[strategy.value] = _timed(_one(rule), count)
    with override_settings(RATE_LIMIT_ENABLED=True):
        found["a read, four rules"] = _timed(_whole(), count)
        with override_settings(REDIS_URL=NOBODY):
            found["a read, Redis gone"] = _timed(_whole(), count)
    return found


def grants(strategy: str, limit: int, attempts: int) -> dict[str, Any]:
    """What threads of this process were granted of a rule that others share."""
    rule = Rule("grants", Strategy(strategy), limit, HOUR_S, (Part.ADDRESS,))
    shared = Counter(settings.REDIS_URL, timeout_s=10)
    granted: list[int] = []

    def take() -> None:
        mine = 0
        for _ in range(attempts // THREADS):
            mine += shared.take([rule], [f"grants:{strategy}"], _nonce()).allowed
        granted.append(mine)

    threads = [threading.Thread(target=take) for _ in range(THREADS)]
    began = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"granted": sum(granted), "began": began, "ended": time.time()}


def _nonce() -> str:
    return secrets.token_hex(8)


def _timed(call: Callable[[], object], count: int) -> list[float]:
    for _ in range(50):
        call()
    found = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        found.append((time.perf_counter() - began) * 1000)
    return found


def _ping() -> Callable[[], object]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    return client.ping


def _one(rule: Rule) -> Callable[[], object]:
    counting, key = counter(), f"bench:{rule.strategy}"

    def take() -> None:
        nonce = _nonce()
        counting.take([rule], [key], nonce)
        if rule.strategy == Strategy.BUSY:
            counting.end_leases([key], nonce)

    return take


def _whole() -> Callable[[], object]:
    """The middleware around a view that does nothing, for ever new customers."""
    middleware = ActorLimitMiddleware(lambda _: HttpResponse())
    factory, users = RequestFactory(), iter(range(10**9))

    def ask() -> None:
        number = next(users)
        request: Any = factory.get("/api/v1/customers")
        request.client_address = str(ip_address(10 * 2**24 + number))
        request.actor = Actor(
            kind=ActorKind.CUSTOMER,
            id=number,
            label="bench",
            scopes={"bench": Scope(customer_ids=frozenset({number}))},
        )
        response = middleware(request)
        assert response.status_code == 200

    return ask
