"""Staff screens of identity: customers, staff, roles."""

from apps.identity.console import customers, hub, staff

__all__ = ["customers", "hub", "staff"]
