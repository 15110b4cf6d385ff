"""What state people see: the stored one, seen through the access account's."""

from __future__ import annotations

ACTIVE = "active"
# Words of network_access_state(); what is not here (open, closed) changes nothing.
_SHOWN_BY_ACCESS = {
    "rejected": "suspended",
    "walled_garden": "walled_garden",
    "expired": "walled_garden",
    "throttled": "throttled",
}


def shown_state(stored: str, access_state: str | None) -> str:
    """The API's `state` of a service; access_state is None without an account."""
    if stored != ACTIVE or access_state is None:
        return stored
    return _SHOWN_BY_ACCESS.get(access_state, stored)
