"""Staff see payments and dunning, record money and note promises."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.billing import operations as billing
from apps.billing.models import CheckoutIntent, Payment, PromiseToPay
from apps.ops import selectors as ops
from dotmac.core.money import Money
from tests.billing.dunned import shown
from tests.billing.owing import bill, pay, state_of
from tests.world import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def today():
    return ops.business_date(now=timezone.now())


@pytest.fixture
def bisi(world):
    return world.console(world.bisi)


@pytest.fixture
def chidi(world):
    return world.chidi.customer


def text_of(answer) -> str:
    page = re.sub(r"<head\b.*?</head>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def checkout(customer, minor=5_000):
    payment = billing.start_checkout(
        customer_id=customer.pk,
        amount=Money(minor, "NGN"),
        key="f" * 32,
        actor=SYSTEM,
        now=timezone.now(),
    )
    billing.open_checkout(
        payment_id=payment.pk,
        email="chidi@example.com",
        return_url="http://testserver/x",
        now=timezone.now(),
    )
    return payment


def test_lists_finds_and_shows_payments(bisi, chidi, world, today):
    invoice = bill(chidi, 5_000, due=today)
    payment = pay(chidi, 7_500, now=timezone.now())
    other = pay(world.dayo.customer, 100, method="pos", now=timezone.now())

    listed = text_of(bisi.get("/console/payments"))
    assert str(payment) in listed
    assert "75.00 NGN" in listed
    filtered = text_of(bisi.get("/console/payments?method=pos&state=succeeded"))
    assert str(other) in filtered
    assert str(payment) not in filtered
    found = text_of(bisi.get(f"/console/search?q={payment.reference.lower()}"))
    assert "Chidi Eze" in found
    searched = text_of(bisi.get(f"/console/payments?q={payment.reference}"))
    assert str(other) not in searched
    one = text_of(bisi.get(f"/console/payments/{payment.pk}"))
    assert str(invoice) in one
    assert "25.00 NGN" in one


@pytest.mark.security
def test_shows_payments_to_the_right_people(world, chidi):
    payment = pay(chidi, 100, now=timezone.now())

    assert world.console(world.nuru).get("/console/payments").status_code == 403
    remi = world.console(world.remi)
    assert remi.get(f"/console/payments/{payment.pk}").status_code == 404
    assert str(payment) not in text_of(remi.get("/console/payments"))


def test_records_money_on_the_customers_page(bisi, chidi, today):
    old = bill(chidi, 5_000, due=today - timedelta(days=9))
    new = bill(chidi, 4_000, due=today + timedelta(days=9))
    url = f"/console/customers/{chidi.pk}/do/record-payment"
    page = bisi.get(f"/console/customers/{chidi.pk}?tab=payments")
    found = re.search(r'"(/console/[^"]*record-payment[^"]*)"', page.content.decode())
    assert found is not None
    url = found[1]

    form = bisi.get(url)
    assert "90.00" in form.content.decode()
    assert str(new) in form.content.decode()
    answer = bisi.post(
        url,
        {
            "amount": "45.00",
            "method": "cash",
            "received_date": str(today),
            "invoice_id": new.pk,
            "note": "counter",
        },
    )

    payment = Payment.objects.get()
    assert answer["Location"] == f"/console/payments/{payment.pk}"
    assert (payment.recorded_by, payment.note) == ("bisi", "counter")
    assert state_of(new) == ("paid", 0)
    assert state_of(old) == ("open", 4_500)

    wrong = bisi.post(url, {"amount": "-3", "method": "cash", "received_date": ""})
    assert wrong.status_code == 422
    assert Payment.objects.count() == 1


def test_undoes_a_payment_with_a_reason(bisi, chidi, today):
    invoice = bill(chidi, 5_000, due=today)
    payment = pay(chidi, 5_000, now=timezone.now())
    page = bisi.get(f"/console/payments/{payment.pk}").content.decode()
    found = re.search(r'"(/console/payments/[^"]*reverse[^"]*)"', page)
    assert found is not None

    assert bisi.post(found[1], {"reason": ""}).status_code == 422
    bisi.post(found[1], {"reason": "bounced"})

    assert state_of(invoice) == ("open", 5_000)
    after = text_of(bisi.get(f"/console/payments/{payment.pk}"))
    assert "Undone" in after
    assert "bounced" in after


def test_asks_the_gateway_and_shows_what_is_parked(bisi, chidi, gateway):
    gateway.behaviour.charge_instead_minor = 7
    payment = checkout(chidi)
    gateway.pay(payment.provider_ref)
    page = bisi.get(f"/console/payments/{payment.pk}").content.decode()
    found = re.search(r'"(/console/payments/[^"]*/ask[^"]*)"', page)
    assert found is not None

    bisi.post(found[1])

    assert CheckoutIntent.objects.get().parked_for == "other_amount"
    listed = text_of(bisi.get("/console/payments?parked=yes"))
    assert str(payment) in listed
    assert "Parked" in listed
    assert "charged another amount" in text_of(
        bisi.get(f"/console/payments/{payment.pk}")
    )
    assert "Payments that do not fit" in text_of(bisi.get("/console/"))


def test_shows_who_is_overdue_what_comes_next_and_why(bisi, dayo, world, today):
    bill(dayo.customer, 4_490, due=today - timedelta(days=14))
    late = bill(world.chidi.customer, 300, due=today - timedelta(days=2))
    bill(world.esi.customer, 300, due=today + timedelta(days=2))

    before = text_of(bisi.get("/console/dunning"))
    assert "Dayo Ojo" in before
    assert "44.90 NGN" in before
    assert "Esi Mensah" not in before
    assert "The first step is still to come." in before

    billing.run_dunning(day=today, actor=SYSTEM, now=timezone.now())
    after = text_of(bisi.get("/console/dunning"))
    assert "Cut off" in after
    assert "Reconnects when paid" in after
    assert "Step 1" in after
    hub = text_of(bisi.get(f"/console/customers/{dayo.customer.pk}?tab=payments"))
    assert "Cut off since" in text_of(
        bisi.get(f"/console/customers/{dayo.customer.pk}")
    )
    assert "Walled garden" in hub
    assert str(late) not in hub


def test_notes_and_withdraws_a_promise(bisi, dayo, today):
    bill(dayo.customer, 4_490, due=today - timedelta(days=14))
    billing.run_dunning(day=today, actor=SYSTEM, now=timezone.now())
    base = f"/console/customers/{dayo.customer.pk}"

    def address(slug):
        page = bisi.get(base).content.decode()
        found = re.search(rf'"(/console/customers/\d+/[^"]*{slug}[^"]*)"', page)
        return found and found[1]

    assert address("withdraw-promise") is None
    promise = address("promise")
    wrong = bisi.post(promise, {"promised_date": str(today - timedelta(days=1))})
    assert wrong.status_code == 422
    bisi.post(promise, {"promised_date": str(today + timedelta(days=3))})
    assert shown(dayo) == "active"
    assert "A promise to pay runs." in text_of(bisi.get("/console/dunning"))

    bisi.post(address("withdraw-promise"))
    assert shown(dayo) == "walled_garden"
    assert PromiseToPay.objects.get().withdrawn_at is not None


POLICY = {
    "reminders": "2, 5",
    "cut_off": "6",
    "ignore_below": "10.00",
    "cut_off_weekdays": ["1", "2", "3", "4", "5"],
    "cut_off_from_hour": "8",
    "cut_off_to_hour": "16",
    "holidays": "2026-12-25\n2027-01-01",
}


def test_changes_the_policy_and_keeps_the_old_one(bisi, chidi, today):
    from apps.billing import selectors
    from apps.billing.models import DunningPolicy

    bill(chidi, 5_000, due=today - timedelta(days=2))
    billing.run_dunning(day=today, actor=SYSTEM, now=timezone.now())
    form = bisi.get("/console/dunning/policy").content.decode()
    assert 'value="1, 7"' in form

    assert bisi.post("/console/dunning/policy", POLICY).status_code == 302
    bisi.post("/console/dunning/policy", POLICY)

    policy = selectors.dunning_policy()
    assert policy is not None
    assert [step.days_overdue for step in policy.steps] == [2, 5, 6]
    assert (policy.ignore_below_minor, len(policy.holidays)) == (1_000, 2)
    assert DunningPolicy.objects.count() == 2
    again = bisi.get("/console/dunning/policy").content.decode()
    assert "2026-12-25" in again
    # The first step was taken under the old policy; nobody is reminded twice.
    report = billing.run_dunning(day=today, actor=SYSTEM, now=timezone.now())
    assert report.reminded == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"reminders": "7, 1"},
        {"reminders": "1, x"},
        {"reminders": "0"},
        {"cut_off": "3"},
        {"cut_off": "0"},
        {"cut_off_from_hour": "16", "cut_off_to_hour": "8"},
        {"cut_off_weekdays": ["9"]},
        {"holidays": "Christmas"},
        {"ignore_below": "-1"},
        {"reminders": "1 2 3 4 5 6 7 8 9 10", "cut_off": "11"},
    ],
)
def test_refuses_a_policy_that_makes_no_sense(bisi, changes):
    from apps.billing.models import DunningPolicy

    answer = bisi.post("/console/dunning/policy", {**POLICY, **changes})

    assert answer.status_code == 422
    assert DunningPolicy.objects.count() == 1


def test_nobody_is_cut_off_by_a_policy_without_a_cut_off(bisi, world, dayo, today):
    bill(dayo.customer, 5_000, due=today - timedelta(days=99))
    bisi.post("/console/dunning/policy", {**POLICY, "cut_off": "", "reminders": "1"})

    report = billing.run_dunning(day=today, actor=SYSTEM, now=timezone.now())

    assert (report.reminded, report.cut_off) == (1, 0)
    assert shown(dayo) == "active"
    refused = world.console(world.sola).get("/console/dunning/policy")
    assert refused.status_code == 403
