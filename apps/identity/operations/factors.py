"""Spending second factors: codes of an authenticator and recovery codes.

How often a person's codes may be tried is counted in one row, which all workers
lock; the count is committed before the code is looked at, so that a refusal
does not take it back.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp.oath import hotp

from apps.identity.errors import OtpRefused, OtpReused, SignInLocked
from apps.identity.models import CodeTries, RecoveryCode, TotpDevice, User
from apps.identity.operations.notices import notify
from apps.identity.rules import recovery
from apps.identity.rules.codes import (
    DIGITS,
    matching_step,
    seconds_until_step,
    steps_at,
)
from apps.identity.rules.lifetimes import CODE_TRIES_MAX, CODE_TRIES_WINDOW
from apps.identity.selectors.actors import actor_for_user
from apps.ops import operations as ops
from dotmac.core.models import open_sealed
from dotmac.core.refs import SubjectRef


@transaction.atomic
def spend_try(*, user_id: int, now: datetime) -> None:
    """Count one try of a code. Raises SignInLocked after five in a minute."""
    made, _created = CodeTries.objects.get_or_create(user_id=user_id)
    row = CodeTries.objects.select_for_update(no_key=True).get(pk=made.pk)
    recent = [at for at in row.tried_at if at > now - CODE_TRIES_WINDOW]
    if len(recent) >= CODE_TRIES_MAX:
        wait = min(recent) + CODE_TRIES_WINDOW - now
        raise SignInLocked(retry_after_s=ceil(wait.total_seconds()))
    row.tried_at = [*recent, now]
    row.store("tried_at", now=now)


def use_factor(*, user: User, code: str, now: datetime) -> None:
    """Spend a code of the authenticator or a recovery code, each works once.

    Inside the caller's transaction. Raises OtpRefused or OtpReused. A right code
    forgets the tries before it.
    """
    plain = recovery.plain(code)
    if plain is not None:
        _use_recovery_code(user, plain, now)
    else:
        totp = locked_device(user_id=user.pk, confirmed=True)
        if totp is None:
            raise OtpRefused(field="otp")
        use_code(totp, code, now)
    CodeTries.objects.filter(user=user).update(tried_at=[], updated_at=now)


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


def _use_recovery_code(user: User, code: str, now: datetime) -> None:
    """One conditional update: of two who send the same code one succeeds."""
    mine = RecoveryCode.objects.filter(user=user, used_at=None)
    digest = recovery.digest(user.pk, code)
    if not mine.filter(digest=digest).update(used_at=now, updated_at=now):
        raise OtpRefused(field="otp")
    left = mine.count()
    ops.record(
        action="identity.use_recovery_code",
        subject=SubjectRef("identity", "user", user.pk, user.username),
        actor=actor_for_user(user),
        now=now,
        changes={"left": left},
    )
    notify(
        user,
        subject=_("A recovery code of yours was used"),
        body=ngettext(
            "One of your recovery codes was used to sign in or to confirm who you"
            " are. %(left)s is left.",
            "One of your recovery codes was used to sign in or to confirm who you"
            " are. %(left)s are left.",
            left,
        )
        % {"left": left},
        key=f"recovery-{left}",
        now=now,
    )
