"""What a value of an operator's own field may be, and how it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from apps.identity.enums import FieldKind

TEXT_CHARACTERS_MAX = 300
_DIGITS_MAX = 30
_FLAGS = {"true": True, "false": False}

Stored = str | bool


class ValueRefused(ValueError):
    """The value is none of this field; the text says what would be."""


def stored_value(kind: str, choices: Sequence[str], given: object) -> Stored:
    """The one written form of a value; raises ValueRefused.

    Numbers are kept as plain decimal text and dates as ISO, so that equal values
    are equal texts and an index finds them.
    """
    if kind == FieldKind.BOOLEAN:
        return _flag(given)
    if isinstance(given, bool) or not isinstance(given, (str, int, float, date)):
        raise ValueRefused("Give a plain value.")
    text = " ".join(str(given).split())
    if "\x00" in text or len(text) > TEXT_CHARACTERS_MAX:
        raise ValueRefused(f"At most {TEXT_CHARACTERS_MAX} characters.")
    if kind == FieldKind.NUMBER:
        return _number(text)
    if kind == FieldKind.DATE:
        return _date(text)
    if kind == FieldKind.CHOICE and text not in choices:
        raise ValueRefused("One of: " + ", ".join(choices))
    return text


def _flag(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _FLAGS:
        return _FLAGS[given.lower()]
    raise ValueRefused("true or false.")


def _number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueRefused("A number such as 12.5.") from error
    if not number.is_finite() or len(text) > _DIGITS_MAX:
        raise ValueRefused("A number such as 12.5.")
    # Bounded before it is spelt out: 1e999999 has few characters.
    if number and abs(number.adjusted()) > _DIGITS_MAX:
        raise ValueRefused("A number of at most 30 digits.")
    plain = f"{number:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in {"-0", ""} else plain


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueRefused("A date such as 2026-11-30.") from error
