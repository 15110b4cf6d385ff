from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotmac.core.money import AMOUNT_MINOR_MAX, Money, MoneyError, exponent_of

pytestmark = pytest.mark.unit
amounts = st.integers(min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12500.00", "NGN", 1_250_000),
        ("7", "XOF", 7),
        ("0.125", "KWD", 125),
        ("-3.5", "USD", -350),
    ],
)
def test_reads_major_units(text, currency, minor):
    assert Money.of(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.001", "NGN"),
        ("1.5", "XOF"),
        ("NaN", "NGN"),
        ("1e30", "NGN"),
        ("ten", "NGN"),
        ("1", "naira"),
        ("1", "ngn"),
        ("Infinity", "USD"),
        ("1e3", "NGN"),
        ("1_000", "NGN"),
        (" 1", "NGN"),
        ("\u0661", "NGN"),
        ("", "NGN"),
    ],
)
def test_refuses_what_is_no_amount(text, currency):
    with pytest.raises(MoneyError):
        Money.of(text, currency)


@pytest.mark.parametrize("currency", ["ngn", "NG", "NGNN", "N1N", "\x0fY=", "ÄÖÜ", ""])
def test_a_currency_is_three_capital_letters(currency):
    with pytest.raises(MoneyError):
        Money(1, currency)


def test_refuses_more_than_the_world_holds():
    with pytest.raises(MoneyError):
        Money(AMOUNT_MINOR_MAX + 1, "NGN")


def test_currencies_do_not_mix():
    naira, dollars = Money(1, "NGN"), Money(1, "USD")
    for act in (
        naira.__add__,
        naira.__sub__,
        naira.__lt__,
        naira.__le__,
        naira.__gt__,
        naira.__ge__,
    ):
        with pytest.raises(MoneyError):
            act(dollars)


def test_shows_itself_with_the_currencys_digits():
    assert str(Money(123456789, "NGN")) == "1,234,567.89 NGN"
    assert Money(123456789, "NGN").plain() == "1234567.89"
    assert Money(5, "XOF").plain() == "5"
    assert (exponent_of("KWD"), Money(1, "KWD").plain()) == (3, "0.001")


def test_counts_and_compares():
    one, two = Money(100, "NGN"), Money(200, "NGN")
    assert one + one == two
    assert two - one == one
    assert -one == Money(-100, "NGN")
    assert one < two
    assert one <= two
    assert two > one
    assert two >= one
    assert bool(one) is True
    assert bool(Money.zero("NGN")) is False


@pytest.mark.parametrize(
    ("factor", "minor"),
    [("0.075", 8), ("0.5", 50), ("0.005", 1), ("2", 200), ("-0.005", -1)],
)
def test_multiplies_and_rounds_half_up_once(factor, minor):
    assert Money(100, "NGN").times(Decimal(factor)) == Money(minor, "NGN")


def test_rounds_major_units_half_up():
    assert Money.rounded(Decimal("10.005"), "NGN") == Money(1001, "NGN")


@given(
    amounts,
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=20),
)
def test_splitting_loses_nothing(minor, weights):
    if sum(weights) == 0:
        weights = [*weights, 1]
    whole = Money(minor, "NGN")

    parts = whole.allocate(weights)

    assert sum(part.amount_minor for part in parts) == minor
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.amount_minor * total - minor * weight) < total


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_splitting_needs_real_weights(weights):
    with pytest.raises(MoneyError):
        Money(10, "NGN").allocate(weights)


@given(amounts, st.integers(1, 31), st.integers(1, 31))
def test_a_share_stays_within_the_whole(minor, a, b):
    numerator, denominator = min(a, b), max(a, b)
    share = Money(minor, "NGN").prorate(numerator=numerator, denominator=denominator)
    assert abs(share.amount_minor) <= abs(minor)
    assert abs(share.amount_minor * denominator - minor * numerator) * 2 <= denominator


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 1), (-1, 3), (0, 0)])
def test_a_share_is_no_more_than_the_whole(numerator, denominator):
    with pytest.raises(MoneyError):
        Money(10, "NGN").prorate(numerator=numerator, denominator=denominator)
