"""Staff screens of the network."""

from apps.network.console import (
    accounts,
    equipment,
    home,
    nas,
    prefixes,
    search,
    sessions,
)

__all__ = [
    "accounts", "equipment", "home", "nas", "prefixes", "search", "sessions",
]  # fmt: skip
