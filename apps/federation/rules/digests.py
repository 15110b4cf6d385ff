"""What the database keeps of random words of 256 bits."""

from __future__ import annotations

import hashlib
import secrets

WORD_CHARACTERS_MAX = 200


def digest_of(word: str) -> str:
    """SHA-256: enough for what nobody can guess, and found by an index."""
    return hashlib.sha256(word[: WORD_CHARACTERS_MAX + 1].encode()).hexdigest()


def new_word() -> str:
    """256 random bits in base64url."""
    return secrets.token_urlsafe(32)
