"""Paying at the gateway settles once, by the gateway's word only."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from apps.billing import errors, selectors
from apps.billing import operations as billing
from apps.billing.models import CheckoutIntent, GatewayEvent, LedgerEntry, Payment
from apps.billing.operations.checkout import INTENT_LIFE, PENDING_MAX
from apps.ops.models import OutboxEvent
from dotmac.core.money import Money
from tests.billing.owing import balance_of, bill, broken_invariants, pay, state_of
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
RETURN = "http://testserver/portal/pay/return"


@pytest.fixture
def chidi(world):
    return world.chidi.customer


@pytest.fixture
def owed(chidi):
    return bill(chidi, 1_250_000)


def start(customer, minor=1_250_000, *, key="a" * 32, now=NOON, **facts):
    return billing.start_checkout(
        customer_id=customer.pk,
        amount=Money(minor, facts.pop("currency", "NGN")),
        key=key,
        **{"actor": SYSTEM, "now": now, **facts},
    )


def open_page(payment, now=NOON):
    return billing.open_checkout(
        payment_id=payment.pk, email="chidi@example.com", return_url=RETURN, now=now
    )


def confirm(payment, now=NOON):
    found = billing.confirm_checkout(reference=payment.provider_ref, now=now)
    assert found is not None
    return found


def webhook(gateway, payment, **changes):
    row = gateway.book.find(payment.provider_ref)
    data = row.to_data() | changes
    body = json.dumps({"event": "charge.success", "data": data}).encode()
    return billing.accept_webhook(
        provider="paystack", body=body, signature=gateway.book.sign(body), now=NOON
    )


def told(name: str) -> int:
    return OutboxEvent.objects.filter(name=f"billing.payment.{name}.v1").count()


def test_stores_the_intent_before_anything_is_asked(chidi, owed, gateway):
    payment = start(chidi)

    assert (payment.state, payment.method) == ("pending", "paystack")
    assert payment.provider_ref == "DM-" + "a" * 32
    assert gateway.book._rows == {}
    assert balance_of(chidi) == 1_250_000
    assert told("started") == 1


def test_opens_the_page_once(chidi, owed, gateway):
    payment = start(chidi)

    first, again = open_page(payment), open_page(payment)

    assert first.page_url.startswith(gateway.url)
    assert again.page_url == first.page_url
    assert len(gateway.book._rows) == 1


def test_asks_the_gateway_once_even_while_the_first_call_is_under_way(chidi, gateway):
    payment = start(chidi)
    CheckoutIntent.objects.update(opened_at=NOON)

    with pytest.raises(errors.CheckoutOpening):
        open_page(payment)

    assert gateway.book._rows == {}


def test_sending_the_form_twice_is_one_payment(chidi, owed, gateway, world):
    payment = start(chidi)

    assert start(chidi).pk == payment.pk
    with pytest.raises(errors.CheckoutKeyReused):
        start(chidi, 5_000)
    with pytest.raises(errors.CheckoutKeyReused):
        start(world.esi.customer)
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("_case", "facts", "error"),
    [
        ("negative", {"minor": -5}, errors.AmountNotPositive),
        ("dollars", {"currency": "USD"}, errors.OtherCurrency),
        ("no such invoice", {"invoice_id": 987_654}, errors.UnknownInvoice),
    ],
)
def test_refuses_bad_wishes(chidi, owed, _case, facts, error):
    minor = facts.pop("minor", 100)
    with pytest.raises(error):
        start(chidi, minor, **facts)
    assert not Payment.objects.exists()


def test_needs_an_address_and_few_payments_at_a_time(chidi, owed):
    for number in range(PENDING_MAX):
        start(chidi, 100, key=f"{number:032x}")
    with pytest.raises(errors.TooManyCheckouts):
        start(chidi, 100, key="b" * 32)

    from apps.identity.models import Customer

    Customer.objects.filter(pk=chidi.pk).update(email="")
    with pytest.raises(errors.EmailNeeded):
        start(chidi, 100, key="c" * 32)


def test_settles_by_the_gateways_answer_on_return(chidi, owed, gateway):
    payment = start(chidi, invoice_id=owed.pk)
    open_page(payment)
    assert confirm(payment).state == "pending"
    gateway.pay(payment.provider_ref)

    settled = confirm(payment)

    assert (settled.state, settled.received_date) == ("succeeded", NOON.date())
    assert state_of(owed) == ("paid", 0)
    assert balance_of(chidi) == 0
    fee = gateway.book.find(payment.provider_ref).fees
    assert settled.fee_minor == fee
    rows = LedgerEntry.objects.filter(transaction__source_id=payment.pk).exclude(
        transaction__source_kind="invoice"
    )
    assert sorted(rows.values_list("account_id", "amount_minor")) == [
        (1030, -fee),
        (1030, 1_250_000),
        (1100, -1_250_000),
        (5010, fee),
    ]
    assert broken_invariants() == {}


def test_settles_once_whatever_comes_after(chidi, owed, gateway):
    payment = start(chidi)
    open_page(payment)
    gateway.pay(payment.provider_ref)

    first = webhook(gateway, payment)
    again = webhook(gateway, payment)
    confirm(payment)
    billing.verify_pending_payments(now=NOON + timedelta(hours=1))

    assert (first.outcome, again.pk) == ("settled", first.pk)
    assert GatewayEvent.objects.count() == 1
    assert told("settled") == 1
    assert balance_of(chidi) == 0


def test_remembers_that_a_message_came_after_the_return(chidi, owed, gateway):
    payment = start(chidi)
    open_page(payment)
    gateway.pay(payment.provider_ref)
    confirm(payment)

    assert webhook(gateway, payment).outcome == "already"
    assert told("settled") == 1


def test_works_with_webhooks_off_and_nobody_returning(chidi, owed, gateway):
    payment = start(chidi)
    open_page(payment)
    gateway.behaviour.webhooks = False
    gateway.pay(payment.provider_ref)

    assert billing.verify_pending_payments(now=NOON) == 0
    asked = billing.verify_pending_payments(now=NOON + timedelta(minutes=2))

    payment.refresh_from_db()
    assert (asked, payment.state) == (1, "succeeded")
    assert billing.verify_pending_payments(now=NOON + timedelta(hours=9)) == 0


def test_never_takes_silence_for_failure(chidi, owed, gateway, settings):
    settings.PAYSTACK_TIMEOUT_S = 0.2
    gateway.behaviour.hang_initialize_s = 0.5
    payment = start(chidi)
    with pytest.raises(errors.GatewaySilent):
        open_page(payment)
    # The call got through all the same, and somebody paid on that page.
    gateway.pay(payment.provider_ref)

    gateway.behaviour.fail_verify = 1
    late = NOON + INTENT_LIFE + timedelta(hours=1)
    billing.verify_pending_payments(now=late)
    payment.refresh_from_db()
    assert payment.state == "pending"

    billing.verify_pending_payments(now=late + timedelta(hours=2))
    payment.refresh_from_db()
    assert payment.state == "succeeded"


def test_gives_up_when_the_time_is_over_and_nobody_finished(chidi, owed, gateway):
    payment = start(chidi)
    open_page(payment)

    billing.verify_pending_payments(now=NOON + timedelta(minutes=5))
    payment.refresh_from_db()
    assert payment.state == "pending"
    billing.verify_pending_payments(now=NOON + INTENT_LIFE)

    payment.refresh_from_db()
    assert payment.state == "failed"
    assert told("failed") == 1
    intent = CheckoutIntent.objects.get()
    assert (intent.next_check_at, intent.provider_status) == (None, "abandoned")


def test_settles_a_payment_that_had_failed_first(chidi, owed, gateway):
    """The bank declined, the customer tried another card on the same page."""
    payment = start(chidi)
    open_page(payment)
    gateway.book.decline(payment.provider_ref)
    assert confirm(payment).state == "failed"
    assert confirm(payment).state == "failed"
    assert told("failed") == 1

    gateway.pay(payment.provider_ref)
    assert billing.verify_pending_payments(now=NOON + timedelta(minutes=5)) == 1

    payment.refresh_from_db()
    assert payment.state == "succeeded"
    assert state_of(owed) == ("paid", 0)


def test_says_what_the_gateway_refused(chidi, owed, gateway, settings):
    payment = start(chidi)
    gateway.book.initialize(
        {"reference": payment.provider_ref, "amount": "1", "email": "x@y.example"}
    )

    with pytest.raises(errors.CheckoutRefused) as refusal:
        open_page(payment)

    assert "Duplicate" in refusal.value.facts["answer"]
    payment.refresh_from_db()
    assert payment.state == "failed"


def test_needs_a_key_of_the_gateway(chidi, owed, settings, tmp_path):
    settings.PAYSTACK_SECRET_KEY_PATH = tmp_path / "missing"
    payment = start(chidi)

    with pytest.raises(errors.GatewaySilent):
        open_page(payment)
    assert confirm(payment).state == "pending"
    with pytest.raises(errors.WebhookRefused):
        billing.accept_webhook(
            provider="paystack", body=b"{}", signature="00", now=NOON
        )


@pytest.mark.security
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"charge_instead_minor": 100}, "other_amount"),
        ({"charge_instead_minor": 1_250_001}, "other_amount"),
        ({"charge_instead_currency": "GHS"}, "other_currency"),
    ],
)
@pytest.mark.parametrize("way", ["return", "webhook"])
def test_parks_money_that_does_not_fit(chidi, gateway, changes, reason, way):
    bill(chidi, 1_250_000)
    for name, value in changes.items():
        setattr(gateway.behaviour, name, value)
    payment = start(chidi)
    open_page(payment)
    gateway.pay(payment.provider_ref)

    if way == "return":
        confirm(payment)
        confirm(payment)
    else:
        assert webhook(gateway, payment).outcome == "parked"

    payment.refresh_from_db()
    intent = selectors.intent_of(payment.pk)
    assert intent is not None
    assert (payment.state, intent.parked_for) == ("pending", reason)
    assert intent.next_check_at is None
    assert balance_of(chidi) == 1_250_000
    assert list(selectors.parked_payments()) == [intent]
    assert told("parked") == 1
    assert billing.verify_pending_payments(now=NOON + timedelta(days=2)) == 0


@pytest.mark.security
def test_records_money_for_a_reference_that_is_not_ours(gateway, chidi):
    gateway.book.initialize(
        {"reference": "other-shop", "amount": "700", "email": "x@y.example"}
    )
    gateway.book.pay("other-shop")
    body, signature = gateway.book.notice_of(gateway.book.find("other-shop"))

    event = billing.accept_webhook(
        provider="paystack", body=body, signature=signature, now=NOON
    )

    assert (event.outcome, event.payment_id) == ("unknown_reference", None)
    assert event.facts["amount_minor"] == 700
    assert billing.confirm_checkout(reference="other-shop", now=NOON) is None
    assert not Payment.objects.exists()


def test_ignores_messages_about_other_things(gateway):
    for kind in ("transfer.success", "charge.dispute.create"):
        body = json.dumps({"event": kind, "data": {"id": 7, "status": "x"}}).encode()
        event = billing.accept_webhook(
            provider="paystack", body=body, signature=gateway.book.sign(body), now=NOON
        )
        assert (event.outcome, event.facts) == ("ignored", {})


@pytest.mark.security
def test_keeps_nothing_of_a_message_with_a_wrong_signature(chidi, owed, gateway):
    payment = start(chidi)
    open_page(payment)
    gateway.book.pay(payment.provider_ref)
    body, signature = gateway.book.notice_of(gateway.book.find(payment.provider_ref))

    with pytest.raises(errors.WebhookRefused):
        billing.accept_webhook(
            provider="paystack", body=body + b" ", signature=signature, now=NOON
        )

    payment.refresh_from_db()
    assert payment.state == "pending"
    assert not GatewayEvent.objects.exists()


def test_cannot_undo_a_gateways_payment_by_hand(chidi, owed, gateway):
    payment = start(chidi)
    open_page(payment)
    gateway.pay(payment.provider_ref)
    confirm(payment)

    with pytest.raises(errors.PaymentNotReversible):
        billing.reverse_payment(
            payment_id=payment.pk, reason="x", actor=SYSTEM, now=NOON
        )


def test_writes_one_receipt(chidi, owed):
    from apps.ops.models import Message

    payment = pay(chidi, 1_300_000)

    assert billing.send_receipt(payment_id=payment.pk, now=NOON)
    assert billing.send_receipt(payment_id=payment.pk, now=NOON)

    mail = Message.objects.get(purpose="billing.receipt")
    assert payment.reference in mail.subject_line
    assert owed.reference in mail.body
    assert "500.00 NGN" in mail.body


def test_writes_no_receipt_for_what_was_not_received(chidi, owed):
    assert not billing.send_receipt(payment_id=start(chidi).pk, now=NOON)
