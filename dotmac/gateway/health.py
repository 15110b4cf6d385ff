"""/health: alive, ready, and what each dependency says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from functools import lru_cache
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

LIMIT_S = 1.0
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; dependencies are not asked."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Able to serve: database with all migrations, and Valkey."""
    found = _ask({"database": _database, "redis": _redis, "migrations": _migrations})
    well = all(state == "healthy" for state in found.values())
    return JsonResponse(
        {"status": "ready" if well else "not ready", "checks": found},
        status=200 if well else 503,
    )


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Status, time, version and dependencies. Outside services never fail it."""
    found = _ask(
        {
            "database": _database,
            "redis": _redis,
            "payment_gateway": _gateway,
            "mail": _mail,
        }
    )
    outside = {name: found.pop(name) for name in ("payment_gateway", "mail")}
    well = all(state == "healthy" for state in found.values())
    degraded = any(state == "unreachable" for state in outside.values())
    status = "unhealthy" if not well else "degraded" if degraded else "healthy"
    return JsonResponse(
        {
            "status": status,
            "timestamp": timezone.now().isoformat(),
            "version": settings.VERSION,
            "dependencies": {**found, "external_apis": outside},
        },
        status=200 if well else 503,
    )


def _ask(checks: dict[str, Callable[[], str]]) -> dict[str, str]:
    """Ask all at once; whoever takes longer than a second is unreachable."""
    running = {name: _pool.submit(check) for name, check in checks.items()}
    found = {}
    for name, future in running.items():
        try:
            found[name] = future.result(timeout=LIMIT_S)
        except TookTooLong:
            found[name] = "unreachable"
    return found


def _database() -> str:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    finally:
        connections["default"].close()
    return "healthy"


def _migrations() -> str:
    try:
        return "healthy" if _all_applied() else "pending"
    except DatabaseError:
        return "unreachable"
    finally:
        connections["default"].close()


class _NotYet(Exception):
    """Keeps "not yet" out of the cache: only the good answer stays."""


@lru_cache(maxsize=1)
def _applied_once() -> bool:
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotYet
    return True


def _all_applied() -> bool:
    try:
        return _applied_once()
    except _NotYet:
        return False


@lru_cache(maxsize=1)
def _redis_client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S
    )


def _redis() -> str:
    try:
        return "healthy" if _redis_client().ping() else "unreachable"
    except redis.RedisError:
        return "unreachable"


def _gateway() -> str:
    if not settings.PAYSTACK_SECRET_KEY_PATH.exists():
        return "not configured"
    parts = urlsplit(settings.PAYSTACK_BASE_URL)
    default = 443 if parts.scheme == "https" else 80
    return _reached(parts.hostname or "", parts.port or default)


def _mail() -> str:
    return _reached(settings.EMAIL_HOST, settings.EMAIL_PORT)


def _reached(host: str, port: int) -> str:
    try:
        with socket.create_connection((host, port), timeout=LIMIT_S / 2):
            return "healthy"
    except OSError:
        return "unreachable"
