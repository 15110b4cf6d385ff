"""What state people see: the stored one, seen through the account's holds."""

from __future__ import annotations

from collections.abc import Collection

ACTIVE = "active"
# The strongest effect decides: refused before walled in before slowed down.
_SHOWN_BY_EFFECT = (
    ("reject", "suspended"),
    ("walled_garden", "walled_garden"),
    ("throttle", "throttled"),
)


def shown_state(stored: str, hold_effects: Collection[str]) -> str:
    """The API's `state` of a service."""
    if stored != ACTIVE:
        return stored
    for effect, shown in _SHOWN_BY_EFFECT:
        if effect in hold_effects:
            return shown
    return stored
