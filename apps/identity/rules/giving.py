"""Nobody gives or takes what he does not hold there himself."""

from __future__ import annotations

from collections.abc import Iterable

from dotmac.core.actors import Actor, ActorKind, Scope


def covers_unit(scope: Scope, unit_id: int) -> bool:
    """Whether the scope reaches all of the unit; scopes hold their subtrees."""
    return scope.everything or unit_id in scope.unit_ids


def covers_customer(scope: Scope, customer_id: int, unit_id: int) -> bool:
    return covers_unit(scope, unit_id) or customer_id in scope.customer_ids


def missing_in_unit(
    actor: Actor, permissions: Iterable[str], unit_id: int
) -> list[str]:
    """The permissions that the actor does not hold in all of the unit."""
    if actor.kind == ActorKind.SYSTEM:
        return []
    return sorted(
        name for name in permissions if not covers_unit(actor.scope(name), unit_id)
    )
