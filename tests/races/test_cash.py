"""Cash under races: real commits on many connections, one effect."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.billing import operations as billing
from apps.billing.models import DunningAction, GatewayEvent, Payment, PaymentAllocation
from apps.ops.models import Message, OutboxEvent
from dotmac.core.errors import DomainError
from dotmac.core.money import Money
from tests.billing.owing import (
    TODAY,
    balance_of,
    bill,
    broken_invariants,
    pay,
    state_of,
)
from tests.world import NOON, SYSTEM, World

pytestmark = [pytest.mark.own_database, pytest.mark.integration]
RACERS = 20


@pytest.fixture
def chidi(own_database):
    return World().chidi.customer


def race(*acts):
    """All at once, each on a connection of its own; returns what came of each."""
    gate = threading.Barrier(len(acts))

    def one(act):
        gate.wait(timeout=30)
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(one, a) for a in acts]]


@pytest.fixture
def paid_at_gateway(chidi, gateway):
    bill(chidi, 500_000)
    payment = billing.start_checkout(
        customer_id=chidi.pk,
        amount=Money(500_000, "NGN"),
        key="d" * 32,
        actor=SYSTEM,
        now=NOON,
    )
    billing.open_checkout(
        payment_id=payment.pk,
        email="chidi@example.com",
        return_url="http://testserver/portal/pay/return",
        now=NOON,
    )
    gateway.book.pay(payment.provider_ref)
    return payment


def test_twenty_settle_one_payment_once(chidi, gateway, paid_at_gateway):
    """Return, webhook and sweep at the same time, twenty of them."""
    reference = paid_at_gateway.provider_ref
    body, signature = gateway.book.notice_of(gateway.book.find(reference))

    def returns():
        return billing.confirm_checkout(reference=reference, now=NOON)

    def hears():
        return billing.accept_webhook(
            provider="paystack", body=body, signature=signature, now=NOON
        )

    def sweeps():
        return billing.verify_pending_payments(now=NOON + timedelta(minutes=5))

    race(*([returns, hears] * (RACERS // 2 - 1) + [sweeps, sweeps]))

    settled = Payment.objects.get()
    assert (settled.state, settled.allocated_minor) == ("succeeded", 500_000)
    told = OutboxEvent.objects.filter(name="billing.payment.settled.v1")
    assert told.count() == 1
    assert GatewayEvent.objects.count() == 1
    assert PaymentAllocation.objects.count() == 1
    assert balance_of(chidi) == 0
    assert broken_invariants() == {}


def test_twenty_payments_share_the_debts_without_paying_any_twice(chidi):
    bills = [bill(chidi, 10_000, due=TODAY + timedelta(days=n)) for n in range(5)]

    race(*[lambda: pay(chidi, 3_000) for _ in range(RACERS)])

    assert [state_of(row) for row in bills] == [("paid", 0)] * 5
    assert balance_of(chidi) == -10_000
    assert broken_invariants() == {}


def test_a_payment_and_a_release_meet_without_losing_money(chidi):
    """What a credit note does to a paid invoice, while more money arrives."""
    invoice = bill(chidi, 10_000)
    pay(chidi, 6_000)

    def release():
        return billing.release_allocations(
            invoice_id=invoice.pk, amount_minor=2_000, now=NOON
        )

    race(release, *[lambda: pay(chidi, 1_000) for _ in range(6)])
    billing.allocate_credit(customer_ids=[chidi.pk], actor=SYSTEM, now=NOON)

    assert state_of(invoice) == ("paid", 0)
    assert balance_of(chidi) == -2_000
    assert broken_invariants() == {}


def test_payments_and_credit_notes_at_once_never_take_more_than_the_bill(chidi):
    """Half of the bill is credited and paid again and again, all at the same time."""
    invoice = bill(chidi, 10_000)

    def credit():
        try:
            return billing.issue_credit_note(
                invoice_id=invoice.pk,
                amount=Money(3_000, "NGN"),
                reason="outage",
                actor=SYSTEM,
                now=NOON,
            )
        except DomainError as refusal:
            return refusal.code

    came = race(*[credit] * 5, *[lambda: pay(chidi, 2_500) for _ in range(5)])
    billing.allocate_credit(customer_ids=[chidi.pk], actor=SYSTEM, now=NOON)

    assert came[:5].count("credit_exceeds_rest") == 2
    invoice.refresh_from_db()
    assert (invoice.state, invoice.credited_minor) == ("paid", 9_000)
    assert invoice.allocated_minor == 1_000
    assert balance_of(chidi) == -11_500
    assert broken_invariants() == {}


def test_a_reversal_is_done_once_by_twenty(chidi):
    invoice = bill(chidi, 10_000)
    payment = pay(chidi, 10_000)

    def undo():
        return billing.reverse_payment(
            payment_id=payment.pk, reason="bounced", actor=SYSTEM, now=NOON
        )

    race(*[undo] * RACERS)

    assert state_of(invoice) == ("open", 10_000)
    assert balance_of(chidi) == 10_000
    told = OutboxEvent.objects.filter(name="billing.payment.reversed.v1")
    assert told.count() == 1


def test_credit_is_allocated_once_by_many(chidi):
    pay(chidi, 9_000)
    invoice = bill(chidi, 10_000)

    def allocate():
        return billing.allocate_credit(customer_ids=[chidi.pk], actor=SYSTEM, now=NOON)

    counts = race(*[allocate] * 8)

    assert sorted(counts) == [0] * 7 + [1]
    assert state_of(invoice) == ("open", 1_000)


def test_dunning_runs_side_by_side_remind_once(chidi):
    bill(chidi, 10_000)

    def run():
        return billing.run_dunning(
            day=TODAY + timedelta(days=1), actor=SYSTEM, now=NOON
        )

    reports = race(*[run] * 6)

    assert sum(report.reminded for report in reports) == 1
    assert DunningAction.objects.count() == 1
    assert Message.objects.filter(purpose="billing.reminder").count() == 1
