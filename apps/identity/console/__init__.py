"""Staff screens of identity: customers, staff, roles."""

from apps.identity.console import customers, history, hub, places, staff

__all__ = ["customers", "history", "hub", "places", "staff"]
