"""Tables of identity, one file per aggregate."""

from apps.identity.models.customer import (
    Customer,
    CustomerGrant,
    CustomerQuerySet,
    Membership,
)
from apps.identity.models.history import (
    CustomerChange,
    CustomerNote,
    CustomerTurn,
    NoteRevision,
)
from apps.identity.models.organisation import OrganisationUnit, UnitGrant
from apps.identity.models.places import Contact, ServiceLocation
from apps.identity.models.role import Role, RoleAssignment, RolePermission
from apps.identity.models.session import (
    Invitation,
    RefreshToken,
    Session,
    TotpDevice,
)
from apps.identity.models.user import User

__all__ = [
    "Contact",
    "Customer",
    "CustomerChange",
    "CustomerGrant",
    "CustomerNote",
    "CustomerQuerySet",
    "CustomerTurn",
    "Invitation",
    "Membership",
    "NoteRevision",
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
