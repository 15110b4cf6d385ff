"""Who an address belongs to, for those who come in by another provider's word."""

from __future__ import annotations

from apps.identity.models import RoleAssignment, User
from apps.identity.rules.roles import OWNER


def user_of_email(email: str) -> User | None:
    """The person who signs in with this address, switched off or not."""
    return User.objects.filter(email__iexact=email).first() if email else None


def owner_units(user_id: int) -> set[tuple[int, int]]:
    """(role, unit) wherever the person is an owner."""
    held = RoleAssignment.objects.filter(user_id=user_id, role__slug=OWNER)
    return set(held.values_list("role_id", "unit_id"))
