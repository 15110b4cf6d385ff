"""Actors from live rows: nothing here is cached, so a revoked right is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from apps.identity.enums import SessionFace, UserKind
from apps.identity.errors import TokenRefused
from apps.identity.models import ApiKey, Membership, Session, User
from apps.identity.rules.roles import permissions_of_rights
from apps.identity.rules.tokens import TokenInvalid, read_access_token
from apps.identity.selectors.keys import jwt_keys
from apps.identity.selectors.staff import unit_subtree
from dotmac.core.actors import NOTHING, Actor, ActorKind, Circumstances, Scope
from dotmac.core.permissions import is_declared

# Roles and the two grant tables of django-guardian, joined by UNION: one row
# for each permission, with the units and the single customers it reaches.
_HELD = """
    SELECT held.permission,
           coalesce(bool_or(unit.kind = 'operator'), false),
           array_agg(DISTINCT unit.id)
               FILTER (WHERE unit.id IS NOT NULL AND unit.kind <> 'operator'),
           array_agg(DISTINCT held.customer_id)
               FILTER (WHERE held.customer_id IS NOT NULL)
      FROM (
        SELECT rights.permission, assigned.unit_id, NULL::bigint AS customer_id
          FROM identity_roleassignment assigned
          JOIN identity_rolepermission rights ON rights.role_id = assigned.role_id
         WHERE assigned.user_id = %(user)s
        UNION
        SELECT permission.codename, granted.content_object_id, NULL
          FROM identity_unitgrant granted
          JOIN auth_permission permission ON permission.id = granted.permission_id
         WHERE granted.user_id = %(user)s
        UNION
        SELECT permission.codename, NULL, granted.content_object_id
          FROM identity_customergrant granted
          JOIN auth_permission permission ON permission.id = granted.permission_id
         WHERE granted.user_id = %(user)s
      ) held
      LEFT JOIN identity_organisationunit unit ON unit.id = held.unit_id
     GROUP BY held.permission
"""


# Read on every request, so it is spelt out: the ORM's compiling of the same
# statement costs five times as much as running it. The password stays behind. The names stand in
# the order of the models' fields, which `from_db` expects.
_SESSION = (
    "id", "created_at", "updated_at", "user_id", "face", "stage", "address", "device",
    "started_at", "seen_at", "idle_until_at", "expires_at", "mfa_at", "ended_at",
    "end_reason",
)  # fmt: skip
_USER = (
    "id", "created_at", "updated_at", "username", "email", "name", "kind",
    "is_active", "is_superuser",
)  # fmt: skip
_LIVE = f"""
    SELECT {", ".join(f"session.{name}" for name in _SESSION)},
           {", ".join(f"person.{name}" for name in _USER)}
      FROM identity_session session
      JOIN identity_user person ON person.id = session.user_id
     WHERE session.id = %(id)s AND session.ended_at IS NULL AND person.is_active
       AND session.expires_at > %(now)s AND session.idle_until_at > %(now)s
"""  # noqa: S608  # nosec B608 - made of the constants above


def live_session(*, session_id: int, now: datetime) -> Session | None:
    """The session with its user while both may still be used, at any stage."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, {"id": session_id, "now": now})
        row = cursor.fetchone()
    if row is None:
        return None
    session = Session.from_db(DEFAULT_DB_ALIAS, _SESSION, row[: len(_SESSION)])
    session.user = User.from_db(DEFAULT_DB_ALIAS, _USER, row[len(_SESSION) :])
    return session


def session_of_access_token(token: str, *, now: datetime) -> Session:
    """The live session behind a bearer token; raises TokenRefused."""
    try:
        claims = read_access_token(jwt_keys(), token, issuer=settings.BASE_URL, now=now)
    except TokenInvalid as error:
        raise TokenRefused from error
    session = live_session(session_id=claims.session_id, now=now)
    if session is None or not session.is_whole or session.user_id != claims.user_id:
        raise TokenRefused
    return session


def actor_for_session(session: Session, *, now: datetime, address: str = "") -> Actor:
    """The actor of a live session; one that is not signed in holds nothing."""
    return _actor(
        session.user,
        held=session.is_whole,
        session_id=session.pk,
        address=address or session.address or "",
        circumstances=Circumstances(
            now=now,
            face=session.face,
            started_at=session.started_at,
            mfa_at=session.mfa_at,
        ),
    )


def actor_for_api_key(key: ApiKey, *, now: datetime, address: str = "") -> Actor:
    """The owner, as far as the key goes and the owner may go now.

    No second factor was shown, so that dangerous operations are refused.
    """
    owner = _actor(
        key.user,
        held=True,
        address=address,
        circumstances=Circumstances(
            now=now,
            face=SessionFace.API,
            started_at=key.created_at,
            api_key_id=key.pk,
        ),
    )
    scopes = {name: owner.scopes[name] for name in key.scopes if name in owner.scopes}
    return replace(owner, label=f"{key.user.username} (key: {key.name})", scopes=scopes)


def actor_for_user(user: User) -> Actor:
    """The actor for work that a program does in a user's name."""
    return _actor(user, held=True)


def _actor(
    user: User,
    *,
    held: bool,
    session_id: int | None = None,
    address: str = "",
    circumstances: Circumstances | None = None,
) -> Actor:
    staff = user.kind == UserKind.STAFF
    scopes: dict[str, Scope] = {}
    if held and user.is_active:
        scopes = _staff_scopes(user.pk) if staff else _customer_scopes(user.pk)
    return Actor(
        kind=ActorKind.STAFF if staff else ActorKind.CUSTOMER,
        id=user.pk,
        label=user.username,
        scopes=scopes,
        session_id=session_id,
        address=address,
        circumstances=circumstances,
    )


def _staff_scopes(user_id: int) -> dict[str, Scope]:
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"user": user_id})
        rows = cursor.fetchall()
    roots = {unit for _, everything, units, _ in rows if units for unit in units}
    below = unit_subtree(roots)
    return {
        permission: Scope(
            everything=everything,
            unit_ids=frozenset().union(*(below[unit] for unit in units or ())),
            customer_ids=frozenset(customers or ()),
        )
        for permission, everything, units, customers in rows
    }


def _customer_scopes(user_id: int) -> dict[str, Scope]:
    scopes: dict[str, Scope] = {}
    for membership in Membership.objects.filter(user_id=user_id):
        own = Scope(customer_ids=frozenset((membership.customer_id,)))
        for permission in permissions_of_rights(membership.rights):
            if is_declared(permission):
                scopes[permission] = scopes.get(permission, NOTHING) | own
    return scopes
