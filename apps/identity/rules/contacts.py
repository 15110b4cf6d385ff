"""Telephone numbers, e-mail addresses and references in one written form."""

from __future__ import annotations

import re

import phonenumbers

EMAIL_CHARACTERS_MAX = 254
_EMAIL = re.compile(
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
)
_USERNAME = re.compile(r"^[a-z0-9._@+-]{3,150}$")
_PHONE_CHARACTERS_MAX = 40
_REFERENCE_DIGITS = 6
_WORDS_MAX = 6


def e164(text: str, *, region: str) -> str | None:
    """The number as +2348031234567, or None when it is not a possible number.

    `region` (ISO 3166, "NG") reads numbers that are written without a country.
    """
    if len(text) > _PHONE_CHARACTERS_MAX:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def plain_email(text: str) -> str | None:
    """The address without surrounding blanks, or None when it is malformed."""
    address = text.strip()
    if len(address) > EMAIL_CHARACTERS_MAX or ".." in address:
        return None
    return address if _EMAIL.match(address) else None


def plain_username(text: str) -> str | None:
    """The sign-in name in lower case, or None when it is malformed."""
    name = text.strip().lower()
    return name if _USERNAME.match(name) else None


def customer_reference(customer_id: int) -> str:
    """What people see of a customer: C-000123."""
    return f"C-{customer_id:0{_REFERENCE_DIGITS}d}"


def search_words(text: str) -> list[str]:
    """The words to look for, as the stored search text spells them.

    A telephone number as dialled at home (0803 123 4567) is looked for without
    its zero, since it is stored with the country in front.
    """
    lowered = text.lower().strip()
    digits = re.sub(r"[\s()./-]", "", lowered)
    if re.fullmatch(r"\+?[0-9]{5,15}", digits):
        return [digits.lstrip("0")] if digits.strip("0") else [digits]
    return lowered.split()[:_WORDS_MAX]
