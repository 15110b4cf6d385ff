"""How much of an invoice a credit note takes, line by line and tax by tax.

Any sequence of notes sums to the invoice exactly; the last one takes the
remainder (docs/money.md 6). Nothing here takes more than is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.billing.rules.rating import divide_half_up
from dotmac.core.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRest:
    """A line of the invoice and what earlier notes took of it."""

    line_id: int
    tax_class: str
    tax_percent: Decimal
    amount_minor: int
    credited_minor: int

    @property
    def rest_minor(self) -> int:
        return self.amount_minor - self.credited_minor

    @property
    def group(self) -> tuple[str, Decimal]:
        return (self.tax_class, self.tax_percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRest:
    """A tax group of the invoice and what earlier notes took of its tax."""

    tax_class: str
    label: str
    percent: Decimal
    amount_minor: int
    credited_minor: int

    @property
    def rest_minor(self) -> int:
        return self.amount_minor - self.credited_minor

    @property
    def group(self) -> tuple[str, Decimal]:
        return (self.tax_class, self.percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCredit:
    line_id: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCredit:
    tax_class: str
    label: str
    percent: Decimal
    base_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The content of one credit note."""

    lines: tuple[LineCredit, ...]
    taxes: tuple[TaxCredit, ...]

    @property
    def subtotal_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        return sum(tax.amount_minor for tax in self.taxes)

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.tax_minor


def rest_minor(lines: Sequence[LineRest], taxes: Sequence[TaxRest]) -> int:
    """What is left of the invoice, tax included."""
    return sum(line.rest_minor for line in lines) + sum(t.rest_minor for t in taxes)


def credit_all(*, lines: Sequence[LineRest], taxes: Sequence[TaxRest]) -> Credit:
    """Everything that is left."""
    nets = {line.line_id: line.rest_minor for line in lines}
    return _credit(lines, taxes, nets, {tax.group: tax.rest_minor for tax in taxes})


def credit_lines(
    *,
    lines: Sequence[LineRest],
    taxes: Sequence[TaxRest],
    nets: Mapping[int, int],
) -> Credit:
    """A net amount per line; the tax is the invoice's own tax in proportion."""
    assert all(0 <= nets.get(line.line_id, 0) <= line.rest_minor for line in lines)
    return _credit(
        lines,
        taxes,
        nets,
        {tax.group: _tax_share(tax, lines, nets) for tax in taxes},
    )


def _tax_share(tax: TaxRest, lines: Sequence[LineRest], nets: Mapping[int, int]) -> int:
    """T * C / N rounded, less what was taken: so that the last takes the rest."""
    mine = [line for line in lines if line.group == tax.group]
    now = sum(nets.get(line.line_id, 0) for line in mine)
    net = sum(line.amount_minor for line in mine)
    if now == 0 or net == 0:
        return 0
    credited = sum(line.credited_minor for line in mine) + now
    due = divide_half_up(tax.amount_minor * credited, net)
    return min(max(due - tax.credited_minor, 0), tax.rest_minor)


def credit_amount(
    *, lines: Sequence[LineRest], taxes: Sequence[TaxRest], gross_minor: int
) -> Credit:
    """A gross amount, shared over tax groups and lines by what is left of them."""
    assert 0 < gross_minor <= rest_minor(lines, taxes)
    left = {
        tax.group: tax.rest_minor
        + sum(line.rest_minor for line in lines if line.group == tax.group)
        for tax in taxes
    }
    parts = _shares(gross_minor, [left[tax.group] for tax in taxes])

    nets: dict[int, int] = {}
    tax_now: dict[tuple[str, Decimal], int] = {}
    for tax, part in zip(taxes, parts, strict=True):
        taken = divide_half_up(part * tax.rest_minor, left[tax.group] or 1)
        tax_now[tax.group] = taken
        mine = [line for line in lines if line.group == tax.group]
        shares = _shares(part - taken, [line.rest_minor for line in mine])
        nets.update(
            (line.line_id, share) for line, share in zip(mine, shares, strict=True)
        )
    return _credit(lines, taxes, nets, tax_now)


def _shares(amount_minor: int, weights: list[int]) -> list[int]:
    """Split without loss; no part is larger than its weight when the sum allows."""
    if amount_minor == 0:
        return [0] * len(weights)
    whole = Money(amount_minor, "XXX")
    return [part.amount_minor for part in whole.allocate(weights)]


def _credit(
    lines: Sequence[LineRest],
    taxes: Sequence[TaxRest],
    nets: Mapping[int, int],
    tax_now: Mapping[tuple[str, Decimal], int],
) -> Credit:
    taken = tuple(
        LineCredit(line_id=line.line_id, amount_minor=nets[line.line_id])
        for line in lines
        if nets.get(line.line_id)
    )
    bases = {
        tax.group: sum(
            nets.get(line.line_id, 0) for line in lines if line.group == tax.group
        )
        for tax in taxes
    }
    return Credit(
        lines=taken,
        taxes=tuple(
            TaxCredit(
                tax_class=tax.tax_class,
                label=tax.label,
                percent=tax.percent,
                base_minor=bases[tax.group],
                amount_minor=tax_now[tax.group],
            )
            for tax in taxes
            if bases[tax.group] or tax_now[tax.group]
        ),
    )
