"""What people do to their own sign-in: password, authenticator, second factors.

Each asks for a proof first. At the console that is a fresh second factor, which
the permission demands; at the portal, where there may be none, it is the
password and, where there is a factor, a code or a passkey shown minutes ago.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import SessionEnd, SessionStage, UserKind
from apps.identity.errors import (
    CredentialsRefused,
    LastFactor,
    MfaRequired,
    NoSecondFactor,
    OtpRefused,
    PasswordRefused,
)
from apps.identity.models import RecoveryCode, Session, TotpDevice, User
from apps.identity.operations.factors import spend_try, use_factor
from apps.identity.operations.guessing import Attempt
from apps.identity.operations.notices import notify
from apps.identity.operations.passwords import require_good_password, set_password
from apps.identity.operations.sessions import end_sessions_of, prove_anew
from apps.identity.operations.sign_in import knows_password
from apps.identity.operations.totp import Enrolment, confirm_seed, pending_seed
from apps.identity.selectors.actors import actor_for_user
from apps.identity.selectors.factors import factors_of, has_second_factor
from apps.ops import operations as ops
from dotmac.core.actors import STEP_UP_LIFETIME
from dotmac.core.errors import NotFound
from dotmac.core.refs import SubjectRef


def require_proof(
    *, session_id: int, password: str, otp: str = "", address: str = "", now: datetime
) -> Session:
    """The password and, where there is a factor, a code; raises what is missing.

    A second factor that was shown within ten minutes stands for the code. Wrong
    passwords and codes count as at sign-in. The session counts as stepped up.
    """
    rows = Session.objects.open_at(now).filter(pk=session_id, stage=SessionStage.FULL)
    session = rows.select_related("user").first()
    if session is None or not session.user.is_active:
        raise CredentialsRefused
    user = session.user
    attempt = Attempt(username=user.username, address=address, device="", now=now)
    attempt.refuse_if_locked()
    if not knows_password(user, password):
        attempt.failed()
        raise PasswordRefused(field="password")
    if not has_second_factor(user.pk):
        return session
    fresh = session.mfa_at is not None and now - session.mfa_at <= STEP_UP_LIFETIME
    if not otp:
        if fresh:
            return session
        raise MfaRequired(field="otp")
    spend_try(user_id=user.pk, now=now)
    try:
        return _shown(session, otp, now)
    except OtpRefused:
        attempt.failed()
        raise


@transaction.atomic
def _shown(session: Session, otp: str, now: datetime) -> Session:
    locked = Session.objects.locked().select_related("user").get(pk=session.pk)
    use_factor(user=locked.user, code=otp, now=now)
    prove_anew(locked, now=now)
    return locked


@transaction.atomic
def change_password(
    *, user_id: int, session_id: int | None, password: str, now: datetime
) -> int:
    """A new password; all sign-ins but the given one end. Returns how many.

    Refused: a weak password. The caller has asked for a proof.
    """
    user = _locked(user_id)
    set_password(user, password, now=now, field="new_password")
    ended = end_sessions_of(
        user_id=user_id,
        reason=SessionEnd.CREDENTIALS_CHANGED,
        now=now,
        but=session_id,
    )
    _record("change_password", user, now, sessions_ended=ended)
    notify(
        user,
        subject=_("Your password was changed"),
        body=_("Your password was changed, and all other sign-ins were ended."),
        key="password",
        now=now,
    )
    return ended


@transaction.atomic
def begin_totp(*, user_id: int, now: datetime) -> Enrolment:
    """The seed of an authenticator to come; the present one works until then."""
    return pending_seed(_locked(user_id))


def replace_totp(*, user_id: int, otp: str, now: datetime) -> None:
    """The first code of the new authenticator puts it in the place of the old.

    The caller has asked for a proof. The person gets a notice.
    """
    spend_try(user_id=user_id, now=now)
    with transaction.atomic():
        user = _locked(user_id)
        confirm_seed(user, otp, now)
        _record("replace_totp", user, now)
        notify(
            user,
            subject=_("An authenticator was set up"),
            body=_("Sign-in asks for a code of the new authenticator from now on."),
            key="totp",
            now=now,
        )


@transaction.atomic
def remove_totp(*, user_id: int, password: str = "", now: datetime) -> None:
    """Forget the authenticator. Staff keep another factor, or are refused.

    Customers may go without: then the password stands alone and must be as long
    as such passwords are. `password` is the one the caller has proved.
    """
    user = _locked(user_id)
    factors = factors_of(user_id)
    if not factors.totp:
        raise NoSecondFactor
    if factors.passkeys == 0:
        leave_mfa(user, password)

    TotpDevice.objects.filter(user=user).delete()
    _record("remove_totp", user, now)
    notify(
        user,
        subject=_("The authenticator was removed"),
        body=_("Sign-in no longer asks for a code of your authenticator."),
        key="totp-removed",
        now=now,
    )


def leave_mfa(user: User, password: str) -> None:
    """May the last factor go? Inside the caller's transaction.

    Recovery codes go with it: they would be a second password.
    """
    if user.kind == UserKind.STAFF:
        raise LastFactor
    require_good_password(password, user=user, has_mfa=False)
    RecoveryCode.objects.filter(user=user).delete()


def _locked(user_id: int) -> User:
    user = User.objects.locked().filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    return user


def _record(verb: str, user: User, now: datetime, **changes: int) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "user", user.pk, user.username),
        actor=actor_for_user(user),
        now=now,
        changes=changes,
    )
