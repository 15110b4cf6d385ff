"""A bill run…"""

from datetime import date

import pytest

from apps.billing.errors import BillingDayAhead
from apps.billing.models import (
    BilledPeriod,
    BillingRun,
    CustomerBalance,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerEntry,
    ParkedService,
)
from apps.billing.selectors import unbilled
from apps.catalog.models import PlanPrice
from apps.ops.models import OutboxEvent
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

FIRST = date(2026, 11, 1)


def test_prorates_the_first_period_and_posts_it():
    world.vat()
    chidi = world.customer()
    world.service(chidi, world.plan("12500"), start=date(2026, 11, 15))

    run = world.bill(date(2026, 11, 20))

    invoice = Invoice.objects.get()
    assert (invoice.reference, invoice.state) == ("INV-2026-000001", "open")
    assert (invoice.subtotal_minor, invoice.tax_minor) == (666_667, 50_000)
    assert (invoice.issue_date, invoice.due_date) == (
        date(2026, 11, 20),
        date(2026, 12, 4),
    )
    assert (invoice.period_start, invoice.period_end) == (
        date(2026, 11, 15),
        date(2026, 12, 1),
    )
    assert invoice.buyer["name"] == "Chidi"
    line = InvoiceLine.objects.get()
    assert (line.days, line.days_whole, line.amount_minor) == (16, 30, 666_667)
    assert InvoiceTax.objects.get().base_minor == 666_667
    entries = LedgerEntry.objects.order_by("account_id")
    assert [(e.account_id, e.amount_minor) for e in entries] == [
        (1100, 716_667),
        (2200, -50_000),
        (4000, -666_667),
    ]
    assert CustomerBalance.objects.get(customer=chidi).balance_minor == 716_667
    assert (run.job.state, run.job.result["invoices"]) == ("succeeded", 1)
    assert run.job.result["totals_minor"] == {"NGN": 716_667}
    names = set(OutboxEvent.objects.values_list("name", flat=True))
    assert {"billing.invoices.issued.v1", "billing.run.finished.v1"} <= names


def test_bills_nothing_twice():
    world.vat()
    world.service(world.customer(), world.plan(), start=FIRST)
    world.bill(date(2026, 11, 20))
    world.bill(date(2026, 11, 20))
    world.bill(date(2026, 11, 30))
    assert Invoice.objects.count() == 1

    world.bill(date(2026, 12, 1))
    periods = BilledPeriod.objects.values_list("period_start", flat=True)
    assert sorted(periods) == [FIRST, date(2026, 12, 1)]


def test_puts_services_and_missed_months_on_one_invoice():
    world.vat()
    chidi = world.customer()
    world.service(chidi, world.plan("12500"), start=date(2026, 9, 20))
    world.service(chidi, world.plan("5000"), start=date(2026, 11, 3))

    world.bill(date(2026, 11, 23))

    invoice = Invoice.objects.get()
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("number")
    assert [(line.days, line.days_whole, line.amount_minor) for line in lines] == [
        (11, 30, 458_333),
        (31, 31, 1_250_000),
        (30, 30, 1_250_000),
        (28, 30, 466_667),
    ]
    assert invoice.subtotal_minor == 3_425_000
    assert invoice.tax_minor == 256_875


def test_stops_with_the_service():
    world.vat()
    chidi, plan = world.customer(), world.plan("3000")
    world.service(chidi, plan, start=date(2026, 10, 5), end=date(2026, 11, 11))
    world.service(chidi, plan, start=date(2026, 11, 9), end=date(2026, 11, 9))

    world.bill(date(2026, 12, 1))

    lines = InvoiceLine.objects.order_by("number")
    assert [(line.period_start, line.period_end, line.days) for line in lines] == [
        (date(2026, 10, 5), date(2026, 11, 1), 27),
        (date(2026, 11, 1), date(2026, 11, 11), 10),
    ]


def test_leaves_prepaid_and_later_services_alone():
    world.vat()
    chidi = world.customer()
    world.service(chidi, world.plan(billing="prepaid"), start=FIRST)
    world.service(chidi, world.plan(), start=date(2026, 11, 21))
    world.bill(date(2026, 11, 20))
    assert Invoice.objects.exists() is False


def test_parks_what_it_cannot_price_and_bills_the_rest():
    world.vat()
    chidi = world.customer()
    good = world.service(chidi, world.plan("1000"), start=FIRST)
    bare = world.service(chidi, world.plan(None), start=FIRST)
    odd = world.service(chidi, world.plan(tax_class="nowhere"), start=FIRST)

    run = world.bill(FIRST)

    assert [line.service_id for line in InvoiceLine.objects.all()] == [good.pk]
    parked = ParkedService.objects.filter(run=run).order_by("service_id")
    assert [(row.service_id, row.reason) for row in parked] == [
        (bare.pk, "no_price"),
        (odd.pk, "no_tax_rate"),
    ]
    world.vat("0", slug="nowhere", label="Exempt")
    world.bill(date(2026, 11, 2))
    assert {line.service_id for line in InvoiceLine.objects.all()} == {good.pk, odd.pk}


def test_bills_a_month_that_was_left_aside_before_a_billed_one():
    world.vat()
    plan = world.plan("3000", valid_from=date(2026, 10, 1))
    world.service(world.customer(), plan, start=date(2026, 9, 15))
    run = world.bill(date(2026, 10, 1))
    assert ParkedService.objects.get(run=run).period_start == date(2026, 9, 1)
    claimed = BilledPeriod.objects.values_list("period_start", flat=True)
    assert list(claimed) == [date(2026, 10, 1)]

    PlanPrice.objects.create(
        plan=plan,
        currency="NGN",
        amount=1500,
        valid_from=date(2026, 9, 1),
        valid_to=date(2026, 10, 1),
    )
    world.bill(date(2026, 11, 1))

    latest = InvoiceLine.objects.filter(invoice=Invoice.objects.latest("pk"))
    assert [(line.period_start, line.amount_minor) for line in latest] == [
        (date(2026, 9, 15), 80_000),
        (date(2026, 11, 1), 300_000),
    ]
    assert len(claimed.all()) == 3


def test_catches_up_a_bounded_number_of_months(monkeypatch):
    monkeypatch.setattr(unbilled, "MONTHS_BACK_MAX", 3)
    world.vat()
    world.service(world.customer(), world.plan("100"), start=date(2026, 5, 1))
    world.bill(date(2026, 11, 1))
    assert InvoiceLine.objects.count() == 3
    world.bill(date(2026, 11, 1))
    world.bill(date(2026, 11, 1))
    assert InvoiceLine.objects.count() == 7


def test_issues_an_invoice_of_zero_as_paid():
    world.vat()
    world.service(world.customer(), world.plan("0"), start=FIRST)
    world.bill(FIRST)
    assert Invoice.objects.get().state == "paid"
    assert LedgerEntry.objects.exists() is False


def test_takes_the_price_of_the_first_day_charged():
    world.vat()
    plan = world.plan("1000")
    price = plan_price(plan)
    price.valid_to = date(2026, 11, 10)
    price.save()
    type(price).objects.create(
        plan=plan, currency="NGN", amount=2000, valid_from=date(2026, 11, 10)
    )
    world.service(world.customer(), plan, start=date(2026, 11, 9))
    world.service(world.customer(), plan, start=date(2026, 11, 10))
    world.bill(date(2026, 11, 20))
    prices = InvoiceLine.objects.order_by("invoice_id")
    assert [line.unit_price for line in prices] == [1000, 2000]


def plan_price(plan):
    return PlanPrice.objects.get(plan=plan)


def test_refuses_a_day_that_has_not_come():
    with pytest.raises(BillingDayAhead):
        world.operations.run_billing(
            day=date(2026, 11, 24),
            actor=world.ACTOR,
            now=world.noon(date(2026, 11, 23)),
        )
    assert BillingRun.objects.exists() is False


def test_numbers_run_on_over_chunks_and_runs_and_start_again_each_year():
    world.vat()
    plan = world.plan()
    for _ in range(7):
        world.service(world.customer(), plan, start=date(2026, 12, 31))
    run = world.bill(date(2026, 12, 31), chunk_size=3)
    assert run.job.total == 7
    world.bill(date(2027, 1, 1), chunk_size=2)
    references = sorted(map(str, Invoice.objects.values_list("reference", flat=True)))
    assert references == [
        *(f"INV-2026-{n:06d}" for n in range(1, 8)),
        *(f"INV-2027-{n:06d}" for n in range(1, 8)),
    ]
