"""Plans and their dated prices."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from apps.catalog import errors, selectors
from apps.catalog.models import Plan, PlanPrice
from apps.ops.models import OutboxEvent
from dotmac.core.db import violated_constraint
from tests.catalog.shops import TODAY

pytestmark = pytest.mark.django_db
NEXT_MONTH = date(2026, 12, 1)


def prices(plan):
    rows = PlanPrice.objects.filter(plan=plan).order_by("currency", "valid_from")
    return [(p.currency, p.amount, p.valid_from, p.valid_to) for p in rows]


def test_a_later_price_ends_the_one_before(shop):
    shop.do.set_price(
        plan_id=shop.plan.pk,
        currency="NGN",
        amount=Decimal("16500.50"),
        valid_from=NEXT_MONTH,
    )

    assert prices(shop.plan) == [
        ("NGN", Decimal(15000), TODAY - timedelta(days=90), NEXT_MONTH),
        ("NGN", Decimal("16500.50"), NEXT_MONTH, None),
    ]
    last_day = NEXT_MONTH - timedelta(days=1)
    for day, amount in ((last_day, Decimal(15000)), (NEXT_MONTH, Decimal("16500.50"))):
        (price,) = selectors.current_prices([shop.plan.pk], day)[shop.plan.pk]
        assert price.amount == amount


def test_the_same_price_again_changes_nothing(shop):
    facts = {
        "plan_id": shop.plan.pk,
        "currency": "NGN",
        "amount": Decimal(16000),
        "valid_from": NEXT_MONTH,
    }
    first = shop.do.set_price(**facts)
    events = OutboxEvent.objects.count()

    assert shop.do.set_price(**facts).pk == first.pk
    assert OutboxEvent.objects.count() == events
    assert len(prices(shop.plan)) == 2


def test_currencies_have_prices_of_their_own(shop):
    shop.do.set_price(
        plan_id=shop.plan.pk, currency="USD", amount=Decimal(10), valid_from=TODAY
    )

    assert [(row[0], row[3]) for row in prices(shop.plan)] == [
        ("NGN", None),
        ("USD", None),
    ]


@pytest.mark.parametrize(
    ("_case", "facts", "refusal", "field"),
    [
        ("no plan", {"plan_id": 0}, errors.UnknownPlan, "plan"),
        ("no currency", {"currency": "naira"}, errors.PriceRefused, "currency"),
        ("negative", {"amount": Decimal(-1)}, errors.PriceRefused, "amount"),
        ("not a number", {"amount": Decimal("NaN")}, errors.PriceRefused, "amount"),
        ("too large", {"amount": Decimal(10) ** 11}, errors.PriceRefused, "amount"),
        ("digits", {"amount": Decimal("1.0000001")}, errors.PriceRefused, "amount"),
        (
            "same day, another amount",
            {"valid_from": TODAY - timedelta(days=90)},
            errors.PriceOverlaps,
            "valid_from",
        ),
        (
            "from yesterday",
            {"valid_from": TODAY - timedelta(days=1)},
            errors.PriceInPast,
            "valid_from",
        ),
    ],
)
def test_refuses_a_price(shop, _case, facts, refusal, field):
    before = prices(shop.plan)

    with pytest.raises(refusal) as refused:
        shop.do.set_price(
            **{
                "plan_id": shop.plan.pk,
                "currency": "NGN",
                "amount": Decimal(16000),
                "valid_from": NEXT_MONTH,
                **facts,
            }
        )

    assert refused.value.field == field
    assert prices(shop.plan) == before


@pytest.mark.parametrize(
    ("_case", "facts", "refusal", "field"),
    [
        ("slug taken", {}, errors.PlanSlugTaken, "slug"),
        (
            "profile",
            {"slug": "x", "profile_id": 0},
            errors.UnknownRateProfile,
            "profile",
        ),
        ("pool", {"slug": "x", "pool_id": 0}, errors.UnknownPool, "pool"),
    ],
)
def test_refuses_a_plan(shop, _case, facts, refusal, field):
    with pytest.raises(refusal) as refused, transaction.atomic():
        shop.do.create_plan(
            **{
                "slug": "home-20",
                "name": "Other",
                "profile_id": shop.profile.pk,
                **facts,
            }
        )

    assert refused.value.field == field
    assert Plan.objects.count() == 1


def test_a_plan_is_retired_once(shop):
    shop.do.retire_plan(plan_id=shop.plan.pk)
    events = OutboxEvent.objects.count()
    plan = shop.do.retire_plan(plan_id=shop.plan.pk)

    assert plan.state == "retired"
    assert OutboxEvent.objects.count() == events
    with pytest.raises(errors.UnknownPlan):
        shop.do.retire_plan(plan_id=0)


def refused_by(statement, *params):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        connection.cursor().execute(statement, params)
    return violated_constraint(refused.value)


def test_the_database_lets_no_two_prices_overlap(shop):
    insert = (
        "INSERT INTO catalog_planprice (plan_id, currency, amount, valid_from,"
        " valid_to, created_at, updated_at) VALUES (%s, 'NGN', %s, %s, %s, now(), now())"
    )
    assert (
        refused_by(insert, shop.plan.pk, 1, TODAY, None)
        == "catalog_planprice_no_overlap"
    )
    long_ago = date(2020, 1, 1)
    assert (
        refused_by(insert, shop.plan.pk, 1, long_ago, long_ago)
        == "catalog_planprice_ends_after_start"
    )
    assert (
        refused_by(insert, shop.plan.pk, -1, long_ago, date(2020, 2, 1))
        == "catalog_planprice_amount_not_negative"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE catalog_planprice SET amount = 1",
        "UPDATE catalog_planprice SET currency = 'USD'",
        "UPDATE catalog_planprice SET valid_from = valid_from - 1",
        "UPDATE catalog_planprice SET plan_id = plan_id + 1",
    ],
)
def test_the_database_lets_nobody_edit_a_price(shop, statement):
    assert refused_by(statement) == "catalog_planprice_superseded"


def test_the_database_keeps_an_end_and_every_price(shop):
    PlanPrice.objects.update(valid_to=NEXT_MONTH)

    name = refused_by("UPDATE catalog_planprice SET valid_to = NULL")
    assert name == "catalog_planprice_superseded"
    name = refused_by("DELETE FROM catalog_planprice")
    assert name == "catalog_planprice_superseded"


@pytest.mark.parametrize(
    ("key", "found"),
    [("home-20", True), ("none", False), ("9" * 30, False), ("0", False)],
)
def test_finds_a_plan_by_id_or_slug(shop, key, found):
    assert (selectors.find_plan(key) == shop.plan) is found
    assert selectors.find_plan(shop.plan.pk) == shop.plan
    assert selectors.find_plan(str(shop.plan.pk)) == shop.plan


def test_lists_every_price_the_newest_first(shop):
    shop.do.set_price(
        plan_id=shop.plan.pk,
        currency="NGN",
        amount=Decimal(1),
        valid_from=NEXT_MONTH,
    )
    assert [p.amount for p in selectors.prices_of(shop.plan.pk)] == [1, 15000]
