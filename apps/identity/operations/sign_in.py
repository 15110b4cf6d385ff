"""Signing in: a password, and a one-time code where there is a device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from apps.identity.enums import SessionFace, SessionStage, UserKind
from apps.identity.errors import (
    CredentialsRefused,
    MfaEnrolmentRequired,
    MfaRequired,
    OtpRefused,
)
from apps.identity.models import Session, User
from apps.identity.operations.factors import spend_try, use_factor
from apps.identity.operations.guessing import USERNAME_CHARACTERS_MAX, Attempt
from apps.identity.operations.sessions import (
    Tokens,
    begin_session,
    complete_session,
    issue_tokens,
)
from apps.identity.rules.passwords import CHARACTERS_MAX
from apps.identity.selectors.factors import has_second_factor

_KIND_OF_FACE = {
    SessionFace.CONSOLE: UserKind.STAFF,
    SessionFace.PORTAL: UserKind.CUSTOMER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that was opened; `tokens` for programs only."""

    session: Session
    tokens: Tokens | None = None


def sign_in(
    *,
    username: str,
    password: str,
    otp: str = "",
    face: str,
    address: str = "",
    device: str = "",
    now: datetime,
) -> SignedIn:
    """Open a session for the right password and, with a device, the right code.

    Without a code the API is refused with `mfa_required`; console and portal
    get a session at the stage "password", which `confirm_code` or a passkey
    completes. Staff without a second factor are refused: they need an
    invitation. Unknown names cost the same time as wrong passwords, and both
    are counted; of one person's codes five a minute are looked at.
    """
    name = username.strip().lower()[:USERNAME_CHARACTERS_MAX]
    attempt = Attempt(username=name, address=address, device=device, now=now)
    attempt.refuse_if_locked()
    user = user_of(name)
    if not knows_password(user, password) or not may_enter(user, face):
        attempt.failed()
        raise CredentialsRefused
    assert user is not None
    if otp:
        spend_try(user_id=user.pk, now=now)

    try:
        signed_in = _open(user, password, otp, face, attempt=attempt)
    except OtpRefused:
        attempt.failed()
        raise
    attempt.succeeded()
    return signed_in


def user_of(name: str) -> User | None:
    """Whose sign-in name or e-mail address this is."""
    field = "email__iexact" if "@" in name else "username"
    return User.objects.filter(**{field: name}).first()


def knows_password(user: User | None, password: str) -> bool:
    """Whether it is the person's; nobody's costs the same time as a wrong one."""
    if len(password) > CHARACTERS_MAX:
        return False
    if user is None:
        make_password(password)
        return False
    return check_password(
        password, user.password, setter=lambda clear: _renew_hash(user, clear)
    )


def _renew_hash(user: User, clear: str) -> None:
    """Django calls it when the hash was made with weaker parameters than today's."""
    same = User.objects.filter(pk=user.pk, password=user.password)
    same.update(password=make_password(clear))


def may_enter(user: User | None, face: str) -> bool:
    """Staff at the console, customers at the portal, both at the API."""
    if user is None or not user.is_active:
        return False
    wanted = _KIND_OF_FACE.get(SessionFace(face))
    return wanted is None or user.kind == wanted


@transaction.atomic
def _open(
    seen: User, password: str, otp: str, face: str, *, attempt: Attempt
) -> SignedIn:
    # Deactivation and new passwords take the same lock: no session begins after
    # them by what was true before.
    now = attempt.now
    user = User.objects.locked().get(pk=seen.pk)
    changed = user.password != seen.password
    if not user.is_active or (changed and not knows_password(user, password)):
        raise CredentialsRefused
    stage, mfa_at = _stage_reached(user, otp, face, now)
    session = begin_session(
        user=user,
        face=face,
        stage=stage,
        address=attempt.address,
        device=attempt.device,
        now=now,
        mfa_at=mfa_at,
    )
    tokens = None
    if face == SessionFace.API:
        tokens = issue_tokens(session=session, now=now)
    return SignedIn(session=session, tokens=tokens)


def _stage_reached(
    user: User, otp: str, face: str, now: datetime
) -> tuple[SessionStage, datetime | None]:
    if not has_second_factor(user.pk):
        if user.kind == UserKind.STAFF:
            raise MfaEnrolmentRequired
        return SessionStage.FULL, None
    if otp:
        use_factor(user=user, code=otp, now=now)
        return SessionStage.FULL, now
    if face == SessionFace.API:
        raise MfaRequired
    return SessionStage.PASSWORD, None


def confirm_code(
    *, session_id: int, otp: str, address: str = "", device: str = "", now: datetime
) -> SignedIn:
    """Complete a session that still owes its one-time code.

    Wrong codes count like wrong passwords. A session that is over, or complete
    already, is refused.
    """
    owing = Session.objects.open_at(now).filter(stage=SessionStage.PASSWORD)
    session = owing.select_related("user").filter(pk=session_id).first()
    if session is None:
        raise CredentialsRefused
    attempt = Attempt(
        username=session.user.username, address=address, device=device, now=now
    )
    attempt.refuse_if_locked()
    spend_try(user_id=session.user_id, now=now)

    try:
        signed_in = _confirm(session_id, otp, now)
    except OtpRefused:
        attempt.failed()
        raise
    attempt.succeeded()
    return signed_in


@transaction.atomic
def _confirm(session_id: int, otp: str, now: datetime) -> SignedIn:
    session = Session.objects.locked().select_related("user").get(pk=session_id)
    ready = session.stage == SessionStage.PASSWORD and session.ended_at is None
    if not ready or not session.user.is_active:
        raise CredentialsRefused
    use_factor(user=session.user, code=otp, now=now)
    complete_session(session=session, now=now)
    return SignedIn(session=session)
