"""Tables of identity, one file per aggregate."""

from apps.identity.models.access import (
    AccessDecision,
    AccessRule,
    AccessRuleStep,
)
from apps.identity.models.api_key import ApiKey
from apps.identity.models.customer import (
    Customer,
    CustomerGrant,
    CustomerQuerySet,
    Membership,
)
from apps.identity.models.factors import (
    Ceremony,
    CodeTries,
    Passkey,
    RecoveryCode,
)
from apps.identity.models.fields import CustomerTag, CustomField, Tag
from apps.identity.models.files import CustomerDocument, StoredFile, StoredPiece
from apps.identity.models.history import (
    CustomerChange,
    CustomerNote,
    CustomerTurn,
    NoteRevision,
)
from apps.identity.models.link import EmailProof, OneTimeLink, ResetRequest
from apps.identity.models.look import PortalLook
from apps.identity.models.merge import CustomerMerge
from apps.identity.models.organisation import OrganisationUnit, UnitGrant
from apps.identity.models.personal import PersonalExport
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
    "AccessDecision",
    "AccessRule",
    "AccessRuleStep",
    "ApiKey",
    "Ceremony",
    "CodeTries",
    "Contact",
    "CustomField",
    "Customer",
    "CustomerChange",
    "CustomerDocument",
    "CustomerGrant",
    "CustomerMerge",
    "CustomerNote",
    "CustomerQuerySet",
    "CustomerTag",
    "CustomerTurn",
    "EmailProof",
    "Invitation",
    "Membership",
    "NoteRevision",
    "OneTimeLink",
    "OrganisationUnit",
    "Passkey",
    "PersonalExport",
    "PortalLook",
    "RecoveryCode",
    "RefreshToken",
    "ResetRequest",
    "Role",
    "RoleAssignment",
    "RolePermission",
    "ServiceLocation",
    "Session",
    "StoredFile",
    "StoredPiece",
    "Tag",
    "TotpDevice",
    "UnitGrant",
    "User",
]
