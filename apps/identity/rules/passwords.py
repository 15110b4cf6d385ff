"""What a new password must be like (SP 800-63B-4): long, and not easily guessed.

No rule about kinds of characters: they make passwords worse. The common ones
and what everybody knows of the person and the operator are refused instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

CHARACTERS_MIN_WITH_MFA = 12
CHARACTERS_MIN_ALONE = 15
CHARACTERS_MAX = 1024
# Fewer different characters, or fewer left over once known words are gone, and
# the password is a pattern.
DIFFERENT_MIN = 5
REMAINDER_MIN = 6
_WORD_MIN = 4
_STEPS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl",
          "zxcvbnm")  # fmt: skip
_RUN_MIN = 4


@dataclass(frozen=True, slots=True)
class Weakness:
    """Why a password is refused; `number` belongs into the sentence."""

    reason: str  # too_short | too_long | common | known | pattern
    number: int = 0


def characters_min(*, has_mfa: bool) -> int:
    """Without a second factor the password stands alone, so it is longer."""
    return CHARACTERS_MIN_WITH_MFA if has_mfa else CHARACTERS_MIN_ALONE


def weakness_of(
    password: str, *, has_mfa: bool, common: Collection[str], known: Iterable[str]
) -> Weakness | None:
    """The first thing that is wrong with the password, or None.

    `common`: lower-case passwords that everybody tries. `known`: texts that an
    attacker knows (operator, sign-in name, e-mail address).
    """
    least = characters_min(has_mfa=has_mfa)
    if len(password) < least:
        return Weakness("too_short", least)
    if len(password) > CHARACTERS_MAX:
        return Weakness("too_long", CHARACTERS_MAX)
    plain = password.lower().strip()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    if plain in common or core in common or _is_repeated(core, common):
        return Weakness("common")
    if len(set(plain)) < DIFFERENT_MIN or len(_without_runs(plain)) < REMAINDER_MIN:
        return Weakness("pattern")
    if len(_without_words(plain, known)) < REMAINDER_MIN:
        return Weakness("known")
    return None


def _is_repeated(core: str, common: Collection[str]) -> bool:
    """A common password written twice or more."""
    for size in range(_WORD_MIN, len(core) // 2 + 1):
        whole, rest = divmod(len(core), size)
        if rest == 0 and core == core[:size] * whole and core[:size] in common:
            return True
    return False


def _without_runs(text: str) -> str:
    """What is left without 1234, qwerty, aaaa and the like, and their reverse."""
    left = re.sub(r"(.)\1{2,}", "", text)
    for steps in (*_STEPS, *(steps[::-1] for steps in _STEPS)):
        for size in range(len(steps), _RUN_MIN - 1, -1):
            for at in range(len(steps) - size + 1):
                left = left.replace(steps[at : at + size], "")
    return left


def _without_words(text: str, known: Iterable[str]) -> str:
    """The letters and digits left without what an attacker knows."""
    words = {
        word
        for item in known
        for word in (*re.split(r"[\W_]+", item.lower()), item.lower())
        if len(word) >= _WORD_MIN
    }
    left = _without_runs(text)
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return re.sub(r"[\W_]", "", left)
