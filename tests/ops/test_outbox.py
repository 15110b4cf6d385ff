from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.ops import operations as ops
from apps.ops.enums import EventState
from apps.ops.errors import EventNotParked
from apps.ops.models import AuditEntry, OutboxEvent
from apps.ops.operations.outbox import ATTEMPTS_MAX
from dotmac.core.actors import system_actor
from dotmac.core.events import Event, on
from dotmac.core.refs import SubjectRef

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACTOR = system_actor("test")
heard: list[int] = []
failing: set[int] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class LampLit(Event):
    name = "tests.lamp.lit.v1"

    lamp_id: int
    step: int

    @property
    def subject(self):
        return SubjectRef("tests", "lamp", self.lamp_id)


@on(LampLit)
def listen(event: LampLit) -> None:
    if event.step in failing:
        raise RuntimeError("no ears")
    heard.append(event.step)


@pytest.fixture(autouse=True)
def _forget():
    heard.clear()
    failing.clear()


def light(lamp, *steps):
    for step in steps:
        ops.emit(LampLit(occurred_at=NOON, lamp_id=lamp, step=step), actor=ACTOR)


def deliver_all(key, now=NOON):
    while ops.deliver_next(subject_key=key, now=now) is not None:
        pass


def test_numbers_each_subject_on_its_own_and_writes_the_audit_row():
    light(1, 10, 11)
    light(2, 20)
    numbers = OutboxEvent.objects.order_by("pk").values_list("subject_key", "number")
    assert list(numbers) == [
        ("tests.lamp:1", 1),
        ("tests.lamp:1", 2),
        ("tests.lamp:2", 1),
    ]
    assert AuditEntry.objects.filter(action="tests.lamp.lit.v1").count() == 3


def test_the_database_gives_a_number_once():
    """Whatever writes the row: delivery in order rests on it."""
    light(1, 10)
    twin = OutboxEvent.objects.get()
    twin.pk = None

    with (
        pytest.raises(IntegrityError, match="ops_outboxevent_number"),
        transaction.atomic(),
    ):
        twin.save(force_insert=True)


def test_a_rollback_takes_the_number_back():
    with transaction.atomic():
        light(1, 10)
        transaction.set_rollback(True)
    light(1, 11)
    assert OutboxEvent.objects.get().number == 1


def test_delivers_in_order_and_once():
    light(1, 10, 11, 12)
    deliver_all("tests.lamp:1")
    deliver_all("tests.lamp:1")
    assert heard == [10, 11, 12]
    assert set(OutboxEvent.objects.values_list("state", flat=True)) == {EventState.DONE}


def fail_once(key, now):
    with pytest.raises(RuntimeError):
        ops.deliver_next(subject_key=key, now=now)
    ops.acknowledge_failure(subject_key=key, error="no ears", now=now)


def test_a_failing_event_holds_back_its_own_subject_only():
    failing.add(10)
    light(1, 10, 11)
    light(2, 20)

    fail_once("tests.lamp:1", NOON)
    deliver_all("tests.lamp:1")
    deliver_all("tests.lamp:2")

    assert heard == [20]
    row = OutboxEvent.objects.get(subject_key="tests.lamp:1", number=1)
    assert (row.state, row.attempts, row.available_at > NOON) == (
        EventState.PENDING,
        1,
        True,
    )


def test_parks_an_event_in_the_end_and_a_person_sends_it_again():
    failing.add(10)
    light(1, 10, 11)
    now = NOON
    for _ in range(ATTEMPTS_MAX):
        fail_once("tests.lamp:1", now)
        now += timedelta(hours=2)
    row = OutboxEvent.objects.get(number=1)
    assert row.state == EventState.PARKED
    assert ops.deliver_next(subject_key="tests.lamp:1", now=now) is None
    assert ops.claim_subjects(token="t", now=now, lease_s=30) == {}

    failing.clear()
    ops.retry_event(event_id=row.pk, actor=ACTOR, now=now)
    ops.retry_event(event_id=row.pk, actor=ACTOR, now=now)
    deliver_all("tests.lamp:1", now)

    assert heard == [10, 11]
    with pytest.raises(EventNotParked):
        ops.retry_event(event_id=row.pk, actor=ACTOR, now=now)


def test_a_failure_report_for_nothing_is_harmless():
    ops.acknowledge_failure(subject_key="tests.lamp:9", error="x", now=NOON)
    assert OutboxEvent.objects.exists() is False


def test_leases_a_subject_to_one_courier_until_it_lapses():
    light(1, 10)

    def claim(token, at):
        return list(ops.claim_subjects(token=token, now=at, lease_s=30))

    assert claim("a", NOON) == ["tests.lamp:1"]
    assert claim("b", NOON + timedelta(seconds=29)) == []
    assert claim("b", NOON + timedelta(seconds=31)) == ["tests.lamp:1"]
    ops.release_subject(subject_key="tests.lamp:1", token="a")
    assert claim("c", NOON + timedelta(seconds=32)) == []
    ops.release_subject(subject_key="tests.lamp:1", token="b")
    assert claim("c", NOON + timedelta(seconds=33)) == ["tests.lamp:1"]


def test_several_facts_of_one_operation():
    facts = [LampLit(occurred_at=NOON, lamp_id=1, step=step) for step in range(3)]
    assert ops.emit_many(facts, actor=ACTOR) == 3
    assert OutboxEvent.objects.count() == 3


def test_an_event_nobody_knows_any_more_waits_for_the_code_that_does():
    light(1, 10)
    OutboxEvent.objects.update(name="tests.lamp.gone.v1")
    with pytest.raises(KeyError):
        ops.deliver_next(subject_key="tests.lamp:1", now=NOON)


def test_what_other_programs_got_is_marked_once():
    light(1, 10, 11)
    first, second = OutboxEvent.objects.order_by("pk").values_list("pk", flat=True)
    assert ops.mark_published(event_ids=[first], now=NOON) == 1
    assert ops.mark_published(event_ids=[first, second], now=NOON) == 1
    assert ops.mark_published(event_ids=[first, second], now=NOON) == 0
