"""What the bill run reads: who is held when, at which price."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.catalog import selectors
from apps.catalog.models import Service
from dotmac.core.periods import Period
from tests.catalog.shops import TODAY, make_active, ordered
from tests.world import NOON

pytestmark = pytest.mark.django_db
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
DECEMBER = Period(date(2026, 12, 1), date(2027, 1, 1))


def billable(period=NOVEMBER, after_id=0, limit=100):
    return selectors.billable_services(period=period, after_id=after_id, limit=limit)


def test_gives_what_an_invoice_line_needs(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))

    (row,) = billable()

    assert row == selectors.BillableService(
        service_id=service.pk,
        customer_id=world.chidi.customer.pk,
        currency="NGN",
        unit_price=Decimal("15000.000000"),
        tax_class="standard",
        description="Home 20",
        service_reference=service.reference,
        start_date=TODAY,
        end_date=None,
    )


def test_leaves_out_what_is_not_held_in_the_period(shop, world):
    ordered(shop, world.chidi)
    service = make_active(shop, ordered(shop, world.chidi))
    october = Period(date(2026, 10, 1), date(2026, 11, 1))

    assert billable(october) == []
    assert [row.service_id for row in billable(DECEMBER)] == [service.pk]

    shop.do.terminate_service(service_id=service.pk, now=NOON + timedelta(days=2))
    assert billable(DECEMBER) == []
    (row,) = billable(NOVEMBER)
    assert (row.start_date, row.end_date) == (TODAY, TODAY + timedelta(days=2))


def test_leaves_out_a_service_that_ended_on_its_first_day(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    shop.do.terminate_service(service_id=service.pk)

    assert billable() == []


def test_a_suspended_service_is_billed(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    shop.do.suspend_service(
        service_id=service.pk, reason="non_payment", effect="reject"
    )
    assert len(billable(DECEMBER)) == 1


def test_the_price_of_the_first_day_in_the_period_counts(shop, world):
    make_active(shop, ordered(shop, world.chidi))
    for amount, day in ((16000, date(2026, 12, 1)), (17000, date(2026, 12, 15))):
        shop.do.set_price(
            plan_id=shop.plan.pk,
            currency="NGN",
            amount=Decimal(amount),
            valid_from=day,
        )
    january = Period(date(2027, 1, 1), date(2027, 2, 1))

    prices = [billable(p)[0].unit_price for p in (NOVEMBER, DECEMBER, january)]
    assert prices == [15000, 16000, 17000]


def test_a_service_begun_under_a_later_price_costs_that_one(shop, world):
    shop.do.set_price(
        plan_id=shop.plan.pk,
        currency="NGN",
        amount=Decimal(18000),
        valid_from=TODAY,
    )
    make_active(shop, ordered(shop, world.chidi))

    assert billable()[0].unit_price == 18000


def test_prepaid_services_are_not_billed_by_the_month(shop, world):
    plan = shop.do.create_plan(
        slug="pre", name="Pre", profile_id=shop.profile.pk, billing="prepaid"
    )
    shop.do.set_price(
        plan_id=plan.pk, currency="NGN", amount=Decimal(1), valid_from=TODAY
    )
    make_active(
        shop,
        shop.do.order_service(customer_id=world.chidi.customer.pk, plan_id=plan.pk),
    )
    assert billable() == []


def test_a_chunk_is_whole_customers(shop, world, django_assert_num_queries):
    people = sorted(
        (world.chidi.customer, world.dayo.customer), key=lambda found: found.pk
    )
    for person in (world.chidi, world.dayo, world.chidi, world.dayo):
        make_active(shop, ordered(shop, person))

    with django_assert_num_queries(1):
        first = billable(limit=1)
    second = billable(after_id=first[-1].customer_id, limit=1)

    assert [row.customer_id for row in first] == [people[0].pk] * 2
    assert [row.customer_id for row in second] == [people[1].pk] * 2
    assert billable(after_id=second[-1].customer_id) == []
    ids = [row.service_id for row in first + second]
    assert sorted(ids) == sorted(Service.objects.values_list("pk", flat=True))
