"""Silent sessions closed, closed ones archived, partitions made in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.errors import SessionUnknown
from apps.network.models import SessionHistory, SessionLive
from tests.network import edge

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]


def test_a_session_silent_for_three_intervals_is_closed_as_of_its_last_word():
    world = edge.build()
    session = edge.start(world)
    last_word = session.seen_at

    in_time = last_word + timedelta(seconds=3 * 300)
    assert operations.close_silent_sessions(now=in_time) == 0
    assert operations.close_silent_sessions(now=in_time + timedelta(seconds=1)) == 1
    assert operations.close_silent_sessions(now=in_time + timedelta(seconds=1)) == 0

    session.refresh_from_db()
    assert (session.stopped_at, session.cause) == (last_word, "silence")
    assert session.presumed_ended is True


def test_batches_are_bounded():
    world = edge.build(sessions_max=0)
    for number in range(5):
        edge.start(world, f"s{number}")
    late = timezone.now() + timedelta(hours=1)

    assert operations.close_silent_sessions(now=late, limit=3) == 3
    assert operations.close_silent_sessions(now=late, limit=3) == 2
    assert operations.archive_sessions(now=late + timedelta(days=2), limit=3) == 3
    assert operations.archive_sessions(now=late + timedelta(days=2), limit=3) == 2
    assert operations.archive_sessions(now=late + timedelta(days=2)) == 0
    assert SessionHistory.objects.count() == 5


def test_the_archive_takes_what_ended_a_day_ago_and_makes_its_partitions():
    world = edge.build(sessions_max=0)
    edge.start(world, "open")
    edge.start(world, "ended")
    # A session that ran since before any partition was made.
    SessionLive.objects.filter(acct_session_id="ended").update(
        started_at=timezone.now() - timedelta(days=300), stopped_at=timezone.now()
    )
    now = timezone.now()

    assert operations.archive_sessions(now=now + timedelta(hours=23)) == 0
    assert operations.archive_sessions(now=now + timedelta(hours=25)) == 1

    assert SessionLive.objects.get().acct_session_id == "open"
    assert SessionHistory.objects.get().acct_session_id == "ended"


def test_partitions_are_there_before_they_are_needed():
    now = timezone.now() + timedelta(days=400)

    assert operations.ensure_session_partitions(now=now) > 0
    assert operations.ensure_session_partitions(now=now) == 0

    with connection.cursor() as cursor:
        month = (now + timedelta(days=85)).strftime("%Y%m")
        cursor.execute("SELECT to_regclass(%s)", [f"network_sessionhistory_{month}"])
        assert cursor.fetchone()[0] is not None


def test_the_tasks_that_beat_runs_do_the_same():
    edge.start(edge.build())

    assert tasks.close_silent_sessions() == 0
    assert tasks.archive_sessions() == 0
    assert tasks.reconcile_coa() == 0
    # It makes what the template lacked where midnight has come since.
    tasks.ensure_session_partitions()
    assert tasks.ensure_session_partitions() == 0
    assert tasks.forget_attempts() == 0


def test_an_unknown_session_cannot_be_disconnected():
    session = edge.start(edge.build())

    unknown: tuple[dict[str, Any], ...] = (
        {"session_key": session.session_key, "generation": 2},
        {"session_key": "00000000-0000-0000-0000-000000000000", "generation": 1},
    )
    for facts in unknown:
        with pytest.raises(SessionUnknown):
            operations.disconnect_session(**facts, actor=edge.ACTOR, now=timezone.now())
