"""Actors from live rows: nothing here is cached, so a revoked right is gone."""

from __future__ import annotations

import json
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
from apps.identity.selectors.rights import (
    UNIT_DEPTH_MAX,
    Rights,
    rights_from,
    rights_of,
)
from dotmac.core.actors import Actor, ActorKind, Circumstances

# Read on every request, so it is one function, of which PostgreSQL keeps the plans: the
# ORM's compiling, and planning anew, cost ten times as much as running it. The password
# stays behind. The names stand in the order of the models' fields, which `from_db`
# expects, and of the function's array.
_LIVE = "SELECT session, held, rules FROM identity_live_session(%s, %s, %s)"
_SESSION = (
    "id", "created_at", "updated_at", "user_id", "face", "stage", "address", "device",
    "started_at", "seen_at", "idle_until_at", "expires_at", "mfa_at", "ended_at",
    "end_reason",
)  # fmt: skip
_USER = (
    "id", "created_at", "updated_at", "username", "email", "name", "kind",
    "is_active", "is_superuser",
)  # fmt: skip
_TIMES = [
    number for number, name in enumerate((*_SESSION, *_USER)) if name.endswith("_at")
]


def live_session(*, session_id: int, now: datetime) -> Session | None:
    """The session with its user while both may still be used, at any stage.

    What the user holds comes in the same statement, for `actor_for_session`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [session_id, now, UNIT_DEPTH_MAX])
        [(text, held, rules)] = cursor.fetchall()
    if text is None:
        return None
    row = json.loads(text)
    for number in _TIMES:
        row[number] = row[number] and datetime.fromisoformat(row[number])
    session = Session.from_db(DEFAULT_DB_ALIAS, _SESSION, row[: len(_SESSION)])
    session.user = User.from_db(DEFAULT_DB_ALIAS, _USER, row[len(_SESSION) :])
    if held is not None:
        session.rights = rights_from(session.user, held, rules)
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
        rights=session.rights,
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
    rights: Rights | None = None,
    session_id: int | None = None,
    address: str = "",
    circumstances: Circumstances | None = None,
) -> Actor:
    staff = user.kind == UserKind.STAFF
    if not (held and user.is_active):
        rights = Rights()
    elif rights is None:
        rights = rights_of(user)
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
