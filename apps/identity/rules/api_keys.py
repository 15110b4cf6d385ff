"""API keys: dmk_PREFIX_SECRET. The prefix finds the row, the digest proves it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

MARK = "dmk_"
PREFIX_CHARACTERS = 10
SECRET_BYTES = 32
ADDRESSES_MAX = 20
SCOPES_MAX = 200
DAYS_MAX = 366
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_FORM = re.compile(r"^dmk_([a-z0-9]{10})_([A-Za-z0-9_-]{43})$")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its owner has it, taken apart."""

    prefix: str
    secret: str

    @property
    def whole(self) -> str:
        return f"{MARK}{self.prefix}_{self.secret}"


def new_key() -> KeyText:
    """A key of 256 random bits under a random prefix."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_CHARACTERS))
    return KeyText(prefix, secrets.token_urlsafe(SECRET_BYTES))


def read_key(text: str) -> KeyText | None:
    """The parts of a key, or None when it is none."""
    found = _FORM.match(text)
    return KeyText(found[1], found[2]) if found else None


def networks(texts: Iterable[str]) -> list[str]:
    """Addresses and networks in one written form; raises ValueError."""
    return [str(ip_network(text.strip(), strict=False)) for text in texts if text]


def is_allowed(address: str, allowed: Iterable[str]) -> bool:
    """Whether a key that is bound to networks may be used from the address."""
    bound = list(allowed)
    if not bound:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(network) for network in bound)
