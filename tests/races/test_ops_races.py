"""Couriers that meet at one event."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from apps.ops import operations as ops
from apps.ops.models import OutboxEvent
from dotmac.core.actors import system_actor
from dotmac.core.events import Event, on
from dotmac.core.refs import SubjectRef

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUBJECT = "tests.bell:1"
heard: list[int] = []
may_end = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class BellRung(Event):
    name = "tests.bell.rung.v1"

    bell_id: int

    @property
    def subject(self):
        return SubjectRef("tests", "bell", self.bell_id)


@on(BellRung)
def listen(event: BellRung) -> None:
    heard.append(event.bell_id)
    assert may_end.wait(20)


@pytest.fixture(autouse=True)
def _quiet():
    heard.clear()
    may_end.clear()


def deliver():
    try:
        return ops.deliver_next(subject_key=SUBJECT, now=NOON)
    finally:
        connection.close()


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def test_two_couriers_deliver_an_event_once():
    """The second comes while the handler is at work, waits, and finds it done."""
    with transaction.atomic():
        row = ops.emit(
            BellRung(occurred_at=NOON, bell_id=1), actor=system_actor("test")
        )

    with ThreadPoolExecutor(2) as couriers:
        first = couriers.submit(deliver)
        wait_for(lambda: heard)
        second = couriers.submit(deliver)
        try:
            wait_for(lambda: len(heard) > 1 or somebody_waits_for_a_lock())
        finally:
            may_end.set()

    assert heard == [1]
    assert (first.result(), second.result()) == (row.pk, None)
    assert OutboxEvent.objects.get().attempts == 1
