"""People who act for a customer in the portal."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.identity.enums import (
    MemberRights,
    SessionEnd,
    UserKind,
)
from apps.identity.errors import ActsElsewhere
from apps.identity.models import Customer, Membership, User
from apps.identity.operations.customers import locked_and_open
from apps.identity.operations.emails import request_email
from apps.identity.operations.passwords import set_password
from apps.identity.operations.sessions import end_sessions_of
from apps.identity.operations.staff import add_user, user_subject
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound

_SET_PASSWORD = "identity.set_portal_password"  # noqa: S105  # nosec B105


@transaction.atomic
def create_portal_user(
    *,
    customer_id: int,
    username: str,
    password: str,
    email: str = "",
    name: str = "",
    rights: str = MemberRights.FULL,
    actor: Actor,
    now: datetime,
) -> User:
    """A person who signs in to the portal for one customer.

    Where there is an e-mail address, a mail asks to confirm it.
    Refused: a taken name or address, a weak password, a closed customer.
    """
    customer = locked_and_open(customer_id)
    if rights not in MemberRights.values:
        raise InvalidInput("There are no such rights.", field="rights")

    user = add_user(
        username=username,
        email=email,
        name=name or customer.name[:150],
        kind=UserKind.CUSTOMER,
        password=make_password(None),
    )
    set_password(user, password, now=now)
    Membership.objects.create(user=user, customer=customer, rights=rights)
    ops.record(
        action="identity.create_portal_user",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"username": user.username, "rights": rights},
        customer_id=customer_id,
    )
    if user.email:
        request_email(user_id=user.pk, email=user.email, actor=actor, now=now)
    return user


def refuse_acting_beyond(user: User, permission: str, actor: Actor) -> None:
    """Raise ActsElsewhere when the user acts for customers whom it does not reach."""
    reached = Customer.objects.visible_to(actor, permission)
    acts = Membership.objects.filter(user=user)
    if acts.exclude(customer__in=reached.values("pk")).exists():
        raise ActsElsewhere


@transaction.atomic
def set_portal_password(
    *, customer_id: int, user_id: int, password: str, actor: Actor, now: datetime
) -> User:
    """A new password for somebody who acts for the customer; all sessions end.

    Refused: a weak password, a user who does not act for this customer, and one
    who acts for others too, beyond the actor: the password would open those.
    """
    user = User.objects.locked().filter(pk=user_id, kind=UserKind.CUSTOMER).first()
    acts = Membership.objects.filter(customer_id=customer_id, user_id=user_id)
    if user is None or not acts.exists():
        raise NotFound
    refuse_acting_beyond(user, _SET_PASSWORD, actor)

    set_password(user, password, now=now)
    ended = end_sessions_of(
        user_id=user_id, reason=SessionEnd.CREDENTIALS_CHANGED, now=now
    )
    ops.record(
        action="identity.set_portal_password",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"sessions_ended": ended},
        customer_id=customer_id,
    )
    return user
