"""Sign-ins: a person's own, and those that an administrator may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.identity.enums import SessionStage, UserKind
from apps.identity.models import Membership, Session, User
from apps.identity.rules.devices import Device, device_of
from apps.identity.selectors.customers import customers_visible_to
from apps.identity.selectors.staff import staff_visible_to
from dotmac.core.actors import Actor

OWN_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One sign-in as people read it."""

    id: int
    face: str
    device: Device
    address: str
    started_at: datetime
    seen_at: datetime
    idle_until_at: datetime
    expires_at: datetime
    is_this: bool

    @property
    def pk(self) -> int:
        """As rows have it, for the buttons of a list."""
        return self.id


def own_sessions(user_id: int | None, *, now: datetime) -> QuerySet[Session]:
    """A person's sign-ins that work now."""
    rows = Session.objects.open_at(now).filter(user_id=user_id or 0)
    return rows.filter(stage=SessionStage.FULL)


def sign_ins_of(actor: Actor, *, now: datetime) -> list[SignIn]:
    """The actor's own sign-ins, the one at hand first, then by last use."""
    rows = own_sessions(actor.id, now=now).order_by("-seen_at", "-pk")[:OWN_MAX]
    found = described(rows, this=actor.session_id)
    return sorted(found, key=lambda sign_in: not sign_in.is_this)


def described(rows: Iterable[Session], *, this: int | None) -> list[SignIn]:
    """Sessions in readable form."""
    return [
        SignIn(
            id=row.pk,
            face=row.get_face_display(),
            device=device_of(row.device),
            address=row.address or "",
            started_at=row.started_at,
            seen_at=row.seen_at,
            idle_until_at=row.idle_until_at,
            expires_at=row.expires_at,
            is_this=row.pk == this,
        )
        for row in rows
    ]


def sessions_visible_to(actor: Actor, permission: str) -> QuerySet[Session]:
    """Sign-ins of the staff and of the customers' people that it reaches."""
    rows = Session.objects.select_related("user")
    scope = actor.scope(permission)
    if scope.everything:
        return rows
    if not scope:
        return rows.none()
    members = Membership.objects.filter(
        customer__in=customers_visible_to(actor, permission).values("pk")
    )
    return rows.filter(
        Q(user__in=staff_visible_to(actor, permission).values("pk"))
        | Q(user__in=members.values("user_id"))
    )


def users_visible_to(actor: Actor, permission: str) -> QuerySet[User]:
    """Staff within reach, for their own page."""
    return staff_visible_to(actor, permission).filter(kind=UserKind.STAFF)
