"""What Celery and beat ask of network."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.network import operations
from apps.network.radius import coa, spool
from dotmac.core.periods import add_months, day_start, local_date

log = structlog.get_logger(__name__)

ROUNDS_MAX = 20
SENDERS = 16
SPOOL_FILES_MAX = 60
FORGET_S = 240.0


@shared_task(name="network.send_coa_requests", acks_late=True, time_limit=120)
def send_coa_requests(**_later: object) -> int:
    """Send what is due, many NASes at a time, and keep their answers.

    Beat runs this every few seconds. A row belongs to one worker; the packets
    leave outside any transaction.
    """
    sent = 0
    for _ in range(ROUNDS_MAX):
        orders = operations.claim_coa_requests(now=timezone.now())
        if not orders:
            break
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="coa") as senders:
            for order, outcome in zip(
                orders, senders.map(coa.send, orders), strict=True
            ):
                state = operations.settle_coa_request(
                    coa_id=order.id, outcome=outcome, now=timezone.now()
                )
                log.info(
                    "coa.sent", kind=order.kind, nas=order.nas_address, state=state
                )
        sent += len(orders)
    return sent


@shared_task(name="network.measure_nas_health", acks_late=True, time_limit=60)
def measure_nas_health(**_later: object) -> int:
    """Gather when each NAS was last heard of, and its logins of the last hour."""
    return operations.measure_nas_health(now=timezone.now())


@shared_task(name="network.settle_nas_secrets", acks_late=True, time_limit=60)
def settle_nas_secrets(**_later: object) -> int:
    """Take over secrets that NASes proved, and take back those that none did in time."""
    return operations.settle_nas_secrets(now=timezone.now())


@shared_task(name="network.reconcile_coa", acks_late=True, time_limit=60)
def reconcile_coa(**_later: object) -> int:
    """Queue again what a killed worker left, and Disconnects that a race missed."""
    return operations.reconcile_coa(now=timezone.now())


@shared_task(name="network.tell_profiles", acks_late=True, time_limit=60)
def tell_profiles(**_later: object) -> int:
    """Carry changed speeds to running sessions, in chunks; killable between them."""
    return _while_full(operations.tell_profiles, 1)


@shared_task(name="network.close_silent_sessions", acks_late=True, time_limit=60)
def close_silent_sessions(**_later: object) -> int:
    """Close sessions whose NAS rebooted or went silent; a bounded number of batches."""
    closing = (operations.close_restarted_sessions, operations.close_silent_sessions)
    return sum(_while_full(close, operations.SWEEP_MAX) for close in closing)


@shared_task(name="network.archive_sessions", acks_late=True, time_limit=280)
def archive_sessions(**_later: object) -> int:
    """Move closed sessions to the history in batches; killable between any two."""
    return _while_full(operations.archive_sessions, operations.ARCHIVE_MAX)


@shared_task(name="network.ensure_session_partitions", acks_late=True, time_limit=60)
def ensure_session_partitions(**_later: object) -> int:
    """Make the history's partitions months before they are needed."""
    return operations.ensure_session_partitions(now=timezone.now())


@shared_task(name="network.read_attempts", acks_late=True, time_limit=120)
def read_attempts(**_later: object) -> int:
    """Read what RADIUS decided and why from its spool, a file a minute."""
    folder, stored = settings.RADIUS_DECISIONS_DIR, 0
    for path in spool.complete_files(folder, limit=SPOOL_FILES_MAX):
        decisions, step = spool.read_lines(path, limit=operations.BATCH_MAX)
        stored += operations.store_attempts(
            # The same minute of another host's server is another batch.
            batch=f"{socket.gethostname()[:60]}:{folder.name[:40]}:{path.stem}",
            decisions=decisions,
            sample_of=step,
            now=timezone.now(),
        )
        path.unlink(missing_ok=True)
    return stored


@shared_task(name="network.forget_attempts", acks_late=True, time_limit=280)
def forget_attempts(**_later: object) -> int:
    """Delete login attempts older than 30 days, in batches."""
    return _while_full(operations.forget_attempts, 1)


@shared_task(name="network.forget_sessions", acks_late=True, time_limit=280)
def forget_sessions(**_later: object) -> int:
    """Forget sessions, hours of usage and requests to NASes after their time."""
    now, until = timezone.now(), time.monotonic() + FORGET_S
    # Partitions of the history are months in UTC.
    before = _months_ago(now, settings.NETWORK_KEEP_SESSIONS_MONTHS, ZoneInfo("UTC"))
    total = _until(until, lambda: operations.forget_sessions(before=before))
    days = timedelta(days=settings.NETWORK_KEEP_REQUESTS_DAYS)
    total += _until(until, lambda: operations.forget_coa_requests(before=now - days))
    return total + _forget_usage(now, until)


def _forget_usage(now: datetime, until: float) -> int:
    months = settings.NETWORK_KEEP_USAGE_MONTHS
    before = _months_ago(now, months, settings.OPERATOR_ZONE)
    total = account = 0
    while time.monotonic() < until:
        gone, last = operations.forget_usage(before=before, after_account=account)
        total += gone
        if gone < operations.FORGET_MAX:
            if last == 0:
                break
            account = last
    return total


def _months_ago(now: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The first of that month, on the zone's clock."""
    first = add_months(local_date(now, zone), -months).replace(day=1)
    return day_start(first, zone)


def _until(end: float, batch: Callable[[], int]) -> int:
    """Repeat until there is nothing left, or no time: the next run goes on."""
    total = 0
    while time.monotonic() < end and (done := batch()):
        total += done
    return total


def _while_full(batch: object, size: int) -> int:
    total = 0
    for _ in range(ROUNDS_MAX):
        done = batch(now=timezone.now())  # type: ignore[operator]
        total += done
        if done < size:
            break
    return total
