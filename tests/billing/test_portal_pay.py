"""The portal shows bills and pays them, without any JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from apps.billing import operations as billing
from apps.billing.models import CheckoutIntent, Payment
from apps.ops import selectors as ops
from tests.billing.dunned import shown
from tests.billing.owing import balance_of, bill, pay, state_of
from tests.world import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def today():
    return ops.business_date(now=timezone.now())


@pytest.fixture
def chidi(world):
    return world.chidi.customer


@pytest.fixture
def phone(world):
    return world.portal(world.chidi)


@pytest.fixture
def owed(chidi, today):
    return bill(chidi, 1_250_000, due=today + timedelta(days=7))


def text_of(answer) -> str:
    """What a person reads, on one line."""
    page = re.sub(
        r"<(style|head)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL
    )
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def field(answer, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.content.decode())
    assert found is not None
    return found[1]


def send(phone, **changes):
    """Open the form and send it as a browser without JavaScript does."""
    form = phone.get("/portal/pay", changes.pop("query", {}))
    sent = {"key": field(form, "key"), "amount": field(form, "amount"), **changes}
    return phone.post("/portal/pay", sent)


def test_shows_bills_in_words(phone, chidi, owed, today):
    overdue = bill(chidi, 4490, due=today - timedelta(days=3))

    page = phone.get("/portal/bills")

    assert page.status_code == 200
    words = text_of(page)
    assert str(owed) in words
    assert str(overdue) in words
    assert "12,544.90 NGN owed" in words
    assert "44.90 NGN of it is overdue" in words
    assert "-" not in re.findall(r"-?[\d,]+\.\d\d NGN", words)[0]
    assert "<script" not in page.content.decode().split("<body", 1)[1]


def test_says_that_nothing_is_owed_and_what_is_in_credit(phone, chidi):
    assert "You're all paid" in text_of(phone.get("/portal/")).replace("&#x27;", "'")

    pay(chidi, 4490)

    assert "44.90 NGN in credit" in text_of(phone.get("/portal/bills"))


def test_explains_a_bill_and_gives_it_as_pdf(phone, chidi, owed):
    pay(chidi, 250_000)

    page = phone.get(f"/portal/bills/{owed.pk}")
    pdf = phone.get(f"/portal/bills/{owed.pk}/pdf")

    words = text_of(page)
    assert "10,000.00 NGN owed" in words
    assert "Home 20" in words
    assert "12,500.00 NGN" in words
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


@pytest.mark.security
def test_keeps_the_bills_of_others_away(world, phone, today):
    foreign = bill(world.esi.customer, 700, due=today)
    payment = pay(world.esi.customer, 300)

    for path in (
        f"bills/{foreign.pk}",
        f"bills/{foreign.pk}/pdf",
        f"payments/{payment.pk}",
        "bills/987654",
    ):
        assert phone.get(f"/portal/{path}").status_code == 404
    assert "7.00" not in text_of(phone.get("/portal/pay", {"invoice": foreign.pk}))


def test_pays_through_the_hosted_page_and_comes_back_paid(phone, chidi, owed, gateway):
    left = send(phone)

    assert left.status_code == 302
    assert left["Location"].startswith(f"{gateway.url}/checkout/")
    assert Payment.objects.get().state == "pending"

    paid = httpx.post(left["Location"], data={"act": "pay"})
    back = httpx.URL(paid.headers["location"])
    assert back.path == "/portal/pay/return"
    answer = phone.get(back.path, dict(back.params))

    words = text_of(answer)
    assert "Paid. Thank you." in words
    assert "You were charged 12,500.00 NGN." in words
    assert "Nothing owed" in words
    assert state_of(owed) == ("paid", 0)
    payment = Payment.objects.get()
    receipt = text_of(phone.get(f"/portal/payments/{payment.pk}"))
    assert f"Receipt {payment.reference}" in receipt
    assert str(owed) in receipt


def test_pays_a_named_bill_and_a_part(phone, chidi, owed, today, gateway):
    bill(chidi, 9_900, due=today - timedelta(days=40))

    send(phone, query={"invoice": owed.pk}, amount="1,000.00", invoice=str(owed.pk))

    payment = Payment.objects.get()
    assert (payment.invoice_id, payment.amount_minor) == (owed.pk, 100_000)


def test_never_believes_the_address(phone, owed, gateway):
    send(phone)
    reference = Payment.objects.get().provider_ref

    answer = phone.get(
        "/portal/pay/return", {"reference": reference, "status": "success"}
    )

    words = text_of(answer)
    assert "Not paid yet" in words
    assert "You were not charged." in words
    assert Payment.objects.get().state == "pending"


def test_says_that_a_declined_payment_was_not_charged(phone, owed, gateway):
    send(phone)
    reference = Payment.objects.get().provider_ref
    gateway.book.decline(reference)

    words = text_of(phone.get("/portal/pay/return", {"reference": reference}))

    assert "Not paid" in words
    assert "You were not charged." in words
    assert "Declined by the bank" in words
    assert "Try again" in words


def test_says_honestly_that_it_does_not_know(phone, owed, gateway):
    send(phone)
    reference = Payment.objects.get().provider_ref
    CheckoutIntent.objects.update(provider_status="ongoing")
    gateway.behaviour.fail_verify = 1

    answer = phone.get("/portal/pay/return", {"reference": reference})

    assert "We do not know yet whether you were charged." in text_of(answer)
    assert 'http-equiv="refresh"' in answer.content.decode()


def test_says_when_another_amount_was_charged(phone, owed, gateway):
    gateway.behaviour.charge_instead_minor = 5
    send(phone)
    reference = Payment.objects.get().provider_ref
    gateway.pay(reference)

    words = text_of(phone.get("/portal/pay/return", {"trxref": reference}))

    assert "not the amount that was asked" in words
    assert "Do not pay again" in words


def test_keeps_what_was_typed_when_something_is_wrong(phone, owed, gateway):
    for amount in ("-5", "0", "twelve", "1.001", "1e9", "9" * 15):
        answer = send(phone, amount=amount)

        assert answer.status_code == 422, amount
        assert field(answer, "amount") == amount
        assert 'role="alert"' in answer.content.decode()
    assert send(phone, key="x").status_code == 422
    assert not Payment.objects.exists()


def test_says_that_nobody_was_charged_when_the_gateway_is_away(phone, owed, gateway):
    gateway.behaviour.fail_initialize = 1

    answer = send(phone)

    assert answer.status_code == 422
    assert "You were not charged" in text_of(answer)
    assert send(phone).status_code == 302


def test_sending_the_form_twice_pays_once(phone, owed, gateway):
    form = phone.get("/portal/pay")
    sent = {"key": field(form, "key"), "amount": field(form, "amount")}

    first = phone.post("/portal/pay", sent)
    again = phone.post("/portal/pay", sent)

    assert first["Location"] == again["Location"]
    assert Payment.objects.count() == 1


@pytest.mark.security
def test_shows_nobody_the_payment_of_another(world, phone, owed, gateway):
    send(phone)
    reference = Payment.objects.get().provider_ref
    stranger = world.portal(world.esi)

    seen = stranger.get("/portal/pay/return", {"reference": reference})

    assert seen.status_code == 404
    assert phone.get("/portal/pay/return", {"reference": "x"}).status_code == 404
    assert phone.get("/portal/pay/return").status_code == 404


def test_says_why_a_line_is_limited_and_reconnects_by_paying(
    world, dayo, today, gateway
):
    now = timezone.now()
    invoice = bill(dayo.customer, 1_500_000, due=today - timedelta(days=20))
    billing.run_dunning(day=today, actor=SYSTEM, now=now)
    phone = world.portal(world.dayo)
    assert shown(dayo) == "walled_garden"

    home = text_of(phone.get("/portal/"))
    assert "Your connection is limited to paying." in home
    assert str(invoice) in home
    assert "Overdue: 15,000.00 NGN" in home
    assert "Pay and reconnect" in home

    left = send(phone)
    paid = httpx.post(left["Location"], data={"act": "pay"})
    back = httpx.URL(paid.headers["location"])
    assert "Paid. Thank you." in text_of(phone.get(back.path, dict(back.params)))

    assert shown(dayo) == "active"
    assert balance_of(dayo.customer) == 0
    assert "limited" not in text_of(phone.get("/portal/bills"))
