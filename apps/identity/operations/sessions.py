"""Sessions: begun by a sign-in, kept alive by use, refreshed, ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.identity.enums import SessionEnd, SessionFace, SessionStage
from apps.identity.errors import RefreshRefused
from apps.identity.models import Ceremony, RefreshToken, Session, User
from apps.identity.rules.lifetimes import ACCESS_LIFETIME, SEEN_STEP, lifetime_of
from apps.identity.rules.tokens import AccessClaims, digest_of, write_access_token
from apps.identity.selectors.actors import actor_for_user
from apps.identity.selectors.keys import jwt_keys
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound
from dotmac.core.refs import SubjectRef

DEVICE_CHARACTERS_MAX = 200
FORGET_BATCH_MAX = 5_000
KEPT = timedelta(days=90)
CEREMONY_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a program gets: a short access token and a one-time refresh token."""

    access: str
    refresh: str
    expires_in: int


def begin_session(
    *,
    user: User,
    face: str,
    stage: str,
    address: str,
    device: str,
    now: datetime,
    mfa_at: datetime | None = None,
) -> Session:
    """A new session row, inside the sign-in's transaction."""
    life = lifetime_of(face=face, stage=stage, kind=user.kind)
    session = Session.objects.create(
        user=user,
        face=face,
        stage=stage,
        address=address or None,
        device=device[:DEVICE_CHARACTERS_MAX],
        started_at=now,
        seen_at=now,
        idle_until_at=now + life.idle,
        expires_at=now + life.absolute,
        mfa_at=mfa_at,
    )
    if stage == SessionStage.FULL:
        _record(session, "sign_in", now)
    return session


def complete_session(*, session: Session, now: datetime) -> None:
    """The code was right: a locked, unfinished session becomes a full one."""
    session.stage = SessionStage.FULL
    life = lifetime_of(face=session.face, stage=session.stage, kind=session.user.kind)
    session.seen_at, session.mfa_at = now, now
    session.idle_until_at, session.expires_at = now + life.idle, now + life.absolute
    session.store("stage", "seen_at", "mfa_at", "idle_until_at", "expires_at", now=now)
    _record(session, "sign_in", now)


def issue_tokens(*, session: Session, now: datetime) -> Tokens:
    """A pair of tokens of an API session, inside the caller's transaction."""
    refresh = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        session=session,
        digest=digest_of(refresh),
        issued_at=now,
        expires_at=session.expires_at,
    )
    access = write_access_token(
        jwt_keys(),
        AccessClaims(user_id=session.user_id, session_id=session.pk),
        issuer=settings.BASE_URL,
        jti=secrets.token_urlsafe(12),
        now=now,
    )
    return Tokens(
        access=access,
        refresh=refresh,
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
    )


def refresh_tokens(*, refresh: str, now: datetime) -> Tokens:
    """A new pair for a refresh token, which works once.

    Of several uses at the same time one succeeds. A second use ends the whole
    session, since one of the two who hold the token has stolen it.
    """
    tokens = _refresh(refresh, now)
    if tokens is None:
        raise RefreshRefused
    return tokens


@transaction.atomic
def _refresh(refresh: str, now: datetime) -> Tokens | None:
    """None when refused: what the refusal changed must be committed."""
    session = _locked_session_of(refresh)
    if session is None:
        return None
    token = RefreshToken.objects.get(digest=digest_of(refresh))
    if token.used_at is not None:
        _end(session, SessionEnd.REFRESH_REUSED, now)
        return None
    if not _usable(session, now):
        return None

    token.used_at = now
    token.save(update_fields=["used_at"])
    life = lifetime_of(face=session.face, stage=session.stage, kind=session.user.kind)
    session.seen_at, session.idle_until_at = now, now + life.idle
    session.store("seen_at", "idle_until_at", now=now)
    return issue_tokens(session=session, now=now)


def _locked_session_of(refresh: str) -> Session | None:
    tokens = RefreshToken.objects.filter(digest=digest_of(refresh))
    return (
        Session.objects.locked()
        .select_related("user")
        .filter(pk__in=tokens.values("session_id"))
        .first()
    )


def _usable(session: Session, now: datetime) -> bool:
    in_time = now < min(session.expires_at, session.idle_until_at)
    return session.ended_at is None and in_time and session.user.is_active


def touch_session(*, session: Session, now: datetime) -> None:
    """Keep a session that is used from going idle; writes once a minute at most."""
    if now < session.seen_at + SEEN_STEP:
        return
    life = lifetime_of(face=session.face, stage=session.stage, kind=session.user.kind)
    Session.objects.filter(pk=session.pk, ended_at=None).update(
        seen_at=now, idle_until_at=now + life.idle
    )


@transaction.atomic
def end_session(
    *,
    session_id: int,
    now: datetime,
    reason: str = SessionEnd.SIGNED_OUT,
    actor: Actor | None = None,
) -> None:
    """End a session and all tokens behind it. Repeating it changes nothing.

    `actor` is who ended it when that is not the person who signed in.
    """
    session = (
        Session.objects.locked().select_related("user").filter(pk=session_id).first()
    )
    if session is not None:
        _end(session, reason, now, actor)


@transaction.atomic
def sign_out(*, refresh: str, now: datetime) -> None:
    """End the session of a refresh token; an unknown token changes nothing."""
    session = _locked_session_of(refresh)
    if session is not None and session.face == SessionFace.API:
        _end(session, SessionEnd.SIGNED_OUT, now)


@transaction.atomic
def end_own_session(*, session_id: int, actor: Actor, now: datetime) -> None:
    """One of the actor's own sign-ins, on whatever device. Repeatable."""
    session = (
        Session.objects.locked()
        .select_related("user")
        .filter(pk=session_id, user_id=actor.id or 0)
        .first()
    )
    if session is None:
        raise NotFound
    _end(session, SessionEnd.ENDED_ELSEWHERE, now, actor)


@transaction.atomic
def end_other_sessions(*, actor: Actor, now: datetime) -> int:
    """All of the actor's sign-ins but the one at hand. Returns how many ended."""
    if actor.id is None:
        raise NotFound
    ended = end_sessions_of(
        user_id=actor.id,
        reason=SessionEnd.ENDED_ELSEWHERE,
        now=now,
        but=actor.session_id,
    )
    if ended:
        ops.record(
            action="identity.end_other_sessions",
            subject=SubjectRef("identity", "user", actor.id, actor.label),
            actor=actor,
            now=now,
            changes={"sessions_ended": ended},
        )
    return ended


def end_sessions_of(
    *, user_id: int, reason: str, now: datetime, but: int | None = None
) -> int:
    """End a user's open sessions (`but` one), inside the caller's transaction."""
    rows = Session.objects.locked().filter(user_id=user_id, ended_at=None)
    ids = [pk for pk in rows.values_list("pk", flat=True) if pk != but]
    return Session.objects.filter(pk__in=ids).update(
        ended_at=now, end_reason=reason, updated_at=now
    )


@transaction.atomic
def forget_sessions(*, now: datetime, limit: int = FORGET_BATCH_MAX) -> int:
    """Delete sessions that were over 90 days ago, one bounded batch.

    Challenges of passkeys go a day after they are over.
    """
    over = Session.objects.filter(expires_at__lt=now - KEPT).order_by("pk")
    old = list(over.values_list("pk", flat=True)[: min(limit, FORGET_BATCH_MAX)])
    Session.objects.filter(pk__in=old).delete()
    Ceremony.objects.filter(expires_at__lt=now - CEREMONY_KEPT).delete()
    return len(old)


def prove_anew(session: Session, *, now: datetime) -> None:
    """A second factor was shown in this locked session; in the caller's transaction."""
    session.mfa_at = now
    session.store("mfa_at", now=now)
    _record(session, "step_up", now)


def _end(
    session: Session, reason: str, now: datetime, actor: Actor | None = None
) -> None:
    if session.ended_at is not None:
        return
    session.ended_at, session.end_reason = now, reason
    session.store("ended_at", "end_reason", now=now)
    _record(session, "sign_out", now, actor)


def _record(
    session: Session, verb: str, now: datetime, actor: Actor | None = None
) -> None:
    changes = {"face": session.face, "reason": session.end_reason}
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "session", session.pk, session.user.username),
        actor=actor or actor_for_user(session.user),
        now=now,
        changes={name: value for name, value in changes.items() if value},
    )
