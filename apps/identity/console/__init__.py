"""Staff screens of identity: customers, staff, roles, rules, one's own sign-in."""

from apps.identity.console import (
    customers,
    documents,
    explaining,
    fields,
    history,
    hub,
    keys,
    merging,
    own,
    people,
    personal,
    places,
    roles,
    rules,
    staff,
    units,
)

__all__ = [
    "customers",
    "documents",
    "explaining",
    "fields",
    "history",
    "hub",
    "keys",
    "merging",
    "own",
    "people",
    "personal",
    "places",
    "roles",
    "rules",
    "staff",
    "units",
]
