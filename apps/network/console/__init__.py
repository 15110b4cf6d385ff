"""Staff screens of the network."""

from apps.network.console import (
    accounts,
    attempts,
    equipment,
    home,
    nas,
    nas_attributes,
    nas_health,
    nas_secrets,
    prefixes,
    profiles,
    search,
    sessions,
)

__all__ = [
    "accounts", "attempts", "equipment", "home", "nas", "nas_attributes",
    "nas_health", "nas_secrets", "prefixes", "profiles", "search", "sessions",
]  # fmt: skip
