"""Time zones by their names in the IANA database."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

NAME_MAX = 64
# In the database's folder, but names of no zone: this machine's own, and "unset".
_NO_ZONES = frozenset({"localtime", "Factory"})


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name that this machine's database knows, old ones as well."""
    return frozenset(available_timezones()) - _NO_ZONES


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of exactly this name, or None where there is none."""
    return ZoneInfo(name) if name in zone_names() else None
