"""Portal pages of identity: the person, and the people on the account."""

from apps.identity.portal import devices, people, profile, security

__all__ = ["devices", "people", "profile", "security"]
