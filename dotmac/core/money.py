"""Money is a whole number of minor units of one currency (ISO 4217).

Amounts never pass through a float. Rounding is half up, once, where a fraction
of a minor unit appears; splitting hands out the remainder so that nothing is
lost or made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

AMOUNT_MINOR_MAX = 10**15
_PLAIN = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_DEFAULT_EXPONENT = 2
# Only the currencies that differ from two digits (ISO 4217 list one).
_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3,
    "JPY": 0, "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0,
    "TND": 3, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip


class MoneyError(ValueError):
    """The text or number given is no amount of money."""


def exponent_of(currency: str) -> int:
    """Digits behind the point: 2 for NGN, 0 for XOF, 3 for KWD."""
    letters = currency.isascii() and currency.isalpha() and currency.isupper()
    if len(currency) != 3 or not letters:
        raise MoneyError(f"{currency!r} is no ISO 4217 currency code.")
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def round_half_up(value: Decimal) -> int:
    """The nearest whole number; halves go away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (kobo, cents) of one currency."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            raise MoneyError("The amount is too large.")

    @classmethod
    def of(cls, amount: str | Decimal | int, currency: str) -> Money:
        """Read major units ("12500.00").

        Raises MoneyError when there are more digits than the currency has, or
        when the text is no plain decimal number.
        """
        if isinstance(amount, str) and not _PLAIN.fullmatch(amount):
            # Decimal would also take "1e9", "1_000" and digits of other scripts.
            raise MoneyError(f"{amount[:40]!r} is no amount.")
        try:
            value = Decimal(amount)
        except (InvalidOperation, ValueError) as error:
            raise MoneyError(f"{str(amount)[:40]!r} is no amount.") from error
        if not value.is_finite() or abs(value) > AMOUNT_MINOR_MAX:
            raise MoneyError(f"{str(amount)[:40]!r} is no amount.")
        scaled = value.scaleb(exponent_of(currency))
        if scaled != scaled.to_integral_value():
            raise MoneyError(f"{currency} has {exponent_of(currency)} decimal digits.")
        return cls(int(scaled), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Money:
        """Major units with any number of digits, rounded half up once."""
        return cls(round_half_up(amount.scaleb(exponent_of(currency))), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """Major units, with exactly the currency's digits."""
        return Decimal(self.amount_minor).scaleb(-exponent_of(self.currency))

    def __str__(self) -> str:
        return f"{self.amount:,.{exponent_of(self.currency)}f} {self.currency}"

    def plain(self) -> str:
        """The decimal string of the API: no thousands marks, no currency."""
        return f"{self.amount:.{exponent_of(self.currency)}f}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix.")
        return other.amount_minor

    def times(self, factor: Decimal | int) -> Money:
        """Multiply and round half up once."""
        return Money(round_half_up(self.amount_minor * Decimal(factor)), self.currency)

    def prorate(self, *, numerator: int, denominator: int) -> Money:
        """The share numerator/denominator, rounded half up once."""
        if not 0 <= numerator <= denominator or denominator == 0:
            raise MoneyError("A share lies between nothing and the whole.")
        exact = Decimal(self.amount_minor) * numerator / denominator
        return Money(round_half_up(exact), self.currency)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by weights without loss: the parts always sum to the whole.

        The minor units that rounding down leaves over go to the parts with the
        largest remainder, the earlier part first.
        """
        total = sum(weights)
        if not weights or total <= 0 or min(weights) < 0:
            raise MoneyError("Weights are whole, not negative, and not all zero.")
        sign = -1 if self.amount_minor < 0 else 1
        whole = abs(self.amount_minor)
        shares = [divmod(whole * weight, total) for weight in weights]
        left = whole - sum(share for share, _ in shares)
        order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
        parts = [share for share, _ in shares]
        for index in order[:left]:
            parts[index] += 1
        return [Money(sign * part, self.currency) for part in parts]
