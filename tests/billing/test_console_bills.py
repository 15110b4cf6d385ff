"""Bills on the console."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.billing import operations
from apps.billing.models import BillingRun, Invoice, InvoiceLine, TaxRate
from apps.ops import selectors as ops_selectors
from dotmac.core.money import Money
from tests.billing import world as bills

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def today():
    return ops_selectors.business_date(now=timezone.now())


@pytest.fixture
def invoice(world, today):
    """Chidi's, of 13,437.50, due long ago."""
    bills.vat()
    start = (today.replace(day=1) - timedelta(days=40)).replace(day=1)
    bills.service(world.chidi.customer, bills.plan("12500"), start=start)
    bills.bill(start)
    return Invoice.objects.get()


def text(answer) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def test_the_list_shows_state_and_finds_by_number(world, invoice):
    clerk = world.console(world.bisi)
    page = text(clerk.get("/console/invoices"))
    assert invoice.reference in page
    assert "13,437.50" in page
    assert "Overdue" in page
    found = text(clerk.get(f"/console/invoices?q={invoice.number}"))
    assert invoice.reference in found
    assert invoice.reference not in text(clerk.get("/console/invoices?q=999999"))
    late = text(clerk.get(f"/console/invoices?overdue={timezone.now().date()}"))
    assert invoice.reference in late
    assert invoice.reference not in text(clerk.get("/console/invoices?state=paid"))


def test_one_invoice_explains_itself(world, invoice):
    page = text(world.console(world.bisi).get(f"/console/invoices/{invoice.pk}"))
    for words in (
        invoice.reference,
        "12,500 NGN for the whole month",
        "VAT",
        "937.50",
        "Credit note",
        "days ago",
        f"/console/invoices/{invoice.pk}/document.pdf",
    ):
        assert words in page, words
    ledger = text(
        world.console(world.ada).get(f"/console/invoices/{invoice.pk}?tab=ledger")
    )
    assert "1100 Receivable from customers" in ledger


def test_the_pdf_is_for_staff_who_may_see_it(world, invoice):
    path = f"/console/invoices/{invoice.pk}/document.pdf"
    answer = world.console(world.bisi).get(path)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert world.console(world.nuru).get(path).status_code == 404
    assert world.portal(world.chidi).get(path).status_code == 302


def test_a_credit_note_is_written_from_the_form(world, invoice):
    clerk = world.console(world.bisi)
    path = f"/console/invoices/{invoice.pk}/credit"
    line = InvoiceLine.objects.get(invoice=invoice)
    form = text(clerk.get(path))
    assert f'name="line_{line.pk}"' in form

    body = {"way": "amount", "amount": "1075.00", "reason": "Outage", "seen": "0"}
    assert clerk.post(path, body).status_code == 302
    note = Invoice.objects.credit_notes().get()
    assert (note.total_minor, note.note) == (107_500, "Outage")
    # The same click again: somebody credited meanwhile, so nothing happens.
    again = clerk.post(path, body)
    assert again.status_code != 302 or Invoice.objects.credit_notes().count() == 1
    assert Invoice.objects.credit_notes().count() == 1

    by_line = {
        "way": "lines",
        f"line_{line.pk}": "500.00",
        "reason": "More",
        "seen": "107500",
    }
    assert clerk.post(path, by_line).status_code == 302
    assert Invoice.objects.credit_notes().count() == 2
    page = text(clerk.get(f"/console/invoices/{note.pk}"))
    assert "taken back" in page
    assert "Settled" in page


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"way": "amount"}, "Write the amount"),
        ({"way": "amount", "amount": "99999999"}, "more than what is left"),
        ({"way": "lines"}, "at least one line"),
        ({"way": "full", "reason": ""}, "required"),
    ],
)
def test_a_bad_credit_form_says_so_and_writes_nothing(world, invoice, body, says):
    answer = world.console(world.bisi).post(
        f"/console/invoices/{invoice.pk}/credit",
        {"reason": "x", "seen": "0", **body},
    )
    assert answer.status_code in {200, 409, 422}
    assert says in answer.content.decode()
    assert Invoice.objects.credit_notes().exists() is False


def test_a_run_is_previewed_before_it_starts(world, invoice, today):
    clerk = world.console(world.bisi)
    assert "Bill runs" in text(clerk.get("/console/billing-runs"))
    body = {"day": str(today)}
    preview = clerk.post("/console/billing-runs/new", {**body, "preview": "1"})
    assert "What it would bill" in preview.content.decode()
    assert BillingRun.objects.filter(finished_at__isnull=True).exists() is False

    started = clerk.post("/console/billing-runs/new", body)
    run = BillingRun.objects.get(finished_at__isnull=True)
    assert started["Location"] == f"/console/billing-runs/{run.pk}"
    page = text(clerk.get(started["Location"]))
    assert "Everything could be billed" in page


def test_tax_rates_are_set_by_form(world, today):
    ada = world.console(world.ada)
    body = {
        "slug": "standard",
        "label": "VAT",
        "percent": "7.5",
        "valid_from": str(today),
    }
    assert ada.post("/console/tax-rates/new", body).status_code == 302
    assert TaxRate.objects.get().percent == 7.5
    assert "7.5 %" in text(ada.get("/console/tax-rates"))
    twice = ada.post("/console/tax-rates/new", {**body, "percent": "9"})
    assert twice.status_code == 422
    assert world.console(world.nuru).get("/console/tax-rates/new").status_code == 403


def test_the_ledger_and_the_customer_page_show_the_money(world, invoice):
    ada = world.console(world.ada)
    page = text(ada.get("/console/ledger"))
    assert invoice.reference in page
    assert "4000 Income from Internet services" in page
    owner = invoice.customer_id
    hub = text(ada.get(f"/console/customers/{owner}"))
    assert "13,437.50 NGN owed" in hub
    assert "To pay" in hub
    billing = text(ada.get(f"/console/customers/{owner}?tab=billing"))
    assert "Next bill" in billing
    ledger = text(ada.get(f"/console/customers/{owner}?tab=ledger"))
    assert invoice.reference in ledger
    found = text(ada.get(f"/console/search?q={invoice.reference}"))
    assert invoice.reference in found


def test_credit_and_settled_invoices_say_so(world, invoice):
    operations.record_payment(
        customer_id=invoice.customer_id,
        amount=Money(2_000_000, "NGN"),
        method="cash",
        actor=bills.ACTOR,
        now=timezone.now(),
    )
    ada = world.console(world.ada)
    hub = text(ada.get(f"/console/customers/{invoice.customer_id}"))
    assert "6,562.50 NGN in credit" in hub
    page = text(ada.get(f"/console/invoices/{invoice.pk}"))
    assert "Payments and credits cover it" in page
    nobody = text(ada.get(f"/console/customers/{world.esi.customer.pk}?tab=billing"))
    assert "Nothing owed" in text(
        ada.get(f"/console/customers/{world.esi.customer.pk}")
    )
    assert "Nothing will be billed" in nobody
    ledger = text(ada.get(f"/console/ledger?customer={invoice.customer_id}"))
    assert "PAY-" in ledger


def test_what_was_left_aside_needs_somebody(world, today):
    bills.vat()
    bare = bills.service(world.chidi.customer, bills.plan(None), start=today)
    run = bills.bill(today)
    ada = world.console(world.ada)
    assert "could not be billed" in text(ada.get("/console/"))
    page = text(ada.get(f"/console/billing-runs/{run.pk}"))
    assert bare.reference in page
    assert "no price" in page


def test_strangers_see_nothing(world, invoice):
    remi = world.console(world.remi)
    assert invoice.reference not in text(remi.get("/console/invoices"))
    assert remi.get(f"/console/invoices/{invoice.pk}").status_code == 404
