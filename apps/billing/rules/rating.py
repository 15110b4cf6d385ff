"""From what customers held to what they owe: lines, taxes, a bill.

Bill run, preview and portal call the same functions. Whole numbers throughout:
a price is read as millionths of the minor unit's major, so that each amount is
one exact fraction, rounded half up once (docs/money.md 1 to 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from dotmac.core.money import exponent_of
from dotmac.core.periods import Period, month_of

_PRICE_SCALE = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One service on one plan in one calendar month."""

    service_id: int
    service_reference: str
    description: str
    currency: str
    unit_price: Decimal | None
    tax_class: str
    period: Period
    held_from: date
    held_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The exclusive rate of a tax class on the day of issue."""

    label: str
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One charge; start and end are the days charged, the end excluded."""

    service_id: int
    service_reference: str
    description: str
    month: date
    start: date
    end: date
    days: int
    days_whole: int
    unit_price: Decimal
    amount_minor: int
    tax_class: str
    tax_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """The tax of all lines with one class and rate."""

    tax_class: str
    label: str
    percent: Decimal
    base_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one customer owes for what a run found, before it is an invoice."""

    currency: str
    lines: tuple[Line, ...]
    taxes: tuple[TaxGroup, ...]
    subtotal_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.tax_minor


class Park(StrEnum):
    """Why an item cannot be charged (enums.ParkReason has the sentences)."""

    NO_PRICE = "no_price"
    OTHER_CURRENCY = "other_currency"
    NO_TAX_RATE = "no_tax_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """An item left aside."""

    item: Item
    reason: Park


def rate_bill(
    *, currency: str, items: Iterable[Item], rates: Mapping[str, Rate]
) -> tuple[Bill, list[Parked]]:
    """The bill of one customer, and what had to be left aside.

    Items that were not held in their month give no line.
    """
    lines: list[Line] = []
    parked: list[Parked] = []
    exponent = exponent_of(currency)
    for item in items:
        reason = _why_not(item, currency, rates)
        if reason is not None:
            parked.append(Parked(item=item, reason=reason))
            continue
        line = _rate_item(item, exponent, rates[item.tax_class].percent)
        if line is not None:
            lines.append(line)
    taxes = tax_groups(lines, rates)
    bill = Bill(
        currency=currency,
        lines=tuple(lines),
        taxes=taxes,
        subtotal_minor=sum(line.amount_minor for line in lines),
        tax_minor=sum(group.amount_minor for group in taxes),
    )
    return bill, parked


def _why_not(item: Item, currency: str, rates: Mapping[str, Rate]) -> Park | None:
    if item.unit_price is None:
        return Park.NO_PRICE
    if item.currency != currency:
        return Park.OTHER_CURRENCY
    return None if item.tax_class in rates else Park.NO_TAX_RATE


def _rate_item(item: Item, exponent: int, percent: Decimal) -> Line | None:
    held = held_in(item.period, item.held_from, item.held_until)
    if held is None:
        return None
    assert item.unit_price is not None
    whole = month_of(item.period.start).days
    return Line(
        service_id=item.service_id,
        service_reference=item.service_reference,
        description=item.description,
        month=item.period.start,
        start=held.start,
        end=held.end,
        days=held.days,
        days_whole=whole,
        unit_price=item.unit_price,
        amount_minor=prorated_minor(
            unit_price=item.unit_price,
            exponent=exponent,
            days=held.days,
            days_whole=whole,
        ),
        tax_class=item.tax_class,
        tax_percent=percent,
    )


def held_in(period: Period, start: date, end: date | None) -> Period | None:
    """The days of the period from start up to end (excluded); None when no day."""
    first = max(period.start, start)
    last = period.end if end is None else min(period.end, end)
    return Period(first, last) if first < last else None


def prorated_minor(
    *, unit_price: Decimal, exponent: int, days: int, days_whole: int
) -> int:
    """price * days / days of the month, in minor units, rounded half up once."""
    assert unit_price >= 0
    assert 0 < days <= days_whole
    millionths = int(unit_price * _PRICE_SCALE)
    return divide_half_up(millionths * 10**exponent * days, _PRICE_SCALE * days_whole)


def tax_groups(
    lines: Sequence[Line], rates: Mapping[str, Rate]
) -> tuple[TaxGroup, ...]:
    """One group per tax class (it has one rate on the day), in order of class."""
    bases: dict[str, int] = {}
    for line in lines:
        bases[line.tax_class] = bases.get(line.tax_class, 0) + line.amount_minor
    return tuple(
        TaxGroup(
            tax_class=tax_class,
            label=rates[tax_class].label,
            percent=rates[tax_class].percent,
            base_minor=base,
            amount_minor=tax_minor(base_minor=base, percent=rates[tax_class].percent),
        )
        for tax_class, base in sorted(bases.items())
    )


def tax_minor(*, base_minor: int, percent: Decimal) -> int:
    """base * percent / 100, rounded half up once."""
    return divide_half_up(base_minor * int(percent * _PRICE_SCALE), 100 * _PRICE_SCALE)


def divide_half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number of a fraction that is not negative."""
    assert numerator >= 0
    assert denominator > 0
    return (2 * numerator + denominator) // (2 * denominator)
