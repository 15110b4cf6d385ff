"""Staff screens of identity: customers, staff, roles."""

from apps.identity.console import customers, fields, history, hub, places, staff

__all__ = ["customers", "fields", "history", "hub", "places", "staff"]
