"""Staff screens of the network."""

from apps.network.console import (
    accounts,
    attempts,
    equipment,
    explain,
    home,
    imports,
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
    "accounts", "attempts", "equipment", "explain", "home", "imports", "nas",
    "nas_attributes", "nas_health", "nas_secrets", "prefixes", "profiles", "search",
    "sessions",
]  # fmt: skip
