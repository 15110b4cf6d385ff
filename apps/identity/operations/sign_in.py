"""Signing in: a password, and a one-time code where there is a device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django_otp.oath import hotp

from apps.identity.enums import SessionFace, SessionStage, UserKind
from apps.identity.errors import (
    CredentialsRefused,
    MfaEnrolmentRequired,
    MfaRequired,
    OtpRefused,
    OtpReused,
)
from apps.identity.models import Session, TotpDevice, User
from apps.identity.operations.guessing import USERNAME_CHARACTERS_MAX, Attempt
from apps.identity.operations.sessions import (
    Tokens,
    begin_session,
    complete_session,
    issue_tokens,
)
from apps.identity.rules.codes import (
    DIGITS,
    matching_step,
    seconds_until_step,
    steps_at,
)
from dotmac.core.models import open_sealed

PASSWORD_CHARACTERS_MAX = 1024
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
    get a session at the stage "password", which `confirm_code` completes.
    Staff without a device are refused: they need an invitation. Unknown names
    cost the same time as wrong passwords, and both are counted.
    """
    name = username.strip().lower()[:USERNAME_CHARACTERS_MAX]
    attempt = Attempt(username=name, address=address, device=device, now=now)
    attempt.refuse_if_locked()
    user = _user_of(name)
    if not _knows_password(user, password) or not _may_enter(user, face):
        attempt.failed()
        raise CredentialsRefused
    assert user is not None

    try:
        signed_in = _open(user.pk, otp, face, attempt=attempt)
    except OtpRefused:
        attempt.failed()
        raise
    attempt.succeeded()
    return signed_in


def _user_of(name: str) -> User | None:
    field = "email__iexact" if "@" in name else "username"
    return User.objects.filter(**{field: name}).first()


def _knows_password(user: User | None, password: str) -> bool:
    if len(password) > PASSWORD_CHARACTERS_MAX:
        return False
    if user is None:
        make_password(password)  # The same time as for a known name.
        return False
    return check_password(password, user.password)


def _may_enter(user: User | None, face: str) -> bool:
    if user is None or not user.is_active:
        return False
    wanted = _KIND_OF_FACE.get(SessionFace(face))
    return wanted is None or user.kind == wanted


@transaction.atomic
def _open(user_id: int, otp: str, face: str, *, attempt: Attempt) -> SignedIn:
    # Deactivation takes the same lock: no session begins after it.
    now = attempt.now
    user = User.objects.locked().get(pk=user_id)
    if not user.is_active:
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
    totp = locked_device(user_id=user.pk, confirmed=True)
    if totp is None:
        if user.kind == UserKind.STAFF:
            raise MfaEnrolmentRequired
        return SessionStage.FULL, None
    if otp:
        use_code(totp, otp, now)
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
    totp = locked_device(user_id=session.user_id, confirmed=True)
    ready = session.stage == SessionStage.PASSWORD and session.ended_at is None
    if not ready or totp is None or not session.user.is_active:
        raise CredentialsRefused
    use_code(totp, otp, now)
    complete_session(session=session, now=now)
    return SignedIn(session=session)


def locked_device(*, user_id: int, confirmed: bool) -> TotpDevice | None:
    """The user's authenticator, held until commit."""
    return (
        TotpDevice.objects.select_for_update(of=("self",), no_key=True)
        .filter(user_id=user_id, confirmed=confirmed)
        .first()
    )


def use_code(totp: TotpDevice, otp: str, now: datetime) -> None:
    """Spend a code of a locked device: each works once.

    Raises OtpRefused for a wrong one and OtpReused, with the seconds until the
    next code, for one that was spent.
    """
    seed = bytes.fromhex(open_sealed(totp, "seed"))
    step = matching_step(
        otp, {step: hotp(seed, step, digits=DIGITS) for step in steps_at(now)}
    )
    if step is None:
        raise OtpRefused(field="otp")
    if step <= totp.last_step:
        wait = seconds_until_step(totp.last_step + 1, now)
        raise OtpReused(field="otp", retry_after_s=wait)
    totp.last_step = step
    totp.store("last_step", now=now)
