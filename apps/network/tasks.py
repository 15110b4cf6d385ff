"""What Celery and beat ask of network."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.network import operations
from apps.network.radius import spool
from apps.network.radius.sender import CoaSender
from dotmac.core.periods import add_months, day_start, local_date

ROUNDS_MAX = 20
SEND_S = 60.0
SPOOL_FILES_MAX = 60
FORGET_S = 240.0
CARRY_S = 120.0


def coa_sender() -> CoaSender:
    """One for a process or a task; any number of them may run."""
    return CoaSender(
        claim=operations.claim_coa_requests, settle=operations.settle_coa_requests
    )


@shared_task(name="network.send_coa_requests", acks_late=True, time_limit=120)
def send_coa_requests(**_later: object) -> int:
    """Send what is due, many NASes at a time, and keep their answers.

    Beat runs this every few seconds, for when `run_coa_sender` does not run. A row
    belongs to one worker; the packets leave outside any transaction.
    """
    with coa_sender() as sender:
        return sender.send_due(until=time.monotonic() + SEND_S)


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


@shared_task(name="network.carry_disconnects", acks_late=True, time_limit=60)
def carry_disconnects(**_later: object) -> int:
    """End all sessions of a NAS or a site, in chunks; killable between them."""
    return _while_full(operations.carry_disconnects, 1)


@shared_task(name="network.carry_imports", acks_late=True, time_limit=300)
def carry_imports(**_later: object) -> int:
    """Open the accounts of imports, in chunks; killable between them and within."""
    until = time.monotonic() + CARRY_S
    return _until(until, lambda: operations.carry_import(now=timezone.now()))


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
    """Read what RADIUS decided and why from its spool, a file a minute.

    What is beyond the spool's size goes unread, the oldest first; and RADIUS is told
    how many decisions of each NAS to write, by those of the newest minute.
    """
    folder, stored = settings.RADIUS_DECISIONS_DIR, 0
    # The same minute of another host's server is another batch.
    place = f"{socket.gethostname()[:60]}:{folder.name[:40]}"
    size = settings.RADIUS_DECISIONS_MAX_MB * 1_000_000
    for name, lost in spool.take_away(folder, bytes_max=size):
        operations.note_lost_attempts(
            batch=f"{place}:{name}", lost=lost, now=timezone.now()
        )
    decisions, step = None, 1
    for path in spool.complete_files(folder, limit=SPOOL_FILES_MAX):
        decisions, step = spool.read_lines(path, limit=operations.BATCH_MAX)
        stored += operations.store_attempts(
            batch=f"{place}:{path.stem}",
            decisions=decisions,
            sample_of=step,
            now=timezone.now(),
        )
        path.unlink(missing_ok=True)
    operations.set_attempt_sampling(
        decisions=decisions, sample_of=step, now=timezone.now()
    )
    return stored


@shared_task(name="network.forget_attempts", acks_late=True, time_limit=280)
def forget_attempts(**_later: object) -> int:
    """Delete login attempts older than 30 days, in batches."""
    return _while_full(operations.forget_attempts, 1)


@shared_task(name="network.forget_sessions", acks_late=True, time_limit=280)
def forget_sessions(**_later: object) -> int:
    """Forget sessions, usage, requests to NASes and imports after their time."""
    now, until = timezone.now(), time.monotonic() + FORGET_S
    # Partitions of the history are months in UTC.
    before = _months_ago(now, settings.NETWORK_KEEP_SESSIONS_MONTHS, ZoneInfo("UTC"))
    total = _until(until, lambda: operations.forget_sessions(before=before))
    days = timedelta(days=settings.NETWORK_KEEP_REQUESTS_DAYS)
    total += _until(until, lambda: operations.forget_coa_requests(before=now - days))
    total += operations.forget_imports(before=now - days, now=now)
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
