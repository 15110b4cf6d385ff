"""Nobody gains rights by taking over the sign-in of a more powerful colleague."""

from __future__ import annotations

from apps.identity.errors import MorePowerful
from apps.identity.models import User
from apps.identity.selectors.actors import actor_for_user
from dotmac.core.actors import Actor, ActorKind, Scope


def require_not_above(user: User, actor: Actor) -> None:
    """Raise MorePowerful where the user holds something that the actor does not.

    Inviting, resetting and switching off change who can act as the user. The
    platform itself (commands) may do so to everybody.
    """
    if actor.kind == ActorKind.SYSTEM or actor.id == user.pk:
        return
    if user.is_superuser and "identity.manage_roles" not in actor.scopes:
        raise MorePowerful
    for permission, scope in actor_for_user(user).scopes.items():
        if not _covers(actor.scopes.get(permission, Scope()), scope):
            raise MorePowerful


def _covers(wide: Scope, narrow: Scope) -> bool:
    if wide.everything:
        return True
    inside = narrow.unit_ids <= wide.unit_ids and narrow.customer_ids <= (
        wide.customer_ids
    )
    return inside and not narrow.everything
