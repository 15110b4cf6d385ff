"""Staff screens of the network."""

from apps.network.console import (
    accounts,
    attempts,
    equipment,
    home,
    nas,
    prefixes,
    search,
    sessions,
)

__all__ = [
    "accounts", "attempts", "equipment", "home", "nas", "prefixes", "search", "sessions",
]  # fmt: skip
