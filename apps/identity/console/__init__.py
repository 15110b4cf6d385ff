"""Staff screens of identity: customers, staff, roles, rules."""

from apps.identity.console import customers, explaining, hub, roles, rules, staff

__all__ = ["customers", "explaining", "hub", "roles", "rules", "staff"]
