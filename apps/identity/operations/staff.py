"""Members of staff: made, switched off, switched on again."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.identity.enums import SessionEnd, UserKind
from apps.identity.errors import (
    EmailTaken,
    MalformedEmail,
    UsernameTaken,
)
from apps.identity.models import User
from apps.identity.models.user import MADE_PREFIX
from apps.identity.operations.roles import (
    hold_role,
    refuse_beyond,
    require_other_owner,
)
from apps.identity.operations.sessions import end_sessions_of
from apps.identity.operations.way_back import keeping_a_way_back
from apps.identity.rules.contacts import plain_email, plain_username
from apps.identity.selectors.rights import rights_of
from apps.identity.selectors.staff import default_unit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef


@transaction.atomic
def create_staff(
    *,
    username: str,
    email: str,
    name: str,
    role_slug: str,
    unit_id: int | None = None,
    admin: bool = False,
    actor: Actor,
    now: datetime,
) -> User:
    """A member of staff with one role, who cannot sign in before an invitation.

    `admin` opens the stock admin site as well. Refused for a name or address
    that somebody signs in with already, and for a role beyond the actor's own.
    """
    user = add_user(
        username=username,
        email=email,
        name=name,
        kind=UserKind.STAFF,
        password=make_password(None),
        is_superuser=admin,
    )
    ops.record(
        action="identity.create_staff",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"username": user.username, "role": role_slug, "admin": admin},
    )
    hold_role(
        user_id=user.pk,
        role_slug=role_slug,
        unit_id=unit_id or default_unit().pk,
        actor=actor,
        now=now,
    )
    return user


def add_user(
    *,
    username: str,
    email: str,
    name: str,
    kind: UserKind,
    password: str,
    is_superuser: bool = False,
) -> User:
    """The row, with its refusals; `password` is a hash. For operations only."""
    clean_name, clean_email = plain_username(username), plain_email(email or "")
    if clean_name is None:
        raise InvalidInput(
            "A sign-in name has 3 to 150 letters, digits or . _ - @ +.",
            field="username",
        )
    if email and clean_email is None:
        raise MalformedEmail(field="email")
    with refusing(
        identity_user_username_key=lambda: UsernameTaken(field="username"),
        identity_user_email_once=lambda: EmailTaken(field="email"),
    ):
        return User.objects.create(
            username=clean_name,
            email=clean_email or "",
            name=name.strip() or clean_name,
            kind=kind,
            password=password,
            is_superuser=is_superuser,
        )


def made_username(distinct: str) -> str:
    """A sign-in name that says nothing about the person.

    The audit names people by their sign-in name and can never forget one. Who has
    such a name signs in by the address, and pages show that (`sign_in_name`).
    """
    return f"{MADE_PREFIX}{distinct}"


@transaction.atomic
def deactivate_user(*, user_id: int, actor: Actor, now: datetime) -> User:
    """Nobody signs in as this user any more, and all sessions end at once.

    Refused for the last owner, for the last one whom the rules let change them,
    and for a colleague who may do more than the actor. Repeating it changes nothing.
    """
    user = _locked(user_id)
    if not user.is_active:
        return user
    refuse_beyond(user, actor)
    require_other_owner((user_id,))

    with keeping_a_way_back(rights_of(user).scopes):
        user.is_active = False
        user.store("is_active", now=now)
    ended = end_sessions_of(user_id=user_id, reason=SessionEnd.DEACTIVATED, now=now)
    _record("deactivate_user", user, actor, now, sessions_ended=ended)
    return user


@transaction.atomic
def reactivate_user(*, user_id: int, actor: Actor, now: datetime) -> User:
    """Let the user sign in again. Repeating it changes nothing.

    Refused for a colleague who may do more than the actor: somebody who may as
    much has switched that one off.
    """
    user = _locked(user_id)
    if user.is_active:
        return user
    refuse_beyond(user, actor)

    user.is_active = True
    user.store("is_active", now=now)
    _record("reactivate_user", user, actor, now)
    return user


def user_subject(user: User) -> SubjectRef:
    return SubjectRef("identity", "user", user.pk, user.username)


def _locked(user_id: int) -> User:
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def _record(verb: str, user: User, actor: Actor, now: datetime, **changes: int) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes=changes,
    )
