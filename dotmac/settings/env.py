"""Typed readers for the environment: bad input stops the start with a sentence."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from dotmac.core.outside import Network, networks_of

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_DEFAULTS = ("change", "default", "django-insecure", "example", "password", "secret")
_VARIETY_MIN = 8
_KEY_LENGTH_MIN = 64
_MASTER = re.compile(r"\d+:([0-9a-fA-F]{64})")


def text(
    name: str, default: str | None = None, *, choices: tuple[str, ...] = ()
) -> str:
    """A text; one of the choices where they are given."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name}; .env.template explains it.")
    if choices and value not in choices:
        raise ImproperlyConfigured(f"{name} is one of {', '.join(choices)}.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """A yes or no; any other word is refused."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is true or false, not {value[:20]!r}.")


def number(name: str, default: int, *, least: int | None = None) -> int:
    """A whole number, and not below the least that makes sense."""
    text = os.environ.get(name, "")
    try:
        value = int(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is a whole number.") from None
    if least is not None and value < least:
        raise ImproperlyConfigured(f"{name} is {least} at least, not {value}.")
    return value


def networks(name: str, default: str) -> list[Network]:
    """Networks between blanks or commas."""
    try:
        return networks_of(os.environ.get(name) or default)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} lists networks such as 10.1.2.0/24, without host bits."
        ) from None


def path(name: str, default: str) -> Path:
    return Path(os.environ.get(name) or default).expanduser().resolve()


def secret_file(name: str, default: Path, *, length_min: int = 32) -> str:
    """The secret in a file of mode 0600 or stricter.

    Refuses a missing, short, default or world-readable file, and never prints
    what is in it.
    """
    file = Path(os.environ.get(name) or default)
    value = _private_text(name, file)
    if len(value) < length_min:
        raise ImproperlyConfigured(f"{file} holds fewer than {length_min} characters.")
    if len(set(value)) < _VARIETY_MIN or value.lower().startswith(_DEFAULTS):
        raise ImproperlyConfigured(f"{file} holds a default: generate a secret.")
    return value


def key_file(name: str, file: Path) -> None:
    """Refuse the start where a key that is read later is missing, open or weak."""
    value = _private_text(name, file)
    if len(value) < _KEY_LENGTH_MIN:
        raise ImproperlyConfigured(f"{file} is too short to be a key.")
    for master in _MASTER.findall(value):
        if len(set(bytes.fromhex(master))) < _VARIETY_MIN:
            raise ImproperlyConfigured(f"{file} holds a default: generate a key.")


def address(name: str, default: str) -> str:
    """A URL with a password: from NAME, else from the file that NAME_PATH names.

    A process's environment can be read by whoever may look at the process, so
    servers are told the file.
    """
    file = os.environ.get(f"{name}_PATH")
    if name in os.environ or not file:
        return os.environ.get(name, default)
    return _private_text(f"{name}_PATH", Path(file))


def _private_text(name: str, file: Path) -> str:
    """What the file holds; refused unless only its owner reads it."""
    try:
        mode, value = file.stat().st_mode, file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}: cannot read {file}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ImproperlyConfigured(f"{file} is open to others: run chmod 600 {file}.")
    return value


def throwaway_secret() -> str:
    """For tests and builds, where nothing signed must be read later."""
    return secrets.token_urlsafe(50)


def database(url: str) -> dict[str, object]:
    """Django's settings for a PostgreSQL URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL is postgresql://user:pass@host/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "ATOMIC_REQUESTS": False,
    }
