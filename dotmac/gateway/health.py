"""/health: alive, ready, and what each component says.

Nobody waits for a component that hangs: all are asked at once, within LIMIT_S
together, and one that has not answered yet is not asked again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dotmac.gateway import components
from dotmac.gateway.components import Finding, State

LIMIT_S = 1.0
Check = Callable[[], Finding]

READY: dict[str, Check] = {
    "database": components.database,
    "redis": components.redis_answers,
    "migrations": components.migrations,
}
# Without these nothing is served; all others make it degraded at most.
NEEDED = ("database", "redis")
OUTSIDE = ("payment_gateway", "mail")
COMPONENTS: dict[str, Check] = {
    "database": components.database,
    "redis": components.redis_answers,
    "workers": components.workers,
    "beat": components.beat,
    "relay": components.relay,
    "coa_sender": components.coa_sender,
    "radius": components.radius,
    "accounting": components.accounting,
    "payment_gateway": components.payment_gateway,
    "mail": components.mail,
}


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; dependencies are not asked."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Able to serve: database with all migrations, and Valkey."""
    found = ask(READY)
    well = all(finding.state == State.HEALTHY for finding in found.values())
    return JsonResponse(
        {
            "status": "ready" if well else "not ready",
            "checks": {name: finding.state.value for name, finding in found.items()},
        },
        status=200 if well else 503,
    )


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Status, time, version and components. Anybody may ask: states and ages only."""
    found = ask(COMPONENTS)
    states = {name: finding.state.value for name, finding in found.items()}
    status = _status(found)
    return JsonResponse(
        {
            "status": status,
            "timestamp": timezone.now().isoformat(),
            "version": settings.VERSION,
            "dependencies": {
                **{name: states[name] for name in NEEDED},
                "external_apis": {name: states[name] for name in OUTSIDE},
            },
            "components": {
                name: {"state": finding.state.value, "age_s": finding.age_s}
                for name, finding in found.items()
            },
        },
        status=503 if status == "unhealthy" else 200,
    )


def _status(found: Mapping[str, Finding]) -> str:
    if any(found[name].state != State.HEALTHY for name in NEEDED):
        return "unhealthy"
    troubled = {State.UNREACHABLE, State.SILENT}
    return "degraded" if any(f.state in troubled for f in found.values()) else "healthy"


_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="health")
_asked: dict[Check, Future[Finding]] = {}
_lock = threading.Lock()


def ask(checks: Mapping[str, Check]) -> dict[str, Finding]:
    """Ask all at once; whoever has not answered within LIMIT_S is unreachable."""
    deadline = time.monotonic() + LIMIT_S
    with _lock:
        running = {name: _asking(check) for name, check in checks.items()}
    found = {}
    for name, future in running.items():
        try:
            found[name] = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except TookTooLong:
            found[name] = Finding(State.UNREACHABLE)
    return found


def _asking(check: Check) -> Future[Finding]:
    """The question that is already out, or a new one: a hang holds one thread."""
    future = _asked.get(check)
    if future is None or future.done():
        future = _asked[check] = _pool.submit(check)
    return future
