"""The second factor shown again: what dangerous operations ask for."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity.enums import SessionStage
from apps.identity.errors import CredentialsRefused, NoSecondFactor, OtpRefused
from apps.identity.models import Session
from apps.identity.operations.factors import spend_try, use_factor
from apps.identity.operations.guessing import Attempt
from apps.identity.operations.sessions import prove_anew
from apps.identity.selectors.factors import has_second_factor


def step_up(
    *, session_id: int, otp: str, address: str = "", device: str = "", now: datetime
) -> Session:
    """Prove a signed-in session anew by a code; wrong ones count as at sign-in.

    Refused with `no_second_factor` where there is none to show.
    """
    session = _signed_in(session_id, now)
    if not has_second_factor(session.user_id):
        raise NoSecondFactor
    attempt = Attempt(
        username=session.user.username, address=address, device=device, now=now
    )
    attempt.refuse_if_locked()
    spend_try(user_id=session.user_id, now=now)
    try:
        return _prove(session_id, otp, now)
    except OtpRefused:
        attempt.failed()
        raise


@transaction.atomic
def _prove(session_id: int, otp: str, now: datetime) -> Session:
    session = (
        Session.objects.open_at(now)
        .select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .get(pk=session_id)
    )
    use_factor(user=session.user, code=otp, now=now)
    prove_anew(session, now=now)
    return session


def _signed_in(session_id: int, now: datetime) -> Session:
    rows = Session.objects.open_at(now).filter(
        pk=session_id, stage=SessionStage.FULL, user__is_active=True
    )
    session = rows.select_related("user").first()
    if session is None:
        raise CredentialsRefused
    return session
