"""What a login, a password, a NAS secret and a MAC address may look like."""

from __future__ import annotations

import re
import unicodedata

LOGIN_MAX = 64
# RFC 2865 5.2: User-Password carries at most 128 octets.
PASSWORD_OCTETS_MAX = 128
# RFC 2865 3 prefers 16 octets at least for the secret shared with a NAS.
NAS_SECRET_MIN = 16
NAS_SECRET_MAX = 128
_MAC = re.compile(r"[0-9a-f]{12}")
_MAC_MARKS = re.compile(r"[-:.]")


class MalformedText(ValueError):
    """The text is not what the field is for; its message says why."""


def checked_login(text: str) -> str:
    """The login as given: printable, no spaces. Case is kept; RADIUS compares it."""
    if not 1 <= len(text) <= LOGIN_MAX:
        raise MalformedText(f"A login has 1 to {LOGIN_MAX} characters.")
    if not text.isprintable() or any(character.isspace() for character in text):
        raise MalformedText("A login has printable characters and no spaces.")
    return text


def checked_password(text: str) -> str:
    """A subscriber's password as it travels in RADIUS."""
    if not 1 <= len(text.encode()) <= PASSWORD_OCTETS_MAX:
        raise MalformedText(f"A password has 1 to {PASSWORD_OCTETS_MAX} octets.")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise MalformedText("A password has no control characters.")
    return text


def checked_nas_secret(text: str) -> str:
    """The secret shared with a NAS: plain ASCII, since devices disagree on more."""
    if not NAS_SECRET_MIN <= len(text) <= NAS_SECRET_MAX:
        raise MalformedText(
            f"A NAS secret has {NAS_SECRET_MIN} to {NAS_SECRET_MAX} characters."
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise MalformedText("A NAS secret has printable ASCII and no spaces.")
    return text


def canonical_mac(text: str) -> str:
    """aa:bb:cc:dd:ee:ff, from any of the usual ways to write it; empty stays."""
    if not text:
        return ""
    digits = _MAC_MARKS.sub("", text.strip().lower())
    if not _MAC.fullmatch(digits):
        raise MalformedText("A MAC address has twelve hexadecimal digits.")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
