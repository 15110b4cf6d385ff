"""Recording a payment pays bills in order, moves the books, and can be undone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.billing import errors
from apps.billing import operations as billing
from apps.billing.models import (
    LedgerEntry,
    LedgerTransaction,
    Payment,
    PaymentAllocation,
)
from apps.billing.operations.payments import PAYMENT_MINOR_MAX
from apps.ops.models import AuditEntry, OutboxEvent
from dotmac.core.money import Money
from tests.billing.owing import (
    TODAY,
    balance_of,
    bill,
    broken_invariants,
    pay,
    state_of,
)
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def chidi(world):
    return world.chidi.customer


@pytest.fixture
def old(chidi):
    return bill(chidi, 10_000, due=TODAY - timedelta(days=30))


@pytest.fixture
def new(chidi):
    return bill(chidi, 10_000, due=TODAY + timedelta(days=7))


def entries(payment, kind="payment"):
    rows = LedgerEntry.objects.filter(
        transaction__source_kind=kind, transaction__source_id=payment.pk
    )
    return sorted(rows.values_list("account_id", "amount_minor"))


def test_pays_the_oldest_invoice_first(chidi, new, old):
    payment = pay(chidi, 12_000)

    assert (payment.state, payment.allocated_minor) == ("succeeded", 12_000)
    assert state_of(old) == ("paid", 0)
    assert state_of(new) == ("open", 8_000)
    assert balance_of(chidi) == 8_000
    assert entries(payment) == [(1010, 12_000), (1100, -12_000)]
    assert broken_invariants() == {}


def test_pays_the_named_invoice_first(chidi, old, new):
    payment = pay(chidi, 12_000, invoice_id=new.pk)

    assert state_of(new) == ("paid", 0)
    assert state_of(old) == ("open", 8_000)
    assert payment.invoice_id == new.pk


def test_keeps_what_is_left_as_credit(chidi, old):
    payment = pay(chidi, 15_000)

    assert payment.credit == Money(5_000, "NGN")
    assert balance_of(chidi) == -5_000
    assert state_of(old) == ("paid", 0)


def test_takes_a_payment_on_a_paid_invoice_for_the_others(chidi, old, new):
    pay(chidi, 10_000, invoice_id=old.pk)

    pay(chidi, 4_000, invoice_id=old.pk)

    assert state_of(new) == ("open", 6_000)


def test_tells_once_who_did_what(chidi, old):
    payment = pay(chidi, 10_000)

    event = OutboxEvent.objects.get(name="billing.payment.settled.v1")
    assert event.data["payment_id"] == payment.pk
    assert event.customer_id == chidi.pk
    assert AuditEntry.objects.filter(action="billing.payment.settled.v1").count() == 1


@pytest.mark.parametrize(
    ("method", "account"),
    [("cash", 1010), ("bank_transfer", 1020), ("pos", 1020), ("cheque", 1020)],
)
def test_posts_where_the_money_is(chidi, method, account):
    assert (account, 500) in entries(pay(chidi, 500, method=method))


@pytest.mark.parametrize(
    ("_case", "facts", "error", "field"),
    [
        ("negative", {"minor": -1}, errors.AmountNotPositive, "amount.amount"),
        ("nothing", {"minor": 0}, errors.AmountNotPositive, "amount.amount"),
        (
            "too much",
            {"minor": PAYMENT_MINOR_MAX + 1},
            errors.AmountTooLarge,
            "amount.amount",
        ),
        ("dollars", {"currency": "USD"}, errors.OtherCurrency, "amount.currency"),
        ("a gateway", {"method": "paystack"}, errors.UnknownMethod, "method"),
        ("no method", {"method": "shells"}, errors.UnknownMethod, "method"),
        ("no invoice", {"invoice_id": 987_654}, errors.UnknownInvoice, "invoice"),
        (
            "tomorrow",
            {"received_date": TODAY + timedelta(days=1)},
            errors.ReceivedAhead,
            "received_date",
        ),
    ],
)
def test_refuses_and_changes_nothing(chidi, old, _case, facts, error, field):
    minor = facts.pop("minor", 100)

    with pytest.raises(error) as refusal:
        pay(chidi, minor, **facts)

    assert refusal.value.field == field
    assert not Payment.objects.exists()
    assert not OutboxEvent.objects.filter(name__startswith="billing.").exists()
    assert balance_of(chidi) == 10_000


def test_refuses_the_invoice_of_another_customer(world, chidi):
    foreign = bill(world.esi.customer, 500)

    with pytest.raises(errors.UnknownInvoice):
        pay(chidi, 500, invoice_id=foreign.pk)

    assert state_of(foreign) == ("open", 500)


def test_refuses_an_unknown_customer(chidi):
    with pytest.raises(errors.UnknownCustomer):
        billing.record_payment(
            customer_id=987_654,
            amount=Money(1, "NGN"),
            method="cash",
            actor=SYSTEM,
            now=NOON,
        )


def test_lets_a_closed_customer_pay_an_old_debt(world, chidi, old):
    from apps.identity import operations as identity

    identity.activate_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)
    identity.close_customer(customer_id=chidi.pk, actor=SYSTEM, now=NOON)

    pay(chidi, 10_000)

    assert state_of(old) == ("paid", 0)


def test_dates_an_earlier_payment_and_trims_its_note(chidi):
    day = TODAY - timedelta(days=3)

    payment = pay(chidi, 100, received_date=day, note="  counter 2 ")

    assert (payment.received_date, payment.note) == (day, "counter 2")
    posted = LedgerTransaction.objects.get(source_kind="payment")
    assert posted.occurred_date == day


# Reversal ----------------------------------------------------------------------


def reverse(payment, reason="bounced"):
    return billing.reverse_payment(
        payment_id=payment.pk, reason=reason, actor=SYSTEM, now=NOON
    )


def test_undoes_a_payment(chidi, old, new):
    payment = pay(chidi, 12_000)

    reversed_ = reverse(payment)

    assert (reversed_.state, reversed_.reversal_reason) == ("failed", "bounced")
    assert reversed_.allocated_minor == 0
    assert state_of(old) == ("open", 10_000)
    assert state_of(new) == ("open", 10_000)
    assert balance_of(chidi) == 20_000
    assert entries(payment, "payment_reversal") == [(1010, -12_000), (1100, 12_000)]
    assert broken_invariants() == {}
    assert OutboxEvent.objects.filter(name="billing.payment.reversed.v1").count() == 1


def test_undoes_once(chidi, old):
    payment = pay(chidi, 10_000)
    first = reverse(payment)

    again = reverse(payment, reason="again")

    assert again.reversal_reason == first.reversal_reason
    assert LedgerTransaction.objects.filter(source_kind="payment_reversal").count() == 1
    assert balance_of(chidi) == 10_000


def test_lets_other_credit_pay_what_opened_again(chidi, old):
    mistaken = pay(chidi, 10_000)
    good = pay(chidi, 10_000)

    reverse(mistaken)

    good.refresh_from_db()
    assert good.allocated_minor == 10_000
    assert state_of(old) == ("paid", 0)


def test_needs_a_reason_and_a_payment(chidi):
    payment = pay(chidi, 100)

    with pytest.raises(errors.ReasonNeeded):
        reverse(payment, reason="  ")
    with pytest.raises(errors.UnknownPayment):
        billing.reverse_payment(payment_id=987_654, reason="x", actor=SYSTEM, now=NOON)


# Credit that waits ---------------------------------------------------------------


def allocate_credit(*customers):
    return billing.allocate_credit(
        customer_ids=[c.pk for c in customers], actor=SYSTEM, now=NOON
    )


def test_lets_credit_pay_a_bill_that_comes_later(chidi):
    first, second = pay(chidi, 6_000), pay(chidi, 6_000)
    invoice = bill(chidi, 10_000)

    count = allocate_credit(chidi)

    assert count == 2
    assert state_of(invoice) == ("paid", 0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.credit_minor, second.credit_minor) == (0, 2_000)
    told = OutboxEvent.objects.get(name="billing.credit.allocated.v1")
    assert told.data["amount_minor"] == 10_000


def test_allocates_nothing_twice(chidi, world):
    pay(chidi, 5_000)
    bill(chidi, 3_000)
    allocate_credit(chidi)

    assert allocate_credit(chidi) == 0
    assert allocate_credit(world.esi.customer) == 0
    assert PaymentAllocation.objects.count() == 1


def test_releases_the_latest_payment_first_and_keeps_the_rest_paid(chidi, old):
    first, second = pay(chidi, 6_000), pay(chidi, 4_000)

    released = billing.release_allocations(
        invoice_id=old.pk, amount_minor=5_000, now=NOON
    )

    assert released == 5_000
    assert state_of(old) == ("open", 5_000)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.allocated_minor, second.allocated_minor) == (5_000, 0)
    assert broken_invariants() == {}


def test_releases_no_more_than_was_paid(chidi, old):
    pay(chidi, 4_000)

    released = billing.release_allocations(
        invoice_id=old.pk, amount_minor=9_000, now=NOON
    )

    assert released == 4_000
    assert state_of(old) == ("open", 10_000)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    money=st.lists(st.integers(1, 9_000), min_size=1, max_size=5),
    owed=st.lists(st.integers(1, 9_000), min_size=1, max_size=5),
)
def test_set_based_allocation_equals_the_rule(chidi, money, owed):
    """The SQL for everybody and the pure rule for one give the same pieces."""
    from apps.billing.rules.allocation import Debt, allocate

    with transaction.atomic():
        payments = [pay(chidi, minor) for minor in money]
        bills = [
            bill(chidi, minor, due=TODAY + timedelta(days=n))
            for n, minor in enumerate(owed)
        ]
        allocate_credit(chidi)
        got = set(
            PaymentAllocation.objects.values_list(
                "payment_id", "invoice_id", "amount_minor"
            )
        )
        expected, left = set(), {row.pk: row.total_minor for row in bills}
        for payment in payments:
            debts = [
                Debt(invoice_id=row.pk, due_date=row.due_date, open_minor=left[row.pk])
                for row in bills
                if left[row.pk]
            ]
            for part in allocate(amount_minor=payment.amount_minor, debts=debts):
                expected.add((payment.pk, part.invoice_id, part.amount_minor))
                left[part.invoice_id] -= part.amount_minor
        assert got == expected
        assert broken_invariants() == {}
        transaction.set_rollback(True)
