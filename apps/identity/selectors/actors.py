"""Actors from live rows: nothing here is cached, so a revoked right is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from apps.identity.enums import SessionFace, UserKind
from apps.identity.errors import TokenRefused
from apps.identity.models import ApiKey, Session, User
from apps.identity.rules.policy import RulePolicy
from apps.identity.rules.tokens import TokenInvalid, read_access_token
from apps.identity.selectors.keys import jwt_keys
from apps.identity.selectors.rights import Rights, rights_of
from dotmac.core.actors import Actor, ActorKind, Circumstances

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
    """The actor for work that a program does in a user's name.

    Rules that ask how the person came in refuse it: nobody came in.
    """
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
    rights = rights_of(user) if held and user.is_active else Rights()
    if circumstances is not None:
        circumstances = replace(circumstances, roles=rights.roles)
    return Actor(
        kind=ActorKind.STAFF if staff else ActorKind.CUSTOMER,
        id=user.pk,
        label=user.username,
        scopes=rights.scopes,
        session_id=session_id,
        address=address,
        circumstances=circumstances,
        policy=RulePolicy(rights.rules, settings.OPERATOR_ZONE),
    )
