"""Credits…"""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.billing.rules.credit import (
    Credit,
    LineRest,
    TaxRest,
    credit_all,
    credit_amount,
    credit_lines,
    rest_minor,
)
from apps.billing.rules.invoices import state_after
from apps.billing.rules.rating import tax_minor

pytestmark = pytest.mark.unit

PERCENTS = {"a": Decimal("7.5"), "b": Decimal(0), "c": Decimal("33.333333")}


@st.composite
def invoices(draw):
    """Lines in up to three tax groups, nothing credited yet."""
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 10_000)),
            min_size=1,
            max_size=6,
        )
    )
    lines = [
        LineRest(
            line_id=n,
            tax_class=group,
            tax_percent=PERCENTS[group],
            amount_minor=amount,
            credited_minor=0,
        )
        for n, (group, amount) in enumerate(pairs)
    ]
    taxes = [
        TaxRest(
            tax_class=group,
            label=group,
            percent=PERCENTS[group],
            amount_minor=tax_minor(
                base_minor=sum(amount for g, amount in pairs if g == group),
                percent=PERCENTS[group],
            ),
            credited_minor=0,
        )
        for group in sorted({group for group, _ in pairs})
    ]
    return lines, taxes


def after(lines, taxes, credit: Credit):
    """The rests once the note stands, as the next note finds them."""
    took = {part.line_id: part.amount_minor for part in credit.lines}
    tax_took = {
        (part.tax_class, part.percent): part.amount_minor for part in credit.taxes
    }
    return (
        [
            replace(one, credited_minor=one.credited_minor + took.get(one.line_id, 0))
            for one in lines
        ],
        [
            replace(one, credited_minor=one.credited_minor + tax_took.get(one.group, 0))
            for one in taxes
        ],
    )


def judge(lines, taxes, credit: Credit):
    left_lines, left_taxes = after(lines, taxes, credit)
    assert all(one.rest_minor >= 0 for one in (*left_lines, *left_taxes))
    assert all(part.amount_minor > 0 for part in credit.lines)
    assert all(part.amount_minor >= 0 for part in credit.taxes)
    assert sum(part.base_minor for part in credit.taxes) == credit.subtotal_minor
    return left_lines, left_taxes


@settings(max_examples=300)
@given(invoice=invoices(), data=st.data())
def test_any_sequence_of_notes_sums_to_the_invoice(invoice, data):
    lines, taxes = invoice
    whole = rest_minor(lines, taxes)
    taken = 0
    for _ in range(data.draw(st.integers(0, 5))):
        left = rest_minor(lines, taxes)
        if left == 0:
            break
        if data.draw(st.booleans()):
            gross = data.draw(st.integers(1, left))
            credit = credit_amount(lines=lines, taxes=taxes, gross_minor=gross)
            assert credit.total_minor == gross
        else:
            nets = {
                one.line_id: data.draw(st.integers(0, one.rest_minor)) for one in lines
            }
            credit = credit_lines(lines=lines, taxes=taxes, nets=nets)
            assert credit.subtotal_minor == sum(nets.values())
        lines, taxes = judge(lines, taxes, credit)
        taken += credit.total_minor

    last = credit_all(lines=lines, taxes=taxes)
    lines, taxes = judge(lines, taxes, last)
    assert rest_minor(lines, taxes) == 0
    assert taken + last.total_minor == whole


@given(invoice=invoices())
def test_crediting_each_line_whole_credits_the_whole_tax(invoice):
    lines, taxes = invoice
    credit = credit_lines(
        lines=lines, taxes=taxes, nets={one.line_id: one.amount_minor for one in lines}
    )
    assert credit == credit_all(lines=lines, taxes=taxes)


def test_the_tax_of_thirds_has_no_remainder():
    line = LineRest(
        line_id=1,
        tax_class="a",
        tax_percent=PERCENTS["a"],
        amount_minor=666_667,
        credited_minor=0,
    )
    tax = TaxRest(
        tax_class="a",
        label="VAT",
        percent=PERCENTS["a"],
        amount_minor=50_000,
        credited_minor=0,
    )
    lines, taxes, got = [line], [tax], []
    for net in (222_222, 222_222, 222_223):
        credit = credit_lines(lines=lines, taxes=taxes, nets={1: net})
        got.append(credit.tax_minor)
        lines, taxes = after(lines, taxes, credit)
    assert got == [16_667, 16_666, 16_667]


@pytest.mark.parametrize(
    ("state", "total", "allocated", "credited", "becomes"),
    [
        ("open", 100, 0, 0, "open"),
        ("open", 100, 40, 59, "open"),
        ("open", 100, 40, 60, "paid"),
        ("open", 100, 0, 100, "void"),
        ("paid", 100, 99, 0, "open"),
        ("paid", 0, 0, 0, "paid"),
        ("uncollectible", 100, 10, 0, "uncollectible"),
        ("uncollectible", 100, 100, 0, "paid"),
        ("uncollectible", 100, 0, 100, "void"),
    ],
)
def test_the_state_follows_the_amounts(state, total, allocated, credited, becomes):
    assert (
        state_after(
            state=state,
            total_minor=total,
            allocated_minor=allocated,
            credited_minor=credited,
        )
        == becomes
    )
