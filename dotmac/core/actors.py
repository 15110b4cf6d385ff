"""Who acts, and over which rows each permission reaches.

An actor is made at the edge (a view, a task, a command) from the live rows of
identity, and passed down as an argument. Row scope comes from columns and
grants only: organisation units, customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dotmac.core.errors import PermissionRefused


class ActorKind(StrEnum):
    STAFF = "staff"
    CUSTOMER = "customer"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that one permission reaches.

    Either everything, or the rows of some organisation units and customers.
    """

    everything: bool = False
    unit_ids: frozenset[int] = frozenset()
    customer_ids: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everything or bool(self.unit_ids) or bool(self.customer_ids)

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            everything=self.everything or other.everything,
            unit_ids=self.unit_ids | other.unit_ids,
            customer_ids=self.customer_ids | other.customer_ids,
        )


NOTHING = Scope()
EVERYTHING = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class Actor:
    """One person or program at work: kind, user id, and permission scopes."""

    kind: ActorKind
    id: int | None
    label: str
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    session_id: int | None = None
    address: str = ""

    def scope(self, permission: str) -> Scope:
        """The rows that the permission reaches; empty when it is not held."""
        if self.kind == ActorKind.SYSTEM:
            return EVERYTHING
        return self.scopes.get(permission, NOTHING)

    def may(self, permission: str) -> bool:
        """True when the permission is held somewhere."""
        return bool(self.scope(permission))

    def require(self, permission: str) -> Scope:
        """The scope of the permission; raises PermissionRefused without it."""
        scope = self.scope(permission)
        if not scope:
            raise PermissionRefused(permission=permission)
        return scope

    @property
    def is_customer(self) -> bool:
        return self.kind == ActorKind.CUSTOMER


def system_actor(label: str) -> Actor:
    """The platform itself: a beat task, a handler, a command."""
    return Actor(kind=ActorKind.SYSTEM, id=None, label=label)
