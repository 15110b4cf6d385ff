"""Which addresses are asked, and to which people are sent."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

ADDRESS_CHARACTERS_MAX = 500


def is_safe(text: str, *, loopback: bool, query: bool = False) -> bool:
    """Whether it is https to a named host; `loopback` lets this machine do without.

    Never with a user name, a fragment or blanks; with a query only where asked for.
    """
    if len(text) > ADDRESS_CHARACTERS_MAX or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None and "#" not in text
    if not host or not plain or "\\" in text or (not query and "?" in text):
        return False
    return parts.scheme == "https" or (
        loopback and parts.scheme == "http" and is_loopback(host)
    )


def is_loopback(host: str) -> bool:
    """This machine by name or number."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
