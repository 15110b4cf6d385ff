import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction

from apps.ops import operations as ops
from apps.ops.errors import IdempotencyInFlight
from apps.ops.models import AuditEntry, IdempotencyKey
from dotmac.core.actors import system_actor
from dotmac.core.refs import SubjectRef

pytestmark = pytest.mark.integration
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def claim():
    return ops.claim_idempotency_key(principal="staff:1", key="k", request_hash="h")


@pytest.fixture
def key_in_flight(own_database):
    """Another connection holds the claim and has not answered yet."""
    claimed, answered = threading.Event(), threading.Event()

    def first():
        try:
            with transaction.atomic():
                claim()
                claimed.set()
                answered.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=first)
    holder.start()
    assert claimed.wait(20)
    yield
    answered.set()
    holder.join()


@pytest.mark.usefixtures("key_in_flight")
def test_a_key_in_flight_is_refused_after_two_seconds():
    with pytest.raises(IdempotencyInFlight), transaction.atomic():
        claim()


@pytest.mark.usefixtures("key_in_flight")
def test_another_trouble_of_the_database_stays_what_it_is():
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '300ms'")
    try:
        with pytest.raises(OperationalError, match="statement timeout"):
            claim_alone()
    finally:
        connection.close()


@transaction.atomic
def claim_alone():
    claim()


@pytest.mark.django_db
def test_keys_are_forgotten_after_a_week():
    with transaction.atomic():
        claim()
    row = IdempotencyKey.objects.get()
    assert ops.forget_idempotency_keys(now=row.created_at + timedelta(days=6)) == 0
    assert ops.forget_idempotency_keys(now=row.created_at + timedelta(days=8)) == 1


@pytest.mark.django_db
def test_changes_are_kept_as_plain_values_however_deep():
    entry = ops.record(
        action="test.deep",
        subject=SubjectRef("ops", "thing", 1),
        actor=system_actor("test"),
        now=NOON,
        changes={"inner": {"at": NOON, "parts": (1, None)}},
    )
    kept = AuditEntry.objects.get(pk=entry.pk).changes
    assert kept == {"inner": {"at": str(NOON), "parts": [1, None]}}
