"""What identity answers: who acts, which customers, which keys."""

from apps.identity.selectors.actors import (
    actor_for_session,
    actor_for_user,
    live_session,
    session_of_access_token,
)
from apps.identity.selectors.customers import (
    CustomerSnapshot,
    contacts_of,
    customer_of,
    customer_snapshot,
    customers_visible_to,
    find_customer,
    found_by,
    locations_of,
    memberships_of,
    snapshots_of,
    unit_id_of,
)
from apps.identity.selectors.keys import jwt_key_set, jwt_keys
from apps.identity.selectors.staff import (
    StaffMember,
    default_unit,
    find_user,
    invited_user,
    roles,
    staff_visible_to,
    unit_subtree,
    units_visible_to,
)

__all__ = [
    "CustomerSnapshot",
    "StaffMember",
    "actor_for_session",
    "actor_for_user",
    "contacts_of",
    "customer_of",
    "customer_snapshot",
    "customers_visible_to",
    "default_unit",
    "find_customer",
    "find_user",
    "found_by",
    "invited_user",
    "jwt_key_set",
    "jwt_keys",
    "live_session",
    "locations_of",
    "memberships_of",
    "roles",
    "session_of_access_token",
    "snapshots_of",
    "staff_visible_to",
    "unit_id_of",
    "unit_subtree",
    "units_visible_to",
]
