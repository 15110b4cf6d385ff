"""Which debts an amount pays: the named invoice first, then the oldest.

What is left when every debt is paid stays as the customer's credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """An invoice with something left to pay."""

    invoice_id: int
    due_date: date
    open_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of an amount that goes to one invoice."""

    invoice_id: int
    amount_minor: int


def oldest_first(debts: Iterable[Debt]) -> list[Debt]:
    """Earliest due date first; of the same day the invoice made first."""
    return sorted(debts, key=lambda debt: (debt.due_date, debt.invoice_id))


def allocate(
    *, amount_minor: int, debts: Sequence[Debt], named: int | None = None
) -> list[Share]:
    """Hand out the amount. Never more than the amount, never more than a debt."""
    assert amount_minor >= 0
    assert all(debt.open_minor > 0 for debt in debts)

    shares = []
    left = amount_minor
    for debt in _named_first(debts, named):
        if left == 0:
            break
        part = min(left, debt.open_minor)
        shares.append(Share(invoice_id=debt.invoice_id, amount_minor=part))
        left -= part
    return shares


def _named_first(debts: Sequence[Debt], named: int | None) -> list[Debt]:
    return sorted(oldest_first(debts), key=lambda debt: debt.invoice_id != named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one payment still holds of an invoice."""

    allocation_id: int
    payment_id: int
    amount_minor: int


def release(*, amount_minor: int, held: Sequence[Held]) -> list[tuple[Held, int]]:
    """Which allocations give back how much, the latest allocation first.

    A credit note on an invoice that is already paid turns the paid part into
    the customer's credit again. The amount may not exceed what is held.
    """
    assert 0 <= amount_minor <= sum(part.amount_minor for part in held)

    given = []
    left = amount_minor
    for part in sorted(held, key=lambda part: part.allocation_id, reverse=True):
        if left == 0:
            break
        back = min(left, part.amount_minor)
        given.append((part, back))
        left -= back
    return given
