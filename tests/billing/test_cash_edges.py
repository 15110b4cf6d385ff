"""The edges of cash: handlers, tasks, commands, history, many customers."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.billing import errors, selectors, tasks
from apps.billing import operations as billing
from apps.billing.events import CreditNoteIssued, PaymentSettled
from apps.billing.models import (
    CheckoutIntent,
    GatewayEvent,
    NoCutOffDay,
    Payment,
    PromiseToPay,
)
from apps.billing.operations import dunning
from apps.billing.selectors import cash_history
from apps.ops import selectors as ops_selectors
from apps.ops.models import Message
from dotmac.core import participants
from dotmac.core.actors import EVERYTHING, Actor, ActorKind
from dotmac.core.db import fetch_dicts
from dotmac.core.events import handlers_of
from dotmac.core.invariants import all_invariants
from dotmac.core.refs import SubjectRef
from tests.billing.dunned import WALL_DAY, on, run, shown, subscribe
from tests.billing.owing import TODAY, bill, pay, state_of
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def chidi(world):
    return world.chidi.customer


def deliver(event):
    for handler in handlers_of(event.name):
        handler(event)


def settled(payment):
    return PaymentSettled(
        occurred_at=NOON,
        payment_id=payment.pk,
        reference=payment.reference,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        of_customer_id=payment.customer_id,
    )


# Handlers -----------------------------------------------------------------------------


def test_sends_the_receipt_and_reviews_when_the_event_is_delivered(chidi):
    payment = pay(chidi, 500)

    deliver(settled(payment))
    deliver(settled(payment))

    assert Message.objects.filter(purpose="billing.receipt").count() == 1


def test_uses_the_credit_that_a_credit_note_frees(chidi):
    """Money freed on one bill pays the other, and reconnects if that was it."""
    first = bill(chidi, 6_000)
    pay(chidi, 6_000)
    second = bill(chidi, 4_000)

    note = billing.issue_credit_note(
        invoice_id=first.pk, full=True, reason="mistake", actor=SYSTEM, now=NOON
    )
    deliver(
        CreditNoteIssued(
            occurred_at=NOON,
            credit_note_id=note.pk,
            invoice_id=first.pk,
            reference=str(note.reference),
            of_customer_id=chidi.pk,
        )
    )
    deliver(
        CreditNoteIssued(
            occurred_at=NOON, credit_note_id=note.pk, invoice_id=1, reference="x"
        )
    )

    assert state_of(first) == ("void", 0)
    assert state_of(second) == ("paid", 0)


def test_reconnects_for_a_credit_note(dayo):
    invoice = bill(dayo.customer, 6_000, due=timezone.localdate() - timedelta(days=20))
    today = ops_selectors.business_date(now=timezone.now())
    billing.run_dunning(day=today, actor=SYSTEM, now=timezone.now())
    assert shown(dayo) == "walled_garden"

    note = billing.issue_credit_note(
        invoice_id=invoice.pk,
        full=True,
        reason="mistake",
        actor=SYSTEM,
        now=timezone.now(),
    )
    deliver(
        CreditNoteIssued(
            occurred_at=timezone.now(),
            credit_note_id=note.pk,
            invoice_id=invoice.pk,
            reference=str(note.reference),
            of_customer_id=dayo.customer.pk,
        )
    )

    assert shown(dayo) == "active"


def test_refuses_money_named_for_a_void_invoice(chidi):
    invoice = bill(chidi, 6_000)
    billing.issue_credit_note(
        invoice_id=invoice.pk, full=True, reason="mistake", actor=SYSTEM, now=NOON
    )

    with pytest.raises(errors.InvoiceNotPayable):
        pay(chidi, 100, invoice_id=invoice.pk)
    assert not Payment.objects.exists()


# Tasks and commands ---------------------------------------------------------------------


def test_tasks_do_what_beat_asks(chidi, gateway):
    bill(chidi, 100, due=timezone.localdate() - timedelta(days=2))

    assert tasks.run_dunning.run() == {"looked_at": 1, "refused": 0}
    assert tasks.verify_pending_payments.run() == 0
    assert Message.objects.filter(purpose="billing.reminder").count() == 1


def command(*arguments) -> str:
    out = StringIO()
    call_command("run_dunning", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_judges_for_the_business_date(chidi):
    today = ops_selectors.business_date(now=timezone.now())
    bill(chidi, 100, due=today - timedelta(days=1))

    assert "1 reminded, 0 cut off" in command()
    assert "0 reminded" in command("--date", str(today - timedelta(days=30)))


def test_the_command_moves_the_business_date_of_a_demonstration_only(
    dayo, settings, world
):
    today = ops_selectors.business_date(now=timezone.now())
    bill(dayo.customer, 10_000, due=today)
    later = today + timedelta(days=WALL_DAY)
    with pytest.raises(CommandError, match="has not come"):
        command("--date", str(later))

    settings.DEMO = True
    assert "1 cut off" in command("--date", str(later))

    assert shown(dayo) == "walled_garden"
    assert ops_selectors.business_date(now=timezone.now()) == later
    # A payment now is judged on that same day, and the hourly run as well.
    pay(dayo.customer, 4_000, now=timezone.now())
    tasks.run_dunning.run()
    assert shown(dayo) == "walled_garden"
    payment = pay(dayo.customer, 6_000, now=timezone.now())
    assert shown(dayo) == "active"
    assert payment.received_date == later


# History ----------------------------------------------------------------------------------


def test_a_customer_with_payments_is_kept_and_has_a_history(dayo):
    customer = dayo.customer
    assert cash_history.reasons_to_keep_payer(customer.pk) == []
    bill(customer, 10_000)
    run(WALL_DAY)
    payment = pay(customer, 10_000, now=on(WALL_DAY))
    billing.reverse_payment(
        payment_id=payment.pk, reason="bounced", actor=SYSTEM, now=on(WALL_DAY)
    )

    told, _more = participants.timeline_of(
        SubjectRef("identity", "customer", customer.pk), limit=20, app="billing"
    )
    titles = [entry.title for entry in told]

    assert {
        "Payment received",
        "Payment undone",
        "Reminder sent",
        "Cut off for non-payment",
        "Reconnected",
    } <= set(titles)
    assert cash_history.reasons_to_keep_payer(customer.pk) == ["There are payments."]
    subject = SubjectRef("identity", "customer", customer.pk)
    assert "There are payments." in participants.objections_to_delete(subject)


def test_a_failed_checkout_is_part_of_the_history(chidi, gateway):
    from tests.billing.test_checkout import confirm, open_page, start

    payment = start(chidi, 100)
    open_page(payment)
    gateway.book.decline(payment.provider_ref)
    confirm(payment)

    subject = SubjectRef("identity", "customer", chidi.pk)
    (entry,), _more = participants.timeline_of(subject, limit=5, app="billing")
    assert (entry.title, payment.reference in entry.detail) == ("Payment failed", True)


def test_rows_say_which_they_are(dayo, gateway):
    from tests.billing.test_checkout import start

    bill(dayo.customer, 100)
    run(WALL_DAY)
    payment = start(dayo.customer, 100)
    policy = NoCutOffDay(day=TODAY, name="Easter")
    event = GatewayEvent(provider="paystack", event_id="charge.success:1")
    promise = PromiseToPay(customer_id=7, promised_date=TODAY)
    action = selectors.dunning_actions_of(dayo.customer.pk, limit=1)[0]
    intent = selectors.intent_of(payment.pk)

    said = [str(row) for row in (policy, event, promise, action.step, intent, payment)]
    assert said[0] == "2026-11-23 Easter"
    assert said[1] == "paystack charge.success:1"
    assert said[2] == "7 by 2026-11-23"
    assert said[3].endswith("walled_garden")
    assert said[4] == f"checkout of payment {payment.pk}"
    assert said[5] == payment.reference
    assert str(action.step.policy) == "standard"


# Reading ------------------------------------------------------------------------------------


def test_payments_are_seen_by_scope(world, chidi):
    payment = pay(chidi, 100)
    nobody = Actor(kind=ActorKind.STAFF, id=None, label="x")
    anybody = Actor(
        kind=ActorKind.STAFF,
        id=None,
        label="x",
        scopes={"billing.view_payment": EVERYTHING},
    )

    def seen(actor):
        return list(selectors.payments_visible_to(actor, "billing.view_payment"))

    assert seen(nobody) == []
    assert seen(anybody) == [payment]
    found = selectors.find_payment(reference=f" {payment.reference.lower()} ")
    assert found == payment
    assert selectors.find_payment() is None
    assert selectors.credit_of(chidi.pk, "NGN").amount_minor == 100


def test_walks_over_chunk_after_chunk(world, chidi, monkeypatch):
    """Two customers, chunks of one: both are judged."""
    monkeypatch.setattr(dunning, "SITUATIONS_MAX", 1)
    read = selectors.situations
    monkeypatch.setattr(
        dunning, "situations", lambda **facts: read(**{**facts, "limit": 1})
    )
    for customer in (chidi, world.esi.customer):
        bill(customer, 100)

    report = run(1)

    assert (report.looked_at, report.reminded) == (2, 2)
    monkeypatch.setattr(dunning, "CHUNKS_MAX", 1)
    assert run(7).reminded == 1


def test_two_sweeps_share_the_work(chidi, gateway, monkeypatch):
    """What another sweep claimed since the rows were read is left to it."""
    from tests.billing.test_checkout import open_page, start

    for key in ("a" * 32, "b" * 32):
        open_page(start(chidi, 100, key=key))
    real = billing.confirm_checkout

    def while_another_sweeps(**facts):
        CheckoutIntent.objects.update(next_check_at=NOON + timedelta(hours=1))
        return real(**facts)

    monkeypatch.setattr(
        "apps.billing.operations.checkout.confirm_checkout", while_another_sweeps
    )
    assert billing.verify_pending_payments(now=NOON + timedelta(minutes=2)) == 1


def test_cut_off_customers_with_many_lines_are_looked_at_in_parts(
    dayo, shop, monkeypatch
):
    from apps.billing.selectors import dunning as reading

    second = subscribe(dayo.customer, shop, "dayo-two")
    monkeypatch.setattr(reading, "VIEWS_MAX", 1)

    found = selectors.customers_with_open_service([dayo.customer.pk])

    assert found == {dayo.customer.pk}
    bill(dayo.customer, 100)
    run(WALL_DAY)
    assert shown(second) == "walled_garden"
    assert selectors.customers_with_open_service([dayo.customer.pk]) == set()
    assert selectors.customers_with_open_service([]) == set()


def test_the_invariants_of_cash_are_registered_and_hold(dayo):
    bill(dayo.customer, 10_000)
    run(WALL_DAY)
    pay(dayo.customer, 12_000, now=on(WALL_DAY))

    broken = {}
    for invariant in all_invariants():
        if rows := fetch_dicts(invariant.sql):
            broken[invariant.name] = rows
    assert broken == {}
    assert "billing.payment_allocated_is_sum" in {i.name for i in all_invariants()}


def test_a_run_takes_the_same_number_of_statements_for_any_number(
    world, chidi, django_assert_num_queries
):
    """Once nothing is due, looking at more debtors costs no more statements."""
    bill(chidi, 100)
    run(1)
    with CaptureQueriesContext(connection) as one:
        run(1)
    for customer in (world.dayo.customer, world.esi.customer):
        bill(customer, 100)
    run(1)

    with django_assert_num_queries(len(one)):
        assert run(1).looked_at == 3
