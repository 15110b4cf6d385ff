"""The components of an installation, and how each shows that it lives.

A finding tells a state and the age of the last sign of life; never an address, a
version or the words of an error.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.network import selectors as network
from dotmac.core import heartbeats

ANSWER_S = 0.8
# Accounting that waits for so long says that nobody brings it into the database.
BUFFERED_MAX_S = 60


class State(StrEnum):
    """What is known of a component."""

    HEALTHY = "healthy"
    # It says nothing of itself any more.
    SILENT = "silent"
    # It was asked and did not answer.
    UNREACHABLE = "unreachable"
    PENDING = "pending"
    NOT_CONFIGURED = "not configured"


@dataclass(frozen=True, slots=True)
class Finding:
    """A state, and seconds since the last sign of life where there is one."""

    state: State
    age_s: int | None = None


def database() -> Finding:
    """PostgreSQL answers a statement."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Finding(State.UNREACHABLE)
    finally:
        connections["default"].close()
    return Finding(State.HEALTHY)


def migrations() -> Finding:
    """No migration is left to apply."""
    try:
        return Finding(State.HEALTHY if _all_applied() else State.PENDING)
    except DatabaseError:
        return Finding(State.UNREACHABLE)
    finally:
        connections["default"].close()


class _NotYet(Exception):
    """Keeps "not yet" out of the cache: only the good answer stays."""


@lru_cache(maxsize=1)
def applied_once() -> bool:
    """True; raises _NotYet, which is not remembered, while migrations are missing."""
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotYet
    return True


def _all_applied() -> bool:
    try:
        return applied_once()
    except _NotYet:
        return False


def redis_answers() -> Finding:
    """Redis or Valkey answers a ping."""
    try:
        return Finding(State.HEALTHY if _redis().ping() else State.UNREACHABLE)
    except redis.RedisError:
        return Finding(State.UNREACHABLE)


def workers() -> Finding:
    """A Celery worker said within half a minute that it lives."""
    return _heard("worker")


def beat() -> Finding:
    """Beat had a task taken by the broker within a minute."""
    return _heard("beat")


def relay() -> Finding:
    """The relay finished a round."""
    return _heard("relay")


def coa_sender() -> Finding:
    """The sender of Disconnects and CoA went round."""
    return _heard("coa_sender")


def radius() -> Finding:
    """A RADIUS server holds connections to the database; age of its last decision."""
    try:
        life = network.radius_life(role=settings.DATABASE_RADIUS_ROLE)
    except DatabaseError:
        return Finding(State.UNREACHABLE)
    finally:
        connections["default"].close()
    age = None
    if life.decided_at is not None:
        age = max(0, int((timezone.now() - life.decided_at).total_seconds()))
    return Finding(State.HEALTHY if life.connections else State.SILENT, age)


def accounting() -> Finding:
    """Buffered accounting goes on into the database; age of what waits longest."""
    if settings.RADIUS_ACCOUNTING != "buffered":
        return Finding(State.NOT_CONFIGURED)
    try:
        oldest_at = network.accounting_waits_since(settings.RADIUS_BUFFER_DIR)
    except OSError:
        return Finding(State.UNREACHABLE)
    age = 0 if oldest_at is None else max(0, int(time.time()) - oldest_at)
    return Finding(State.HEALTHY if age < BUFFERED_MAX_S else State.SILENT, age)


def payment_gateway() -> Finding:
    """The gateway's address takes connections."""
    if not settings.PAYSTACK_SECRET_KEY_PATH.exists():
        return Finding(State.NOT_CONFIGURED)
    parts = urlsplit(settings.PAYSTACK_BASE_URL)
    default = 443 if parts.scheme == "https" else 80
    return _reached(parts.hostname or "", parts.port or default)


def mail() -> Finding:
    """The mail server takes connections."""
    return _reached(settings.EMAIL_HOST, settings.EMAIL_PORT)


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )


def _heard(program: str) -> Finding:
    try:
        age_s = heartbeats.ages_s(_redis(), now=time.time())[program]
    except redis.RedisError:
        return Finding(State.UNREACHABLE)
    return Finding(State.SILENT) if age_s is None else Finding(State.HEALTHY, age_s)


def _reached(host: str, port: int) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S):
            return Finding(State.HEALTHY)
    except OSError:
        return Finding(State.UNREACHABLE)
