"""Logins and passwords: what may be one, and how one is made up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

LOGIN_MIN = 1
LOGIN_MAX = 64
PASSWORD_BYTES_MIN = 6
# RADIUS carries a PAP password in at most 128 bytes (RFC 2865, 5.2).
PASSWORD_BYTES_MAX = 128
CANDIDATES_MAX = 200

Draw = Callable[[Sequence[str]], str]

# Without i, l, o, 0 and 1, which look alike on paper and over the telephone.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 3
_GROUP_LENGTH = 4


def login_is_sound(login: str) -> bool:
    """1 to 64 printable characters without a space, compared byte by byte."""
    plain = login.isprintable() and " " not in login
    return plain and LOGIN_MIN <= len(login) <= LOGIN_MAX


def password_is_sound(password: str) -> bool:
    """Long enough, carried by RADIUS, and without control characters."""
    length = len(password.encode())
    return PASSWORD_BYTES_MIN <= length <= PASSWORD_BYTES_MAX and password.isprintable()


def login_candidates(customer_reference: str) -> list[str]:
    """Short logins for one customer's services, the preferred one first.

    "C-000123" gives c000123, then c000123-2, c000123-3 and so on.
    """
    base = customer_reference.replace("-", "").lower()
    return [base, *(f"{base}-{n}" for n in range(2, CANDIDATES_MAX + 1))]


def first_free_login(candidates: Sequence[str], taken: Collection[str]) -> str | None:
    """The first candidate that nobody has."""
    return next((login for login in candidates if login not in taken), None)


def readable_password(draw: Draw) -> str:
    """Three groups of four signs that nobody misreads, about 59 bits."""
    groups = [
        "".join(draw(_READABLE) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    ]
    return "-".join(groups)
