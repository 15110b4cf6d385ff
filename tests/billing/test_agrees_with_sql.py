"""Every customer's bill equals what independent SQL computes."""

import random
from datetime import date, timedelta

import pytest

from apps.billing import selectors
from apps.billing.models import Invoice
from apps.catalog.models import PlanPrice
from tests.billing import world
from tests.billing.oracle import expected_bills, issued_bills

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

DAY = date(2026, 11, 20)


def random_isp(seed: int, customers: int = 60) -> None:
    """Odd prices, changed prices, late starts, ends, several services, two classes."""
    dice = random.Random(seed)
    world.vat("7.5")
    world.vat("0", slug="exempt", label="Exempt")
    world.vat("13.333333", slug="levy", label="Levy")
    plans = []
    for _ in range(8):
        price = f"{dice.randint(0, 90_000)}.{dice.randint(0, 999_999):06d}"
        tax_class = dice.choice(("standard", "standard", "exempt", "levy"))
        plan = world.plan(price, tax_class=tax_class)
        if dice.random() < 0.5:
            change = date(2026, dice.randint(7, 11), dice.randint(1, 28))
            PlanPrice.objects.filter(plan=plan).update(valid_to=change)
            PlanPrice.objects.create(
                plan=plan,
                currency="NGN",
                amount=dice.randint(1, 10**8) / 10**3,
                valid_from=change,
            )
        plans.append(plan)
    plans.append(world.plan("500", billing="prepaid"))
    for _ in range(customers):
        owner = world.customer()
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            start = date(2026, 7, 1) + timedelta(days=dice.randint(0, 150))
            end = None
            if dice.random() < 0.3:
                end = start + timedelta(days=dice.randint(0, 90))
            world.service(owner, dice.choice(plans), start=start, end=end)


@pytest.mark.parametrize("seed", [1, 2])
def test_for_each_of_many_odd_customers(seed):
    random_isp(seed)
    expected = expected_bills(DAY)
    previews = {
        customer_id: selectors.preview_invoice(customer_id=customer_id, day=DAY)
        for customer_id, *_ in expected[:10]
    }

    world.bill(DAY, chunk_size=13)

    assert len(expected) > 40
    assert issued_bills() == expected
    for customer_id, preview in previews.items():
        invoice = Invoice.objects.get(customer_id=customer_id)
        assert preview is not None
        assert (preview.bill.subtotal_minor, preview.bill.tax_minor) == (
            invoice.subtotal_minor,
            invoice.tax_minor,
        )
        assert (preview.day, preview.due_date) == (DAY, invoice.due_date)


def test_preview_of_a_run_counts_what_it_then_bills():
    random_isp(3, customers=25)
    preview = selectors.preview_run(day=DAY)
    assert Invoice.objects.exists() is False
    run = world.bill(DAY)
    result = run.job.result
    assert (preview.invoices, preview.lines) == (result["invoices"], result["lines"])
    assert dict(preview.totals_minor) == result["totals_minor"]
    assert preview.complete is True
    empty = selectors.preview_run(day=DAY)
    assert (empty.invoices, empty.totals) == (0, [])


def test_the_next_bill_is_shown_before_its_month():
    world.vat()
    chidi = world.customer()
    world.service(chidi, world.plan("1000"), start=date(2026, 11, 1))
    world.bill(date(2026, 11, 1))
    preview = selectors.preview_invoice(customer_id=chidi.pk, day=DAY)
    assert preview is not None
    assert (preview.day, preview.bill.total_minor) == (date(2026, 12, 1), 107_500)
    nobody = world.customer()
    assert selectors.preview_invoice(customer_id=nobody.pk, day=DAY) is None
