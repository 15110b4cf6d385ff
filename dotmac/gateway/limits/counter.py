"""Counting in Redis: one Lua call for all rules of a request."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from dotmac.gateway.breaker import Breaker
from dotmac.gateway.limits.policies import Rule

log = structlog.get_logger(__name__)

SCRIPT = files("dotmac.gateway.limits").joinpath("decide.lua").read_text()
# How Redis names a script: an identifier, no protection.
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
FAILURES_MAX = 2
RETRY_S = 1.0
COMPLAINT_S = 60.0
CONNECTIONS_MAX = 64
MICROSECONDS = 1_000_000


class CounterAway(Exception):
    """Redis does not answer, or not in time; nothing is known about the limit."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rule stands after the decision."""

    rule: Rule
    refuses: bool
    left: int
    # Seconds until more is free.
    rest_s: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What all rules of a request say together."""

    standings: tuple[Standing, ...]
    at_us: int = 0

    @property
    def allowed(self) -> bool:
        return not any(standing.refuses for standing in self.standings)


class Counter:
    """One Redis server. Safe to share between threads."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        # One try, short: redis-py would try again with pauses of seconds.
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=CONNECTIONS_MAX,
        )
        self.breaker = Breaker(failures_max=FAILURES_MAX, retry_s=RETRY_S)
        self._complaints = _Complaints()

    def take(self, rules: Sequence[Rule], keys: Sequence[str], nonce: str) -> Decision:
        """Take one from every rule, or from none; raises CounterAway."""
        words: list[Any] = [nonce]
        for rule in rules:
            words += (rule.strategy.value, rule.limit, rule.window_s * MICROSECONDS)
        answer = self._ask(keys, words)
        standings = tuple(
            Standing(
                rule=rule,
                refuses=bool(answer[2 + 3 * i]),
                left=int(answer[3 + 3 * i]),
                rest_s=int(answer[4 + 3 * i]) / MICROSECONDS,
            )
            for i, rule in enumerate(rules)
        )
        return Decision(standings, at_us=int(answer[0]))

    def end_leases(self, keys: Sequence[str], nonce: str) -> None:
        """Give places back. Where Redis is away they come back by themselves."""
        if self.breaker.is_open:
            return
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.zrem(key, nonce)
                pipeline.execute()
        except (redis.RedisError, OSError):
            self.breaker.failed()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, keys: Sequence[str], words: Sequence[Any]) -> list[Any]:
        if not self.breaker.permits():
            self._complaints.add("open")
            raise CounterAway
        try:
            answer = self._call(keys, words)
        except (redis.RedisError, OSError) as error:
            self.breaker.failed()
            self._complaints.add(type(error).__name__)
            raise CounterAway from error
        self.breaker.succeeded()
        return answer

    def _call(self, keys: Sequence[str], words: Sequence[Any]) -> list[Any]:
        try:
            found: Any = self._client.evalsha(SHA, len(keys), *keys, *words)
        except NoScriptError:
            # A server that was restarted or flushed; EVAL loads it again.
            found = self._client.eval(SCRIPT, len(keys), *keys, *words)
        return list(found)


class _Complaints:
    """One line a minute, however many requests suffer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self._count = 0

    def add(self, reason: str) -> None:
        with self._lock:
            self._count += 1
            now = time.monotonic()
            if now < self._next:
                return
            count, self._count, self._next = self._count, 0, now + COMPLAINT_S
        log.error("limiter_away", reason=reason, requests=count)


@lru_cache(maxsize=4)
def _counter(url: str, timeout_ms: int) -> Counter:
    return Counter(url, timeout_s=timeout_ms / 1000)


def counter() -> Counter:
    """This process's counter on the server that the settings name."""
    return _counter(settings.REDIS_URL, settings.RATE_LIMIT_TIMEOUT_MS)
