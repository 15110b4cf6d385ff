"""Invoices, credit notes and runs over HTTP."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.billing.models import BillingRun, Invoice
from apps.ops import selectors as ops_selectors
from tests.billing import world as bills

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

INVOICES = "/api/v1/billing/invoices"
NOTES = "/api/v1/billing/credit-notes"
RUNS = "/api/v1/billing/runs"


@pytest.fixture
def today():
    return ops_selectors.business_date(now=timezone.now())


@pytest.fixture
def invoice(world, today):
    """Chidi's: a whole month at 12,500 with VAT. Esi, the stranger, has one too."""
    bills.vat()
    plan = bills.plan("12500", name="Home 20")
    for person in (world.chidi, world.esi):
        bills.service(person.customer, plan, start=today.replace(day=1))
    bills.bill(today.replace(day=1))
    return Invoice.objects.get(customer=world.chidi.customer)


def money(text):
    return {"amount": text, "currency": "NGN"}


def test_the_clerk_lists_and_filters(world, invoice, today):
    clerk = world.api(world.bisi)
    answer = clerk.get(f"{INVOICES}?customer={world.chidi.customer.pk}&state=open")
    (row,) = answer.json()["results"]
    assert (row["reference"], row["total"]) == (invoice.reference, money("13437.50"))
    assert (row["open"], row["paid"]) == (money("13437.50"), money("0.00"))
    assert len(clerk.get(INVOICES).json()["results"]) == 2
    later = today + timedelta(days=30)
    assert len(clerk.get(f"{INVOICES}?due_before={later}").json()["results"]) == 2
    assert clerk.get(f"{INVOICES}?due_from={later}").json()["results"] == []
    assert clerk.get(f"{INVOICES}?state=lost").status_code == 400
    assert clerk.get(f"{INVOICES}?colour=red").status_code == 400


def test_detail_says_why(world, invoice):
    body = world.api(world.bisi).get(f"{INVOICES}/{invoice.pk}").json()
    (line,) = body["lines"]
    assert line["why"]["rule"] == "whole_month"
    assert line["amount"] == money("12500.00")
    assert body["taxes"] == [
        {
            "tax_class": "standard",
            "label": "VAT",
            "percent": "7.500000",
            "base": money("12500.00"),
            "amount": money("937.50"),
        }
    ]
    assert body["buyer"]["reference"] == world.chidi.customer.reference
    assert body["credit_notes"] == []


def test_customers_see_their_own_only(world, invoice):
    chidi, esi = world.api(world.chidi), world.api(world.esi)
    assert [r["id"] for r in chidi.get(INVOICES).json()["results"]] == [invoice.pk]
    assert chidi.get(f"{INVOICES}/{invoice.pk}/pdf").status_code == 200
    wants_pdf = {"headers": {"Accept": "application/pdf"}}
    refused = esi.get(f"{INVOICES}/{invoice.pk}/pdf", **wants_pdf)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    for path in (f"{INVOICES}/{invoice.pk}", f"{INVOICES}/{invoice.pk}/pdf"):
        assert esi.get(path).status_code == 404
        assert world.api().get(path).status_code == 401


def test_the_pdf_comes_as_a_file(world, invoice):
    answer = world.api(world.bisi).get(f"{INVOICES}/{invoice.pk}/pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert invoice.reference in answer["Content-Disposition"]
    assert answer.content.startswith(b"%PDF-")


def test_a_credit_note_is_written_once_for_a_key(world, invoice):
    clerk = world.api(world.bisi)
    body = {"invoice": invoice.pk, "reason": "Outage", "amount": money("1075.00")}
    key = {"headers": {"Idempotency-Key": "k-1"}}
    first = clerk.post(NOTES, body, **key)
    again = clerk.post(NOTES, body, **key)
    assert (first.status_code, first.json()) == (201, again.json())
    assert first.json()["total"] == money("1075.00")
    assert first.json()["credits_invoice"] == invoice.pk
    listed = clerk.get(f"{NOTES}?invoice={invoice.pk}").json()["results"]
    assert [row["reference"] for row in listed] == [first.json()["reference"]]
    shown = clerk.get(f"{INVOICES}/{invoice.pk}").json()
    assert shown["credited"] == money("1075.00")
    other = clerk.post(NOTES, {**body, "amount": money("1.00")}, **key)
    assert other.status_code in {409, 422}


def test_a_credit_note_by_line(world, invoice):
    line = world.api(world.bisi).get(f"{INVOICES}/{invoice.pk}").json()["lines"][0]
    body = {
        "invoice": invoice.pk,
        "reason": "Half",
        "lines": [{"line": line["id"], "amount": money("6250.00")}],
    }
    answer = world.api(world.bisi).post(NOTES, body, headers={"Idempotency-Key": "k-2"})
    assert answer.json()["tax"] == money("468.75")
    assert answer.json()["lines"][0]["why"]["rule"] == "credited"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, None, "credit_unclear"),
        ({"amount": money("-1")}, "amount.amount", "credit_nothing"),
        ({"amount": money("99999999")}, "amount.amount", "credit_exceeds_rest"),
        (
            {"amount": {"amount": "1", "currency": "USD"}},
            "amount.currency",
            "other_currency",
        ),
        ({"amount": money("1.005")}, "amount", "invalid"),
        ({"lines": [{"line": 1, "amount": money("1")}] * 2}, "lines", "invalid"),
        ({"lines": [{"line": 1, "amount": money("1")}]}, "lines", "unknown_line"),
    ],
)
def test_a_bad_credit_is_named_and_changes_nothing(world, invoice, body, field, code):
    answer = world.api(world.bisi).post(
        NOTES,
        {"invoice": invoice.pk, "reason": "x", **body},
        headers={"Idempotency-Key": "k-3"},
    )
    problem = answer.json()
    assert 400 <= answer.status_code < 500
    assert problem["code"] == code
    if field:
        assert field in str(problem)
    assert Invoice.objects.credit_notes().exists() is False


def test_credit_needs_key_permission_and_reach(world, invoice):
    body = {"invoice": invoice.pk, "reason": "x", "full": True}
    keyless = world.api(world.bisi).post(NOTES, body)
    assert keyless.json()["code"] == "idempotency_key_required"
    key = {"headers": {"Idempotency-Key": "k-4"}}
    for person in (world.nuru, world.chidi, world.femi):
        assert world.api(person).post(NOTES, body, **key).status_code == 403
    missing = {**body, "invoice": 10**15}
    assert world.api(world.bisi).post(NOTES, missing, **key).status_code in {400, 404}


def test_a_run_is_previewed_started_and_watched(world, invoice, today):
    bills.service(world.dayo.customer, bills.plan("1000"), start=today)
    clerk = world.api(world.bisi)
    preview = clerk.get(f"{RUNS}/preview").json()
    assert (preview["invoices"], preview["complete"]) == (1, True)
    assert Invoice.objects.filter(customer=world.dayo.customer).exists() is False

    answer = clerk.post(RUNS, {})
    assert answer.status_code == 202
    run = answer.json()
    assert (run["state"], run["date"]) == ("queued", str(today))
    assert clerk.post(RUNS, {}).json()["id"] == run["id"]
    job = world.api(world.ada).get(f"/api/v1/jobs/{run['job']}").json()
    assert (job["kind"], job["progress"]) == ("billing.run", 0)
    assert clerk.get(f"{RUNS}/{run['id']}").json()["parked"] == []
    assert clerk.get(RUNS).json()["results"][0]["id"] == run["id"]


def test_a_run_of_another_day_waits_and_a_day_ahead_is_refused(world, invoice, today):
    clerk = world.api(world.bisi)
    ahead = clerk.post(RUNS, {"date": str(today + timedelta(days=1))})
    assert (ahead.status_code, ahead.json()["code"]) == (400, "billing_day_ahead")
    clerk.post(RUNS, {"date": str(today)})
    earlier = clerk.post(RUNS, {"date": str(today - timedelta(days=1))})
    assert (earlier.status_code, earlier.json()["code"]) == (409, "run_in_progress")
    assert BillingRun.objects.filter(finished_at__isnull=True).count() == 1


def test_runs_are_not_for_engineers_nor_customers(world, today):
    for person in (world.nuru, world.chidi):
        client = world.api(person)
        assert client.get(RUNS).status_code == 403
        assert client.get(f"{RUNS}/preview").status_code == 403
        assert client.post(RUNS, {}).status_code == 403


def test_a_tax_rate_is_set_and_listed(world, today):
    path, ada = "/api/v1/billing/tax-rates", world.api(world.ada)
    body = {
        "tax_class": "standard",
        "label": "VAT",
        "percent": "7.5",
        "valid_from": str(today),
    }
    made = ada.post(path, body)
    assert (made.status_code, made.json()["percent"]) == (201, "7.500000")
    assert ada.post(path, body).json() == made.json()
    other = ada.post(path, {**body, "percent": "9"})
    assert (other.status_code, other.json()["code"]) == (409, "tax_rate_backdated")
    assert ada.post(path, {**body, "percent": "101"}).status_code == 400
    listed = ada.get(f"{path}?tax_class=standard").json()["results"]
    assert listed == [made.json()]
    assert world.api(world.nuru).post(path, body).status_code == 403
