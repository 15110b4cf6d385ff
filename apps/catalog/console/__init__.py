"""Staff screens of catalog."""

from apps.catalog.console import (
    home,
    hub,
    orders,
    plans,
    provisioning,
    search,
    services,
)

__all__ = ["home", "hub", "orders", "plans", "provisioning", "search", "services"]
