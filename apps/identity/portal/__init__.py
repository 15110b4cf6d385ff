"""Portal pages of identity: the person, and the people on the account."""

from apps.identity.portal import (
    account,
    devices,
    own_data,
    papers,
    people,
    profile,
    security,
)

__all__ = ["account", "devices", "own_data", "papers", "people", "profile", "security"]
