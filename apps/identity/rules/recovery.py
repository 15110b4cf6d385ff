"""Recovery codes: sixteen characters that are easy to read and to type."""

from __future__ import annotations

import secrets

from apps.identity.rules.tokens import digest_of

CODES = 10
FEW = 3
# Without letters and digits that look alike: 31 symbols.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
CHARACTERS = 16
_GROUP = 4


def new_code() -> str:
    """A code of 79 random bits, as it is stored: without its dashes."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))


def shown(code: str) -> str:
    """In groups of four, as people read it."""
    groups = range(0, CHARACTERS, _GROUP)
    return "-".join(code[at : at + _GROUP] for at in groups)


def plain(text: str) -> str | None:
    """What was typed without dashes and blanks; None when it is no such code."""
    code = "".join(text.lower().split()).replace("-", "")
    good = len(code) == CHARACTERS and all(letter in ALPHABET for letter in code)
    return code if good else None


def digest(user_id: int, code: str) -> str:
    """What the table keeps; bound to the person."""
    return digest_of(f"recovery:{user_id}:{code}")
