"""Payments over HTTP: recorded once a key, seen by the right people only."""

from __future__ import annotations

import json
import uuid

import pytest

from apps.billing import operations as billing
from apps.billing.models import GatewayEvent, Payment
from dotmac.core.money import Money
from tests.billing.owing import balance_of, bill, pay, state_of
from tests.world import NOON, SYSTEM, Api

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
URL = "/api/v1/billing/payments"


@pytest.fixture
def clerk(world):
    return world.api(world.bisi)


@pytest.fixture
def chidi(world):
    return world.chidi.customer


def body(payer, major="125.00", **changes):
    return {
        "customer": payer.pk,
        "amount": {"amount": major, "currency": "NGN"},
        "method": "bank_transfer",
        **changes,
    }


def post(client, data, key=None, url=URL):
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return client.post(url, data, headers={**client_headers(client), **headers})


def client_headers(client):
    return {"Authorization": f"Bearer {client.bearer}"} if client.bearer else {}


def test_records_a_payment(clerk, chidi):
    invoice = bill(chidi, 12_500)

    answer = post(clerk, body(chidi, invoice=invoice.pk, note="counter 2"))

    assert answer.status_code == 201, answer.content
    payment = answer.json()
    assert payment["reference"].startswith("PAY-")
    assert payment["state"] == "succeeded"
    assert payment["amount"] == {"amount": "125.00", "currency": "NGN"}
    assert payment["credit"] == {"amount": "0.00", "currency": "NGN"}
    assert payment["allocations"] == [
        {
            "invoice": invoice.pk,
            "invoice_reference": invoice.reference,
            "amount": {"amount": "125.00", "currency": "NGN"},
        }
    ]
    assert payment["recorded_by"] == "bisi"
    assert state_of(invoice) == ("paid", 0)


def test_needs_a_key(clerk, chidi):
    answer = clerk.post(URL, body(chidi))

    assert (answer.status_code, answer.json()["code"]) == (
        400,
        "idempotency_key_required",
    )
    assert not Payment.objects.exists()


def test_pays_once_a_key(clerk, chidi):
    first = post(clerk, body(chidi), key="pay-0001-key")
    again = post(clerk, body(chidi), key="pay-0001-key")
    other = post(clerk, body(chidi, "1.00"), key="pay-0001-key")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotent-Replay"] == "true"
    assert other.status_code == 422
    assert balance_of(chidi) == -12_500


@pytest.mark.parametrize(
    ("_case", "changes", "status", "field"),
    [
        ("negative", {"amount": {"amount": "-1.00", "currency": "NGN"}}, 400, "amount"),
        ("zero", {"amount": {"amount": "0", "currency": "NGN"}}, 400, "amount"),
        ("dollars", {"amount": {"amount": "1.00", "currency": "USD"}}, 400, "amount"),
        ("digits", {"amount": {"amount": "1.001", "currency": "NGN"}}, 400, "amount"),
        ("a float", {"amount": {"amount": 1.5, "currency": "NGN"}}, 400, "amount"),
        ("a word", {"amount": "12"}, 400, "amount"),
        ("huge", {"amount": {"amount": "9" * 14, "currency": "NGN"}}, 400, "amount"),
        ("no customer", {"customer": 987_654}, 400, "customer"),
        ("a text", {"customer": "x"}, 400, "customer"),
        ("no invoice", {"invoice": 987_654}, 400, "invoice"),
        ("a gateway", {"method": "paystack"}, 400, "method"),
        ("the future", {"received_date": "2099-01-01"}, 400, "received_date"),
    ],
)
def test_names_the_field_and_changes_nothing(
    clerk, chidi, _case, changes, status, field
):
    answer = post(clerk, body(chidi, **changes))

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    fields = [error["field"] for error in answer.json()["errors"]]
    assert any(name.split(".")[0] == field for name in fields)
    assert not Payment.objects.exists()


def test_lists_filters_and_shows(clerk, world, chidi):
    payment = pay(chidi, 100)
    pay(world.dayo.customer, 200, method="pos")

    mine = clerk.get(URL, {"customer": chidi.pk}).json()["results"]
    by_method = clerk.get(URL, {"method": "pos", "state": "succeeded"}).json()
    one = clerk.get(f"{URL}/{payment.pk}")

    assert [row["reference"] for row in mine] == [payment.reference]
    assert "allocations" not in mine[0]
    assert len(by_method["results"]) == 1
    assert one.json()["allocations"] == []
    assert one["ETag"]
    assert clerk.get(URL, {"method": "shells"}).status_code == 400


@pytest.mark.security
def test_keeps_strangers_out(world, chidi):
    payment = pay(chidi, 100)
    esi, reseller = world.api(world.esi), world.api(world.remi)

    for client in (esi, reseller):
        assert client.get(f"{URL}/{payment.pk}").status_code == 404
        assert client.get(URL).json()["results"] == []
    assert Api().get(URL).status_code == 401
    assert post(esi, body(chidi)).status_code == 403
    assert post(world.api(world.nuru), body(chidi)).status_code == 403
    assert post(reseller, body(chidi)).status_code == 403
    own = world.api(world.chidi).get(URL).json()["results"]
    assert [row["reference"] for row in own] == [payment.reference]
    assert Payment.objects.count() == 1


def test_reverses_with_a_reason(clerk, world, chidi):
    invoice = bill(chidi, 100)
    payment = pay(chidi, 100)
    url = f"{URL}/{payment.pk}/reverse"

    assert post(clerk, {"reason": ""}, url=url).status_code == 400
    assert post(world.api(world.sola), {"reason": "x"}, url=url).status_code == 403
    answer = post(clerk, {"reason": "bounced"}, url=url)

    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert state_of(invoice) == ("open", 100)


# Webhooks ------------------------------------------------------------------------------


def started(customer, gateway):
    payment = billing.start_checkout(
        customer_id=customer.pk,
        amount=Money(100, "NGN"),
        key="e" * 32,
        actor=SYSTEM,
        now=NOON,
    )
    billing.open_checkout(
        payment_id=payment.pk,
        email="chidi@example.com",
        return_url="http://testserver/x",
        now=NOON,
    )
    gateway.book.pay(payment.provider_ref)
    return payment, *gateway.book.notice_of(gateway.book.find(payment.provider_ref))


def hook(client, body, signature):
    return client.post(
        "/webhooks/paystack",
        body,
        content_type="application/json",
        headers={"x-paystack-signature": signature},
    )


def test_settles_by_a_signed_webhook_without_sign_in(client, chidi, gateway):
    payment, content, signature = started(chidi, gateway)

    first = hook(client, content, signature)
    replayed = hook(client, content, signature)

    assert (first.status_code, first.json()) == (200, {"outcome": "settled"})
    assert (replayed.status_code, replayed.json()) == (200, {"outcome": "settled"})
    payment.refresh_from_db()
    assert payment.state == "succeeded"
    assert balance_of(chidi) == -100


@pytest.mark.security
def test_refuses_other_webhooks(client, chidi, gateway):
    payment, content, signature = started(chidi, gateway)
    raised = json.loads(content)
    raised["data"]["amount"] = 999_999

    answers = [
        hook(client, json.dumps(raised), signature),
        hook(client, content, "0" * 128),
        hook(client, content, ""),
        client.get("/webhooks/paystack"),
        hook(client, b"x" * 70_000, gateway.book.sign(b"x" * 70_000)),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 405, 413]
    assert answers[0].json()["code"] == "webhook_refused"
    payment.refresh_from_db()
    assert payment.state == "pending"
    assert not GatewayEvent.objects.exists()
