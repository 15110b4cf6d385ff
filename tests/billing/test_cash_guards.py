"""The database holds what cash must never break, whoever writes to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.billing.models import (
    DunningAction,
    Invoice,
    Payment,
    PaymentAllocation,
)
from tests.billing.dunned import WALL_DAY, run
from tests.billing.owing import TODAY, bill, pay, state_of
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.integration, pytest.mark.security]


@pytest.fixture
def chidi(world):
    return world.chidi.customer


@pytest.fixture
def old(chidi):
    return bill(chidi, 10_000, due=TODAY - timedelta(days=30))


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 1},
        {"currency": "USD"},
        {"reference": "PAY-X"},
        {"method": "pos"},
        {"allocated_minor": 1},
        {"state": "pending"},
        {"fee_minor": 999_999},
    ],
)
def test_the_database_keeps_a_payment_as_it_was(chidi, old, changes):
    payment = pay(chidi, 5_000)

    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**changes)


def test_the_database_refuses_allocations_beyond_payment_or_invoice(chidi, world, old):
    payment = pay(chidi, 4_000)
    rich = pay(chidi, 50_000)
    foreign = bill(world.esi.customer, 9_000)
    target = bill(chidi, 3_000)

    for row in (
        PaymentAllocation(payment=payment, invoice=target, amount_minor=1),
        PaymentAllocation(payment=rich, invoice=target, amount_minor=3_001),
        PaymentAllocation(payment=rich, invoice=foreign, amount_minor=10),
        PaymentAllocation(payment=rich, invoice=target, amount_minor=0),
        PaymentAllocation(payment=rich, invoice=target, amount_minor=-5),
        PaymentAllocation(
            payment=rich, invoice=target, amount_minor=5, released_at=NOON
        ),
    ):
        row.allocated_at = NOON
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


def test_the_database_moves_allocated_sums_by_allocations_only(chidi, old):
    payment = pay(chidi, 4_000)
    row = PaymentAllocation.objects.get(payment=payment)

    attacks = [
        lambda: Invoice.objects.filter(pk=old.pk).update(allocated_minor=0),
        lambda: PaymentAllocation.objects.filter(pk=row.pk).update(amount_minor=1),
        lambda: PaymentAllocation.objects.filter(pk=row.pk).delete(),
        lambda: Payment.objects.filter(pk=payment.pk).delete(),
    ]
    for attack in attacks:
        with pytest.raises(DatabaseError), transaction.atomic():
            attack()
    assert state_of(old) == ("open", 6_000)


def test_the_database_releases_an_allocation_once(chidi, old):
    payment = pay(chidi, 4_000)
    rows = PaymentAllocation.objects.filter(payment=payment)
    rows.update(released_at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(released_at=NOON + timedelta(days=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(released_at=None)


def test_the_database_keeps_what_dunning_did(dayo):
    bill(dayo.customer)
    run(WALL_DAY)
    action = DunningAction.objects.get(cuts_off=True)

    for changes in ({"day": TODAY}, {"overdue_minor": 1}, {"cuts_off": False}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DunningAction.objects.filter(pk=action.pk).update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        DunningAction.objects.filter(pk=action.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        DunningAction.objects.create(
            customer=action.customer,
            invoice=action.invoice,
            step=action.step,
            round=9,
            outcome="taken",
            cuts_off=True,
            day=TODAY,
            due_date=TODAY,
            overdue_minor=1,
            currency="NGN",
            taken_at=NOON,
        )
