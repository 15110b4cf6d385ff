"""Allocation hands out money: nothing is lost, nothing is made, the order holds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.rules.allocation import (
    Debt,
    Held,
    Share,
    allocate,
    oldest_first,
    release,
)

pytestmark = pytest.mark.unit
START = date(2026, 1, 15)


def debt(invoice_id: int, days: int, minor: int) -> Debt:
    due = START + timedelta(days=days)
    return Debt(invoice_id=invoice_id, due_date=due, open_minor=minor)


def share(invoice_id: int, minor: int) -> Share:
    return Share(invoice_id=invoice_id, amount_minor=minor)


debts = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 10**9)), max_size=12
).map(lambda rows: [debt(n, days, minor) for n, (days, minor) in enumerate(rows, 1)])
amounts = st.integers(0, 10**10)


def test_pays_the_oldest_first_and_stops_when_the_money_is_gone():
    owed = [debt(3, 60, 500), debt(1, 0, 500), debt(2, 30, 500)]

    assert allocate(amount_minor=700, debts=owed) == [share(1, 500), share(2, 200)]


def test_pays_the_named_invoice_before_the_older_one():
    owed = [debt(1, 0, 500), debt(2, 30, 500)]

    paid = allocate(amount_minor=700, debts=owed, named=2)

    assert paid == [share(2, 500), share(1, 200)]


def test_leaves_the_rest_as_credit():
    assert allocate(amount_minor=900, debts=[debt(1, 0, 500)]) == [share(1, 500)]
    assert allocate(amount_minor=900, debts=[]) == []


def test_ignores_a_named_invoice_that_owes_nothing():
    assert allocate(amount_minor=5, debts=[debt(1, 0, 9)], named=77) == [share(1, 5)]


def test_orders_debts_of_the_same_day_by_their_birth():
    owed = [debt(9, 0, 1), debt(4, 0, 1)]

    assert [row.invoice_id for row in oldest_first(owed)] == [4, 9]


@given(amounts, debts, st.integers(0, 12))
def test_never_loses_or_makes_money(amount, owed, named):
    shares = allocate(amount_minor=amount, debts=owed, named=named)

    paid = sum(part.amount_minor for part in shares)
    assert paid == min(amount, sum(row.open_minor for row in owed))
    by_invoice = {row.invoice_id: row.open_minor for row in owed}
    assert all(0 < s.amount_minor <= by_invoice[s.invoice_id] for s in shares)
    assert len({s.invoice_id for s in shares}) == len(shares)


@given(amounts, debts)
def test_touches_a_debt_only_when_every_older_one_is_paid(amount, owed):
    paid = {
        s.invoice_id: s.amount_minor for s in allocate(amount_minor=amount, debts=owed)
    }

    complete = True
    for row in oldest_first(owed):
        got = paid.get(row.invoice_id, 0)
        assert complete or got == 0
        complete = got == row.open_minor


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.data())
def test_releases_exactly_what_is_asked_from_the_latest_on(parts, data):
    held = [
        Held(allocation_id=n, payment_id=n, amount_minor=minor)
        for n, minor in enumerate(parts, 1)
    ]
    amount = data.draw(st.integers(0, sum(parts)))

    given_back = release(amount_minor=amount, held=held)

    assert sum(back for _, back in given_back) == amount
    ids = [part.allocation_id for part, _ in given_back]
    assert ids == sorted(ids, reverse=True)
    assert all(back == part.amount_minor for part, back in given_back[:-1])
    assert all(0 < back <= part.amount_minor for part, back in given_back)
