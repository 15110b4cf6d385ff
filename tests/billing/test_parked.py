"""Money that fits no payment waits for people, who take it or lay it aside."""

from __future__ import annotations

import re

import pytest

from apps.billing import errors, selectors
from apps.billing import operations as billing
from apps.billing.models import CheckoutIntent, Invoice, Payment
from tests.billing.owing import balance_of, bill, broken_invariants, state_of
from tests.billing.test_checkout import confirm, open_page, start, webhook
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def chidi(world):
    return world.chidi.customer


@pytest.fixture
def parked(chidi, gateway):
    bill(chidi, 10_000)
    gateway.behaviour.charge_instead_minor = 7_000
    payment = start(chidi, 10_000)
    open_page(payment)
    gateway.pay(payment.provider_ref)
    return confirm(payment)


def take(payment):
    return billing.take_parked(payment_id=payment.pk, actor=SYSTEM, now=NOON)


def dismiss(payment, reason="refunded"):
    return billing.dismiss_parked(
        payment_id=payment.pk, reason=reason, actor=SYSTEM, now=NOON
    )


def test_takes_what_was_charged_once(chidi, parked, gateway):
    taken = take(parked)
    again = take(parked)

    assert again.pk == taken.pk
    assert (taken.state, taken.amount_minor) == ("succeeded", 7_000)
    parked.refresh_from_db()
    assert (parked.state, parked.amount_minor) == ("failed", 10_000)
    assert balance_of(chidi) == 3_000
    assert not selectors.parked_payments().exists()
    assert webhook(gateway, parked).outcome == "parked"
    assert Payment.objects.count() == 2
    assert broken_invariants() == {}


def test_lays_money_aside_that_was_given_back(chidi, parked):
    with pytest.raises(errors.ReasonNeeded):
        dismiss(parked, reason=" ")

    dismiss(parked)
    dismiss(parked, reason="again")

    parked.refresh_from_db()
    assert (parked.state, parked.note) == ("failed", "refunded")
    assert balance_of(chidi) == 10_000
    with pytest.raises(errors.PaymentNotParked):
        take(parked)


def test_refuses_what_is_not_parked_or_in_another_currency(chidi, gateway):
    payment = start(chidi, 500, key="b" * 32)
    for decide in (take, dismiss):
        with pytest.raises(errors.PaymentNotParked):
            decide(payment)

    gateway.behaviour.charge_instead_currency = "GHS"
    open_page(payment)
    gateway.pay(payment.provider_ref)
    confirm(payment)
    with pytest.raises(errors.OtherCurrency):
        take(payment)
    assert Payment.objects.get().state == "pending"


def test_staff_decide_on_the_console(world, chidi, parked):
    bisi = world.console(world.bisi)
    page = f"/console/payments/{parked.pk}"
    shown = bisi.get(page).content.decode()
    found = re.search(r'"(/console/payments/[^"]*/take[^"]*)"', shown)
    assert found is not None
    assert "/dismiss" in shown

    answer = bisi.post(found[1])

    taken = Payment.objects.order_by("pk").last()
    assert taken is not None
    assert answer["Location"] == f"/console/payments/{taken.pk}"
    assert "/take" not in bisi.get(page).content.decode()
    assert bisi.get(answer["Location"]).status_code == 200


def test_staff_lay_aside_on_the_console(world, parked):
    bisi = world.console(world.bisi)
    shown = bisi.get(f"/console/payments/{parked.pk}").content.decode()
    found = re.search(r'"(/console/payments/[^"]*/dismiss[^"]*)"', shown)
    assert found is not None

    bisi.post(found[1], {"reason": "refunded"})

    parked.refresh_from_db()
    assert parked.state == "failed"
    assert CheckoutIntent.objects.get().parked_for == "other_amount"
    assert state_of(Invoice.objects.get()) == ("open", 10_000)
