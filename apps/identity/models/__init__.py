"""Tables of identity, one file per aggregate."""

from apps.identity.models.access import (
    AccessDecision,
    AccessRule,
    AccessRuleStep,
)
from apps.identity.models.customer import (
    Contact,
    Customer,
    CustomerGrant,
    CustomerQuerySet,
    Membership,
    ServiceLocation,
)
from apps.identity.models.organisation import OrganisationUnit, UnitGrant
from apps.identity.models.role import Role, RoleAssignment, RolePermission
from apps.identity.models.session import (
    Invitation,
    RefreshToken,
    Session,
    TotpDevice,
)
from apps.identity.models.user import User

__all__ = [
    "AccessDecision",
    "AccessRule",
    "AccessRuleStep",
    "Contact",
    "Customer",
    "CustomerGrant",
    "CustomerQuerySet",
    "Invitation",
    "Membership",
    "OrganisationUnit",
    "RefreshToken",
    "Role",
    "RoleAssignment",
    "RolePermission",
    "ServiceLocation",
    "Session",
    "TotpDevice",
    "UnitGrant",
    "User",
]
