"""Dunning reminds, cuts off and reconnects by what the ledger says, once each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from apps.billing import operations as billing
from apps.billing import selectors
from apps.billing.models import (
    DunningAction,
    DunningPolicy,
    NoCutOffDay,
)
from apps.billing.rules.dunning import Pause, judge
from apps.network import operations as network
from apps.ops.models import Message
from tests.billing.dunned import (
    WALL_DAY,
    counts,
    events,
    holds,
    mails,
    on,
    run,
    shown,
    subscribe,
)
from tests.billing.owing import TODAY, bill, broken_invariants, pay, state_of
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


def test_does_nothing_before_and_on_the_due_date(dayo):
    bill(dayo.customer)

    assert counts(run(0)) == (0, 0, 0)
    assert not DunningAction.objects.exists()


def test_reminds_by_mail_then_cuts_off(dayo):
    invoice = bill(dayo.customer, 44_90)

    assert counts(run(1)) == (1, 0, 0)
    mail = Message.objects.get()
    assert str(invoice) in mail.subject_line
    assert "44.90 NGN" in mail.body
    assert "/portal/bills" in mail.body
    assert shown(dayo) == "active"

    assert counts(run(7)) == (1, 0, 0)
    assert counts(run(WALL_DAY)) == (0, 1, 0)
    assert holds(dayo) == [("non_payment", "walled_garden")]
    assert shown(dayo) == "walled_garden"
    assert mails() == ["billing.reminder", "billing.reminder", "billing.cut_off"]
    assert (events("reminded"), events("cut_off")) == (2, 1)


def test_takes_each_step_once_however_often_it_runs(dayo):
    bill(dayo.customer)

    for day in (1, 1, 2, WALL_DAY, WALL_DAY, WALL_DAY + 1):
        run(day)

    assert DunningAction.objects.count() == 3
    assert mails() == ["billing.reminder", "billing.reminder", "billing.cut_off"]
    assert counts(run(40)) == (0, 0, 0)


def test_sends_only_the_latest_reminder_after_weeks_without_a_run(dayo):
    bill(dayo.customer)

    assert counts(run(40)) == (1, 1, 0)
    outcomes = DunningAction.objects.order_by("step__number")
    assert list(outcomes.values_list("outcome", flat=True)) == [
        "skipped",
        "taken",
        "taken",
    ]


def test_writes_no_mail_to_a_customer_without_address(dayo):
    from apps.identity.models import Customer

    Customer.objects.filter(pk=dayo.customer.pk).update(email="")
    bill(dayo.customer)

    assert counts(run(1)) == (1, 0, 0)
    assert mails() == []


def test_reconnects_at_once_when_all_that_is_overdue_is_paid(dayo):
    overdue = bill(dayo.customer, 10_000)
    later = bill(dayo.customer, 10_000, due=TODAY + timedelta(days=30))
    run(WALL_DAY)

    pay(dayo.customer, 10_000, now=on(WALL_DAY))

    assert state_of(overdue) == ("paid", 0)
    assert state_of(later) == ("open", 10_000)
    assert holds(dayo) == []
    assert shown(dayo) == "active"
    assert events("reconnected") == 1
    assert mails()[-1] == "billing.reconnected"
    assert selectors.why_suspended(dayo.customer.pk) is None


def test_does_not_reconnect_for_a_part(dayo):
    bill(dayo.customer, 10_000)
    bill(dayo.customer, 10_000, due=TODAY + timedelta(days=10))
    run(WALL_DAY)

    pay(dayo.customer, 10_000, now=on(WALL_DAY))

    assert shown(dayo) == "walled_garden"
    assert counts(run(WALL_DAY + 1)) == (0, 0, 0)
    pay(dayo.customer, 10_000, now=on(WALL_DAY + 1))
    assert shown(dayo) == "active"


def test_never_lifts_a_hold_for_another_reason(dayo):
    bill(dayo.customer, 10_000)
    run(WALL_DAY)
    network.place_hold(
        account_id=dayo.service.access_id,
        reason="abuse",
        effect="reject",
        note="spam",
        actor=SYSTEM,
        now=NOON,
    )

    pay(dayo.customer, 10_000, now=on(WALL_DAY))

    assert holds(dayo) == [("abuse", "reject")]


def test_lifts_a_hold_that_staff_placed_when_a_payment_settles_the_debt(dayo):
    from apps.catalog import operations as catalog_operations

    bill(dayo.customer, 10_000)
    catalog_operations.suspend_service(
        service_id=dayo.service.pk,
        reason="non_payment",
        effect="reject",
        note="by hand",
        actor=SYSTEM,
        now=NOON,
    )

    pay(dayo.customer, 4_000, now=on(2))
    assert holds(dayo) == [("non_payment", "reject")]
    pay(dayo.customer, 6_000, now=on(2))
    assert holds(dayo) == []


def test_cuts_off_again_when_the_payment_is_undone(dayo):
    bill(dayo.customer, 10_000)
    run(WALL_DAY)
    payment = pay(dayo.customer, 10_000, now=on(WALL_DAY))
    assert shown(dayo) == "active"

    billing.reverse_payment(
        payment_id=payment.pk, reason="bounced", actor=SYSTEM, now=on(WALL_DAY)
    )

    assert shown(dayo) == "walled_garden"
    assert set(DunningAction.objects.values_list("round", flat=True)) == {1, 2}


def test_holds_a_service_that_was_ordered_after_the_cut_off(dayo, shop):
    bill(dayo.customer, 10_000)
    run(WALL_DAY)
    second = subscribe(dayo.customer, shop, "dayo-second")
    assert shown(second) == "active"

    assert counts(run(WALL_DAY)) == (0, 0, 0)

    assert shown(second) == "walled_garden"
    assert broken_invariants() == {}


def test_leaves_others_alone(dayo, world, shop):
    esi = subscribe(world.esi.customer, shop, "esi-line")
    bill(dayo.customer)
    paid = bill(world.esi.customer, 500)
    pay(world.esi.customer, 500)

    report = run(WALL_DAY)

    assert (report.looked_at, report.refused) == (1, 0)
    assert shown(esi) == "active"
    assert state_of(paid) == ("paid", 0)


def test_goes_on_when_one_customer_is_out_of_reach(dayo, world, shop):
    """A refusal of an app below concerns one customer and is tried again."""
    esi = subscribe(world.esi.customer, shop, "esi-line")
    for who in (dayo, esi):
        bill(who.customer)
    with transaction.atomic():
        from apps.catalog.models import Service

        # The first is being terminated by somebody else just now: simulated by
        # an access account that is closed under an active service.
        network.close_access(account_id=dayo.service.access_id, actor=SYSTEM, now=NOON)
        assert Service.objects.get(pk=dayo.service.pk).state == "active"

    report = run(WALL_DAY)

    assert (report.cut_off, report.refused) == (1, 1)
    assert shown(esi) == "walled_garden"
    assert not DunningAction.objects.filter(customer=dayo.customer).exists()


def test_does_nothing_without_a_policy(dayo):
    bill(dayo.customer)
    DunningPolicy.objects.update(is_default=False)

    report = run(WALL_DAY)
    billing.review_customer(customer_id=dayo.customer.pk, now=on(WALL_DAY))

    assert counts(report) == (0, 0, 0)
    assert shown(dayo) == "active"


# When nobody is cut off -------------------------------------------------------------


def test_keeps_weekends_holidays_and_hours_free(dayo):
    bill(dayo.customer)
    policy = DunningPolicy.objects.get()
    # TODAY is a Monday, and so is the day of the cut-off.
    NoCutOffDay.objects.create(policy=policy, day=TODAY + timedelta(days=WALL_DAY))
    policy.cut_off_weekdays = [1, 2, 3, 4, 5]
    policy.cut_off_from_hour, policy.cut_off_to_hour = 8, 16
    policy.save()

    assert run(WALL_DAY).cut_off == 0
    assert run(WALL_DAY + 5).cut_off == 0
    evening = datetime(2026, 12, 8, 15, 30, tzinfo=UTC)  # half past four in Lagos
    assert run(WALL_DAY + 1, now=evening).cut_off == 0
    assert run(WALL_DAY + 1).cut_off == 1


def test_waits_for_a_payment_under_way(dayo, gateway):
    bill(dayo.customer, 10_000)
    now = on(WALL_DAY)
    billing.start_checkout(
        customer_id=dayo.customer.pk,
        amount=bill_amount(10_000),
        key="a" * 32,
        actor=SYSTEM,
        now=now,
    )

    assert run(WALL_DAY, now=now + timedelta(minutes=10)).cut_off == 0
    # An hour later nobody works on it any more.
    assert run(WALL_DAY, now=now + timedelta(hours=1)).cut_off == 1


def bill_amount(minor):
    from dotmac.core.money import Money

    return Money(minor, "NGN")


# Why ----------------------------------------------------------------------------------


def test_says_why_somebody_is_cut_off(dayo):
    invoice = bill(dayo.customer, 10_000)
    run(WALL_DAY)
    pay(dayo.customer, 1_500, now=on(WALL_DAY))

    why = selectors.why_suspended(dayo.customer.pk)

    assert why is not None
    assert (why.invoice_reference, why.step_number) == (invoice.reference, 3)
    assert str(why.overdue) == "85.00 NGN"
    assert (why.due_date, why.since) == (TODAY, on(WALL_DAY))


def test_says_what_comes_next(dayo):
    bill(dayo.customer)
    run(1)
    policy = selectors.dunning_policy()
    assert policy is not None

    (situation,) = selectors.situations(day=TODAY + timedelta(days=1), now=on(1))
    verdict = judge(policy, situation.facts)

    assert situation.facts.step_done == 1
    assert verdict.next_step is not None
    assert (verdict.next_step.number, verdict.next_date, verdict.pause) == (
        2,
        date(2026, 11, 30),
        Pause.NONE,
    )


def test_walks_over_all_customers_in_chunks(dayo, world):
    bill(dayo.customer)
    bill(world.esi.customer)
    day, now = TODAY + timedelta(days=1), on(1)

    first = selectors.situations(day=day, now=now, limit=1)
    rest = selectors.situations(day=day, now=now, after_id=first[0].customer_id)

    ids = sorted([dayo.customer.pk, world.esi.customer.pk])
    assert [row.customer_id for row in first + rest] == ids
