"""Tables of identity, one file per aggregate."""

from apps.identity.models.customer import (
    Customer,
    CustomerGrant,
    CustomerQuerySet,
    Membership,
)
from apps.identity.models.fields import CustomerTag, CustomField, Tag
from apps.identity.models.history import (
    CustomerChange,
    CustomerNote,
    CustomerTurn,
    NoteRevision,
)
from apps.identity.models.look import PortalLook
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
    "CustomField",
    "Customer",
    "CustomerChange",
    "CustomerGrant",
    "CustomerNote",
    "CustomerQuerySet",
    "CustomerTag",
    "CustomerTurn",
    "Invitation",
    "Membership",
    "NoteRevision",
    "OrganisationUnit",
    "PortalLook",
    "RefreshToken",
    "Role",
    "RoleAssignment",
    "RolePermission",
    "ServiceLocation",
    "Session",
    "Tag",
    "TotpDevice",
    "UnitGrant",
    "User",
]
