"""Rating…"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.rules.ledger import (
    credit_note_postings,
    invoice_postings,
    mirrored,
    payment_postings,
)
from apps.billing.rules.rating import (
    Item,
    Park,
    Rate,
    divide_half_up,
    held_in,
    prorated_minor,
    rate_bill,
    tax_minor,
)
from dotmac.core.periods import Period, month_of

pytestmark = pytest.mark.unit

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
VAT = {"standard": Rate(label="VAT", percent=Decimal("7.5"))}

prices = st.decimals(min_value=0, max_value=10**9, places=6)
days = st.dates(min_value=date(2024, 1, 1), max_value=date(2027, 12, 31))


def item(price="12500", start=date(2026, 11, 1), end=None, **fields):
    return Item(
        **{
            "service_id": 1,
            "service_reference": "S-000001",
            "description": "Home 20",
            "currency": "NGN",
            "unit_price": None if price is None else Decimal(price),
            "tax_class": "standard",
            "period": NOVEMBER,
            "held_from": start,
            "held_until": end,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("_case", "price", "start", "end", "amount"),
    [
        ("a whole month", "12500", date(2026, 11, 1), None, 1_250_000),
        ("from before", "12500", date(2026, 5, 20), None, 1_250_000),
        ("the 15th to the end", "12500", date(2026, 11, 15), None, 666_667),
        ("the last day only", "12500", date(2026, 11, 30), None, 41_667),
        ("up to the 11th", "3000", date(2026, 11, 1), date(2026, 11, 11), 100_000),
        ("one day inside", "3000", date(2026, 11, 7), date(2026, 11, 8), 10_000),
        ("half a kobo up", "0.005", date(2026, 11, 1), None, 1),
        ("just below half", "0.004999", date(2026, 11, 1), None, 0),
        ("finer than a coin", "0.333333", date(2026, 11, 1), None, 33),
    ],
)
def test_charges_whole_days_rounded_once(_case, price, start, end, amount):
    bill, parked = rate_bill(currency="NGN", items=[item(price, start, end)], rates=VAT)
    assert parked == []
    assert [line.amount_minor for line in bill.lines] == [amount]


@pytest.mark.parametrize(
    ("currency", "amount"), [("NGN", 1_050), ("XOF", 11), ("KWD", 10_500)]
)
def test_knows_the_coins_of_each_currency(currency, amount):
    bill, _ = rate_bill(
        currency=currency, items=[item("10.5", currency=currency)], rates=VAT
    )
    assert bill.subtotal_minor == amount


def test_knows_leap_years():
    february = month_of(date(2028, 2, 1))
    assert february.days == 29
    bill, _ = rate_bill(
        currency="NGN",
        items=[item("29", date(2028, 2, 29), period=february)],
        rates=VAT,
    )
    assert bill.lines[0].amount_minor == 100


def test_charges_nothing_outside_the_month():
    for start, end in (
        (date(2026, 12, 1), None),
        (date(2026, 1, 1), date(2026, 11, 1)),
        (date(2026, 11, 5), date(2026, 11, 5)),
    ):
        bill, parked = rate_bill(
            currency="NGN", items=[item(start=start, end=end)], rates=VAT
        )
        assert (bill.lines, parked, bill.total_minor) == ((), [], 0)
        assert held_in(NOVEMBER, start, end) is None


def test_taxes_by_group_not_by_line():
    bill, _ = rate_bill(currency="NGN", items=[item("0.33")] * 3, rates=VAT)
    assert (bill.subtotal_minor, bill.tax_minor) == (99, 7)
    assert sum(tax_minor(base_minor=33, percent=Decimal("7.5")) for _ in "abc") == 6


def test_keeps_groups_apart_and_in_order():
    rates = {**VAT, "exempt": Rate(label="Exempt", percent=Decimal(0))}
    items = [item("10"), item("20", tax_class="exempt"), item("30")]
    bill, _ = rate_bill(currency="NGN", items=items, rates=rates)
    assert [(g.tax_class, g.base_minor, g.amount_minor) for g in bill.taxes] == [
        ("exempt", 2000, 0),
        ("standard", 4000, 300),
    ]


def test_says_why_it_leaves_something_aside():
    items = [item(None), item(currency="USD"), item(tax_class="odd"), item("1")]
    bill, parked = rate_bill(currency="NGN", items=items, rates=VAT)
    assert len(bill.lines) == 1
    assert [one.reason for one in parked] == [
        Park.NO_PRICE,
        Park.OTHER_CURRENCY,
        Park.NO_TAX_RATE,
    ]


@given(price=prices, start=days, length=st.integers(1, 400))
def test_each_line_is_the_exact_fraction_rounded_half_up(price, start, length):
    period = month_of(start)
    bill, _ = rate_bill(
        currency="NGN",
        items=[
            item(price, start, start + timedelta(days=length), period=period),
        ],
        rates=VAT,
    )
    (line,) = bill.lines
    exact = Fraction(price) * 100 * line.days / line.days_whole
    assert abs(Fraction(line.amount_minor) - exact) <= Fraction(1, 2)
    assert line.amount_minor == (2 * exact + 1) // 2
    assert bill.total_minor == bill.subtotal_minor + bill.tax_minor


@given(price=prices, cut=st.integers(1, 29))
def test_the_parts_of_a_split_month_are_the_whole_within_one_unit(price, cut):
    middle = date(2026, 11, 1) + timedelta(days=cut)
    parts, _ = rate_bill(
        currency="NGN", items=[item(price, end=middle), item(price, middle)], rates=VAT
    )
    whole, _ = rate_bill(currency="NGN", items=[item(price)], rates=VAT)
    assert abs(parts.subtotal_minor - whole.subtotal_minor) <= 1
    assert sum(line.days for line in parts.lines) == 30


@given(
    base=st.integers(0, 10**12),
    percent=st.decimals(min_value=0, max_value=100, places=6),
)
def test_tax_is_the_decimal_product_rounded_half_up(base, percent):
    exact = (Decimal(base) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert tax_minor(base_minor=base, percent=percent) == exact


@given(a=st.integers(0, 10**15), b=st.integers(1, 10**9))
def test_division_rounds_halves_up(a, b):
    assert divide_half_up(a, b) == (Fraction(2 * a, b) + 1) // 2


def test_more_days_never_cost_less():
    amounts = [
        prorated_minor(
            unit_price=Decimal("12345.678901"), exponent=2, days=n, days_whole=31
        )
        for n in range(1, 32)
    ]
    assert amounts == sorted(amounts)
    assert amounts[-1] == 1_234_568


@given(net=st.integers(0, 10**12), tax=st.integers(0, 10**11))
def test_every_set_of_postings_sums_to_zero(net, tax):
    facts: Any = {"customer_id": 7, "currency": "NGN"}
    invoice = invoice_postings(subtotal_minor=net, tax_minor=tax, **facts)
    note = credit_note_postings(subtotal_minor=net, tax_minor=tax, **facts)
    payment = payment_postings(account=1010, amount_minor=net, **facts)
    for postings in (invoice, note, payment, mirrored(payment)):
        assert sum(posting.amount_minor for posting in postings) == 0
        assert all(posting.amount_minor for posting in postings)
        assert all((p.account == 1100) == (p.customer_id == 7) for p in postings)
    assert note == mirrored(invoice)
