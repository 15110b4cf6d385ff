"""Tables of federation, one file per aggregate."""

from apps.federation.models.application import (
    Application,
    ApplicationToken,
    AuthorisationCode,
    Consent,
)
from apps.federation.models.connection import (
    ROLE_HOURS_MAX,
    Connection,
    GivenRole,
    GroupRole,
    LinkedPerson,
    SignInFlow,
)

__all__ = [
    "ROLE_HOURS_MAX",
    "Application",
    "ApplicationToken",
    "AuthorisationCode",
    "Connection",
    "Consent",
    "GivenRole",
    "GroupRole",
    "LinkedPerson",
    "SignInFlow",
]
