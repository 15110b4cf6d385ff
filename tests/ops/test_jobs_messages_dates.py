from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from apps.ops import operations as ops
from apps.ops import selectors
from apps.ops.enums import JobState, MessageState
from apps.ops.errors import (
    BusinessDateBackwards,
    BusinessDateFixed,
    JobEnded,
    MessageNotFailed,
)
from apps.ops.models import AuditEntry, Message
from apps.ops.operations.messages import ATTEMPTS_MAX
from dotmac.core.actors import Actor, ActorKind, Scope, system_actor
from dotmac.core.refs import SubjectRef

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACTOR = system_actor("test")


def job(**facts):
    return ops.start_job(
        kind="tests.job",
        subject=SubjectRef("tests", "thing", 1),
        actor=ACTOR,
        now=NOON,
        **facts,
    )


def test_a_job_reports_progress_and_never_goes_back():
    row = job(total=10)
    assert (row.state, row.percent) == (JobState.QUEUED, 0)
    ops.advance_job(job_id=row.pk, done=5, message="half", now=NOON)
    row = ops.advance_job(job_id=row.pk, done=4, total=8, now=NOON)
    assert (row.state, row.done, row.total, row.percent) == (
        JobState.RUNNING,
        5,
        10,
        50,
    )
    row = ops.finish_job(
        job_id=row.pk, state=JobState.SUCCEEDED, result={"n": 1}, now=NOON
    )
    assert (row.percent, row.is_over) == (100, True)
    again = ops.finish_job(
        job_id=row.pk, state=JobState.SUCCEEDED, now=NOON + timedelta(1)
    )
    assert again.finished_at == NOON


def test_an_ended_job_stays_ended():
    row = job()
    ops.finish_job(job_id=row.pk, state=JobState.FAILED, error="x", now=NOON)
    for act in (
        lambda: ops.advance_job(job_id=row.pk, done=1, now=NOON),
        lambda: ops.finish_job(job_id=row.pk, state=JobState.SUCCEEDED, now=NOON),
        lambda: ops.cancel_job(job_id=row.pk, actor=ACTOR, now=NOON),
    ):
        with pytest.raises(JobEnded):
            act()


def test_cancelling_stops_a_queued_job_and_asks_a_running_one():
    queued, running = job(), job()
    ops.advance_job(job_id=running.pk, done=1, now=NOON)
    stopped = ops.cancel_job(job_id=queued.pk, actor=ACTOR, now=NOON)
    assert stopped.state == JobState.CANCELLED
    for _ in range(2):
        asked = ops.cancel_job(job_id=running.pk, actor=ACTOR, now=NOON)
        assert (asked.state, asked.cancel_requested_at) == (JobState.RUNNING, NOON)

    told = AuditEntry.objects.filter(action="ops.job.cancelled").order_by("pk")
    assert list(told.values_list("subject_id", "changes")) == [
        (queued.pk, {"state": ["queued", "cancelled"]}),
        (running.pk, {"state": ["running", "running"]}),
    ]


def test_rows_are_seen_within_units_and_customers_only():
    mine, unit, other = job(customer_id=7), job(unit_id=3), job(customer_id=8)

    def seen(**scope):
        actor = Actor(
            kind=ActorKind.STAFF,
            id=1,
            label="x",
            scopes={"ops.view_job": Scope(**scope)} if scope else {},
        )
        return set(selectors.jobs(actor).values_list("pk", flat=True))

    assert seen(customer_ids=frozenset({7})) == {mine.pk}
    assert seen(unit_ids=frozenset({3})) == {unit.pk}
    assert seen(everything=True) == {mine.pk, unit.pk, other.pk}
    assert seen() == set()


def message(key="k"):
    return ops.send_message(
        to="a@b.example",
        subject="Hello\nBcc: x",
        body="text",
        purpose="test",
        unique_key=key,
        now=NOON,
    )


def test_one_key_is_one_message_on_one_line():
    assert message().pk == message().pk
    assert message().subject_line == "Hello Bcc: x"


def test_a_claimed_message_is_not_claimed_twice_until_its_claim_lapses():
    message()
    assert len(ops.claim_messages(now=NOON)) == 1
    assert ops.claim_messages(now=NOON) == []
    assert len(ops.claim_messages(now=NOON + timedelta(minutes=3))) == 1


def test_a_message_is_tried_again_and_fails_in_the_end():
    row, now = message(), NOON
    for _ in range(ATTEMPTS_MAX):
        assert len(ops.claim_messages(now=now)) == 1
        row = ops.settle_message(message_id=row.pk, error="refused", now=now)
        now += timedelta(days=1)
    assert (row.state, row.error) == (MessageState.FAILED, "refused")
    assert ops.settle_message(message_id=row.pk, now=now).state == MessageState.FAILED

    for _ in range(2):
        row = ops.resend_message(message_id=row.pk, actor=ACTOR, now=now)
        assert row.state == MessageState.QUEUED
    assert AuditEntry.objects.filter(action="ops.message.resent").count() == 1
    ops.claim_messages(now=now)
    assert ops.settle_message(message_id=row.pk, now=now).state == MessageState.SENT
    with pytest.raises(MessageNotFailed):
        ops.resend_message(message_id=row.pk, actor=ACTOR, now=now)
    assert Message.objects.get().sent_at == now


def test_the_business_date_moves_forward_in_demonstrations_only(settings):
    settings.DEMO = False
    with pytest.raises(BusinessDateFixed):
        ops.set_business_date(day=date(2027, 1, 1), actor=ACTOR, now=NOON)
    settings.DEMO = True
    assert selectors.business_date(now=NOON) == date(2026, 11, 23)
    for _ in range(2):
        ops.set_business_date(day=date(2026, 12, 20), actor=ACTOR, now=NOON)
    assert selectors.business_date(now=NOON) == date(2026, 12, 20)
    with pytest.raises(BusinessDateBackwards):
        ops.set_business_date(day=date(2026, 12, 19), actor=ACTOR, now=NOON)
    assert selectors.business_date(now=NOON + timedelta(days=60)) == date(2027, 1, 22)
    settings.DEMO = False
    assert selectors.business_date(now=NOON) == date(2026, 11, 23)


def test_the_command_says_why_it_refuses(settings, capsys):
    settings.DEMO = True
    call_command("set_business_date", "2099-01-01")
    assert "2099-01-01" in capsys.readouterr().out
    with pytest.raises(CommandError, match="already"):
        call_command("set_business_date", "2098-01-01")
