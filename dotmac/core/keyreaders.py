"""Who keeps a copy of the keys outside this process, and must learn a new one.

RADIUS hands its keys to PostgreSQL when it opens a session, so a session knows
the keys of its beginning only. Apps register such readers in `AppConfig.ready`;
a rotation asks them all and imports none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dotmac.core.crypto import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReader:
    """`hand_over(keyring)` writes what it reads; `behind(instant)` counts those
    that have not looked since. None: it cannot be told."""

    name: str
    hand_over: Callable[[Keyring], None]
    behind: Callable[[datetime], int | None]


_READERS: dict[str, KeyReader] = {}


def register(reader: KeyReader) -> None:
    """Repeatable."""
    _READERS[reader.name] = reader


def all_readers() -> list[KeyReader]:
    return list(_READERS.values())
