"""Nobody gives or takes what he does not hold there himself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dotmac.core.actors import NOTHING, Actor, ActorKind, Scope
from dotmac.core.permissions import is_whole


def covers_unit(scope: Scope, unit_id: int) -> bool:
    """Whether the scope reaches all of the unit; scopes hold their subtrees."""
    return scope.everything or unit_id in scope.unit_ids


def covers_customer(scope: Scope, customer_id: int, unit_id: int) -> bool:
    """Whether the scope holds this customer: the filter `visible_to`, for one row."""
    return covers_unit(scope, unit_id) or scope.names_customer(customer_id)


def missing_in_unit(
    actor: Actor, permissions: Iterable[str], unit_id: int, *, is_top: bool
) -> list[str]:
    """The permissions that the actor does not hold in all of the unit.

    What is about the operator as a whole reaches nothing in a part of it, so
    there it may be part of a role that somebody gives.
    """
    if actor.kind == ActorKind.SYSTEM:
        return []
    return sorted(
        name
        for name in permissions
        if (is_top or not is_whole(name))
        and not covers_unit(actor.scope(name), unit_id)
    )


def held_beyond(actor: Actor, scopes: Mapping[str, Scope]) -> list[str]:
    """What somebody holds that the actor does not hold there as well.

    Who could reset the sign-in of a person with more rights would have them.
    """
    if actor.kind == ActorKind.SYSTEM:
        return []
    return sorted(
        name
        for name, theirs in scopes.items()
        if not _includes(actor.scopes.get(name, NOTHING), theirs)
    )


def _includes(mine: Scope, theirs: Scope) -> bool:
    if mine.everything:
        return True
    if theirs.everything or not theirs.unit_ids <= mine.unit_ids:
        return False
    return theirs.named_customers() <= mine.named_customers()
