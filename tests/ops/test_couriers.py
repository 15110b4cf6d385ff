"""Who gets a courier, and who overtakes: many events must not keep one waiting."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.ops import operations as ops
from apps.ops import tasks
from apps.ops.enums import EventState
from apps.ops.models import OutboxEvent
from dotmac.core.actors import system_actor
from dotmac.core.events import Event, on
from dotmac.core.refs import SubjectRef

pytestmark = [pytest.mark.integration]
ACTOR = system_actor("test")
PAST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung(Event):
    bell_id: int

    @property
    def subject(self):
        return SubjectRef("tests", "courier_bell", self.bell_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RungUnheard(Rung):
    name: ClassVar[str] = "tests.courier_bell.unheard.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RungHeard(Rung):
    name: ClassVar[str] = "tests.courier_bell.heard.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RungUrgently(Rung):
    name: ClassVar[str] = "tests.courier_bell.urgent.v1"
    urgent: ClassVar[bool] = True


@on(RungHeard, RungUrgently)
def listen(event: Rung) -> None:
    """Somebody listens; what they do does not matter here."""


def ring(bell, *kinds):
    for kind in kinds:
        ops.emit(kind(occurred_at=timezone.now() - PAST, bell_id=bell), actor=ACTOR)


def claimed(**how):
    found = ops.claim_subjects(token="t", now=timezone.now(), lease_s=30, **how)
    return {
        key.removeprefix("tests.courier_bell:"): urgent for key, urgent in found.items()
    }


def states(bell):
    rows = OutboxEvent.objects.filter(subject_key=f"tests.courier_bell:{bell}")
    return list(rows.order_by("number").values_list("state", flat=True))


@pytest.mark.django_db
def test_what_nobody_listens_to_needs_no_courier():
    ring(1, RungUnheard, RungUnheard)
    ring(2, RungUnheard, RungHeard, RungUnheard)
    while ops.acknowledge_unheard(now=timezone.now()):
        pass

    assert states(1) == [EventState.DONE, EventState.DONE]
    # The third waits for its turn behind the one that somebody listens to.
    assert states(2) == [EventState.DONE, EventState.PENDING, EventState.PENDING]
    assert claimed() == {"2": False}
    assert OutboxEvent.objects.filter(state="done", acknowledged_at=None).count() == 0


@pytest.mark.django_db
def test_what_lies_behind_a_parked_event_stays():
    ring(1, RungHeard, RungUnheard)
    OutboxEvent.objects.filter(number=1).update(state=EventState.PARKED)

    assert ops.acknowledge_unheard(now=timezone.now()) == 0
    assert states(1) == [EventState.PARKED, EventState.PENDING]


@pytest.mark.django_db
def test_what_is_not_due_stays():
    ring(1, RungUnheard)
    assert ops.acknowledge_unheard(now=timezone.now() - 2 * PAST) == 0


@pytest.mark.django_db
def test_somebody_who_waits_overtakes():
    for bell in range(1, 5):
        ring(bell, RungHeard)
    ring(9, RungUrgently)

    assert claimed(limit=2) == {"9": True, "1": False}
    assert claimed(urgent_only=True) == {}
    assert claimed() == {"2": False, "3": False, "4": False}


@pytest.fixture
def broker(own_database):
    queues = (settings.URGENT_QUEUE, settings.CELERY_TASK_DEFAULT_QUEUE)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(*queues)
        yield client
        client.delete(*queues)


def test_a_full_broker_gets_urgent_couriers_only(broker, monkeypatch):
    monkeypatch.setattr(tasks, "COURIERS_WAITING_MAX", 3)
    with transaction.atomic():
        for bell in range(1, 6):
            ring(bell, RungHeard)
    assert tasks.dispatch_due() == 3
    assert tasks.couriers_waiting() == broker.llen("dotmac") == 3
    assert tasks.dispatch_due() == 0

    with transaction.atomic():
        ring(9, RungUrgently)
    assert tasks.dispatch_due() == 1
    assert broker.llen(settings.URGENT_QUEUE) == 1

    broker.delete("dotmac")
    assert tasks.dispatch_due() == 2


@pytest.mark.django_db
def test_times_of_acknowledgement_follow_the_order_whatever_clock_a_courier_brings():
    """A courier that read its clock and then waited must not seem to be first."""
    ring(9, RungHeard, RungHeard, RungUnheard)
    key, late = "tests.courier_bell:9", timezone.now() + 5 * PAST
    assert ops.deliver_next(subject_key=key, now=late) is not None
    assert ops.deliver_next(subject_key=key, now=timezone.now()) is not None
    assert ops.acknowledge_unheard(now=timezone.now()) == 1

    rows = OutboxEvent.objects.filter(subject_key=key).order_by("number")
    times = [*filter(None, rows.values_list("acknowledged_at", flat=True)), late]
    assert len(times) == len(set(times)) == 4
    assert times == sorted(times)
