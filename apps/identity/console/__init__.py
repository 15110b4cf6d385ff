"""Staff screens of identity: customers, staff, roles, rules, one's own sign-in."""

from apps.identity.console import (
    customers,
    explaining,
    hub,
    keys,
    own,
    people,
    roles,
    rules,
    staff,
    units,
)

__all__ = [
    "customers",
    "explaining",
    "hub",
    "keys",
    "own",
    "people",
    "roles",
    "rules",
    "staff",
    "units",
]
