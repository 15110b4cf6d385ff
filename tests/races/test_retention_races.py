"""A job that forgets, killed anywhere: what it did is done, the rest is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.models import SessionHistory, UsageHour
from tests.environment import ROOT
from tests.network import edge

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]

YEARS = timedelta(days=732 + 31)
_FORGET = """
from apps.network import operations, tasks
from apps.network.operations import retention
operations.FORGET_MAX = retention.FORGET_MAX = 40
print("ready", flush=True)
tasks.forget_sessions()
"""


def test_a_job_killed_while_it_forgets_leaves_nothing_half():
    world = edge.build()
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS, [now - timedelta(days=1500)])
        cursor.execute(_HOURS, [world.account.pk, now - timedelta(days=1500)])
        cursor.execute(_HOURS, [world.account.pk, now - timedelta(days=300)])
    while operations.archive_sessions(now=now):
        pass
    young = SessionHistory.objects.filter(heard_at__gt=now - timedelta(days=600))
    kept = set(young.values_list("pk", flat=True))
    before = _by_month()
    assert kept

    for _ in range(4):
        _killed_after(0.1)

    # Each month is whole or gone, and nothing went that had to stay.
    for month, count in _by_month().items():
        assert count == before[month]
    assert set(young.values_list("pk", flat=True)) == kept
    assert (
        UsageHour.objects.filter(hour_at__gt=now - timedelta(days=600)).count() == 400
    )

    # A killed job's statement may still hold the history for a moment.
    until = time.monotonic() + 10
    while tasks.forget_sessions() or time.monotonic() < until:
        if not SessionHistory.objects.filter(started_at__lt=now - YEARS).exists():
            break

    bound = now - YEARS
    assert not SessionHistory.objects.filter(started_at__lt=bound).exists()
    assert not UsageHour.objects.filter(hour_at__lt=bound).exists()
    assert set(young.values_list("pk", flat=True)) == kept


def _by_month() -> Counter[str]:
    instants = SessionHistory.objects.values_list("started_at", flat=True)
    return Counter(f"{instant.astimezone(UTC):%Y%m}" for instant in instants)


def _killed_after(seconds: float) -> None:
    job = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "shell", "--command", _FORGET],
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert job.stdout is not None
    while "ready" not in job.stdout.readline():
        assert job.poll() is None
    time.sleep(seconds)
    job.send_signal(signal.SIGKILL)
    job.wait()
    job.stdout.close()


# A session a day; copies, as what is measured is how they go.
_SESSIONS = """
    INSERT INTO network_sessionlive (session_key, generation, login, acct_session_id,
        mac, nas_port, started_at, seen_at, stopped_at, start_received, heard_at)
    SELECT gen_random_uuid(), 1, 'x', 'old', '', '', began, began, began, true, began
      FROM generate_series(1, 1400) n, LATERAL (SELECT %s + n * interval '1 day' AS began) t
"""
_HOURS = """
    INSERT INTO network_usagehour (account_id, hour_at, octets_in, octets_out)
    SELECT %s, date_trunc('hour', %s + n * interval '1 hour'), 1, 1
      FROM generate_series(1, 400) n
"""
