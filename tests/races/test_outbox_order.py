"""Transactions that emit on one subject at once: delivered in the order of commit.

PostgreSQL hands notifications out in commit order and knows nothing of the outbox:
what a listener heard is compared with what the handlers were given.
"""

import contextlib
import itertools
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.ops import operations as ops
from apps.ops.models import OutboxEvent
from dotmac.core.actors import system_actor
from tests.races.witness import TABLE, WitnessedEvent

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]
EMITTERS, COURIERS, ROUNDS, LAMPS = 4, 2, 40, 2
ACTOR = system_actor("test")


class Regretted(Exception):
    """The transaction is rolled back after it has emitted."""


def emit(lamp, step):
    event = WitnessedEvent(occurred_at=timezone.now(), lamp_id=lamp, step=step)
    ops.emit(event, actor=ACTOR)


def notify(lamp, step):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('lamps', %s)", [f"{lamp} {step}"])


def emit_share(emitter):
    """Short and long transactions, some taken back; every step is told apart."""
    dice = random.Random(emitter)
    try:
        for number in range(ROUNDS):
            lamp, step = dice.randrange(LAMPS), emitter * 1_000 + number
            with contextlib.suppress(Regretted), transaction.atomic():
                notify(lamp, step)
                time.sleep(dice.random() * 0.01)
                emit(lamp, step)
                time.sleep(dice.random() * 0.01)
                if dice.random() < 0.15:
                    raise Regretted
    finally:
        connection.close()


def deliver(all_emitted):
    """A courier that goes round until nothing can come any more."""
    try:
        while True:
            last_round = all_emitted.is_set()
            found = [
                ops.deliver_next(
                    subject_key=f"tests.witness:{lamp}", now=timezone.now()
                )
                for lamp in range(LAMPS)
            ]
            if last_round and not any(found):
                return
    finally:
        connection.close()


def by_lamp(pairs):
    found: dict[int, list[int]] = {lamp: [] for lamp in range(LAMPS)}
    for lamp, step in pairs:
        found[lamp].append(step)
    return found


def test_many_emitters_on_one_subject_are_delivered_as_they_committed():
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(TABLE)
    all_emitted = threading.Event()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as listener:
        listener.execute("LISTEN lamps")
        with ThreadPoolExecutor(EMITTERS + COURIERS) as pool:
            couriers = [pool.submit(deliver, all_emitted) for _ in range(COURIERS)]
            emitters = [pool.submit(emit_share, n) for n in range(EMITTERS)]
            try:
                for emitter in emitters:
                    emitter.result()
            finally:
                all_emitted.set()
            for courier in couriers:
                courier.result()
        heard = [
            tuple(map(int, notice.payload.split()))
            for notice in listener.notifies(timeout=1)
        ]

    with connection.cursor() as cursor:
        cursor.execute("SELECT lamp, step FROM tests_witness ORDER BY id")
        delivered = cursor.fetchall()
    assert by_lamp(delivered) == by_lamp(heard)
    rows = OutboxEvent.objects.order_by("number").values_list("data", flat=True)
    assert by_lamp((data["lamp_id"], data["step"]) for data in rows) == by_lamp(heard)
    # They did meet: on each subject the emitters' steps are mixed, some are missing.
    assert EMITTERS * ROUNDS * 0.7 < len(heard) < EMITTERS * ROUNDS
    for steps in by_lamp(heard).values():
        turns = sum(a // 1_000 != b // 1_000 for a, b in itertools.pairwise(steps))
        assert turns > len(steps) / 4


def test_nothing_is_delivered_past_a_transaction_that_is_still_open():
    """The second emitter waits for the first, though it began before it."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(TABLE)
    began, may_emit = threading.Event(), threading.Event()

    def emit_second():
        try:
            with transaction.atomic():
                notify(1, 2)
                began.set()
                assert may_emit.wait(20)
                emit(1, 2)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(emit_second)
        assert began.wait(20)
        with transaction.atomic():
            emit(1, 1)
            may_emit.set()
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
            with ThreadPoolExecutor(1) as courier:
                assert courier.submit(deliver_one).result() is None
        second.result(timeout=20)

    assert [deliver_one(), deliver_one(), deliver_one()][2] is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT step FROM tests_witness ORDER BY id")
        assert cursor.fetchall() == [(1,), (2,)]


def deliver_one():
    try:
        return ops.deliver_next(subject_key="tests.witness:1", now=timezone.now())
    finally:
        connection.close()
