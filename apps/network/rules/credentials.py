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
# RFC 2865 5: an attribute carries at most 253 octets.
LINE_OCTETS_MAX = 253
_MAC = re.compile(r"[0-9a-f]{12}")
_HEX = re.compile(r"(?:0x|\\x)((?:[0-9a-f]{2})+)", re.IGNORECASE)
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


def canonical_line(text: str) -> str:
    """The id of a line as RADIUS compares it: radius_text() of its octets.

    Octets that are no text are written in hex, after 0x or \\x. Of what is typed as
    text the surrounding white space goes.
    """
    text = text.strip()
    hexed = _HEX.fullmatch(text)
    octets = bytes.fromhex(hexed[1]) if hexed else text.encode()
    if not 1 <= len(octets) <= LINE_OCTETS_MAX:
        raise MalformedText(f"An id of a line has 1 to {LINE_OCTETS_MAX} octets.")
    if not hexed and not text.isprintable():
        raise MalformedText("Write octets that cannot be seen in hex, after 0x.")
    return text_of_octets(octets)


def text_of_octets(octets: bytes) -> str:
    """As radius_text() does: what is no UTF-8, or holds a zero, becomes hex."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = "\0"
    return text if "\0" not in text else "\\x" + octets.hex()


def visible_line(value: str) -> str:
    """For people: octets that cannot be seen in hex, as they may be typed again."""
    return value if value.isprintable() else "\\x" + value.encode().hex()
