"""Who looks, or looked, at the portal of a customer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.identity.enums import MemberRights
from apps.identity.models import Customer, PortalLook
from apps.identity.rules.roles import permissions_of_rights
from dotmac.core.actors import Actor, ActorKind, Scope
from dotmac.core.permissions import is_declared

SHOWN_AFTER = timedelta(days=7)


def open_look(actor: Actor, *, now: datetime) -> PortalLook | None:
    """The look of this session while it lasts and the right to it is still held."""
    if actor.kind != ActorKind.STAFF or actor.session_id is None:
        return None
    rows = PortalLook.objects.filter(
        session_id=actor.session_id, ended_at=None, ends_at__gt=now
    )
    look = rows.select_related("customer").first()
    if look is None:
        return None
    reach = Customer.objects.visible_to(actor, "identity.impersonate_customer")
    return look if reach.filter(pk=look.customer_id).exists() else None


def actor_who_looks(look: PortalLook) -> Actor:
    """What the customer's main user may see, in the name of the one who looks."""
    own = Scope(customer_ids=frozenset((look.customer_id,)))
    return Actor(
        kind=ActorKind.CUSTOMER,
        id=None,
        label=look.actor_label,
        scopes={
            name: own
            for name in permissions_of_rights(MemberRights.FULL)
            if is_declared(name)
        },
    )


def looks_at(customer_id: int) -> QuerySet[PortalLook]:
    """All looks at one customer, newest first."""
    return PortalLook.objects.filter(customer_id=customer_id).order_by("-pk")


def latest_look(customer_id: int, *, now: datetime) -> PortalLook | None:
    """The newest look of the last days."""
    recent = looks_at(customer_id).filter(started_at__gt=now - SHOWN_AFTER)
    return recent.first()
