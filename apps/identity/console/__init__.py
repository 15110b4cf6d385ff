"""Staff screens of identity: customers, staff, roles, and one's own sign-in."""

from apps.identity.console import customers, hub, keys, own, people, staff

__all__ = ["customers", "hub", "keys", "own", "people", "staff"]
