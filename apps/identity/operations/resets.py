"""A new password by mail: asked for by anybody, given to who reads the mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import LinkPurpose, SessionEnd, UserKind
from apps.identity.models import OneTimeLink, ResetRequest, User
from apps.identity.operations.emails import prove_email
from apps.identity.operations.links import mail_link, make_link, take_link
from apps.identity.operations.notices import notify
from apps.identity.operations.passwords import set_password
from apps.identity.operations.sessions import end_sessions_of
from apps.identity.operations.sign_in import may_enter, user_of
from apps.identity.operations.staff import user_subject
from apps.identity.rules.lifetimes import RESET_LIFETIME, RESETS_MAX, RESETS_WINDOW
from apps.identity.selectors.actors import actor_for_user
from apps.identity.selectors.factors import has_second_factor
from apps.ops import operations as ops
from dotmac.core.letters import MARK

NAME_CHARACTERS_MAX = 254
ANSWER_MAX = 50
KEPT = timedelta(days=1)


def request_reset(*, name: str, face: str, address: str = "", now: datetime) -> None:
    """Note that somebody asks. The same one row for known and unknown names.

    `answer_reset_requests` looks later whether there is anybody to write to, so
    that neither words nor time tell a stranger.
    """
    ResetRequest.objects.create(
        name=name.strip().lower()[:NAME_CHARACTERS_MAX],
        face=face,
        address=address or None,
        requested_at=now,
    )


def answer_reset_requests(*, now: datetime, limit: int = ANSWER_MAX) -> int:
    """Mail the links that were asked for; returns how many mails were queued."""
    waiting = ResetRequest.objects.filter(done_at=None).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[: min(limit, ANSWER_MAX)])
    return sum(_answer(row_id, now) for row_id in ids)


@transaction.atomic
def _answer(row_id: int, now: datetime) -> bool:
    """One request, by exactly one worker."""
    row = (
        ResetRequest.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(pk=row_id, done_at=None)
        .first()
    )
    if row is None:
        return False
    row.done_at = now
    row.store("done_at", now=now)
    user = user_of(row.name)
    if user is None or not _may_reset(user, row, now):
        return False

    locked = User.objects.locked().get(pk=user.pk)
    link = make_link(
        user=locked,
        purpose=LinkPurpose.RESET_PASSWORD,
        email=locked.email,
        lifetime=RESET_LIFETIME,
        now=now,
    )
    mail_link(
        link,
        to=locked.email,
        subject=_("Set a new password"),
        lines=(
            _("Dear %s,") % locked.name,
            _("You, or somebody else, asked for a new password. Set it here:"),
            MARK,
            _("The link works once, for one hour. If you did not ask, do nothing."),
        ),
        now=now,
    )
    ops.record(
        action="identity.request_reset",
        subject=user_subject(locked),
        actor=actor_for_user(locked),
        now=now,
        changes={"address": row.address or ""},
    )
    return True


def _may_reset(user: User, row: ResetRequest, now: datetime) -> bool:
    """Staff who never enrolled need their invitation; nobody is flooded."""
    if not user.email or not may_enter(user, row.face):
        return False
    if user.kind == UserKind.STAFF and not has_second_factor(user.pk):
        return False
    lately = OneTimeLink.objects.filter(
        user=user,
        purpose=LinkPurpose.RESET_PASSWORD,
        expires_at__gt=now - RESETS_WINDOW + RESET_LIFETIME,
    )
    return lately.count() < RESETS_MAX


@transaction.atomic
def reset_password(*, token: str, password: str, now: datetime) -> User:
    """The new password of who holds the link; all sign-ins end.

    Opens no session: the person signs in with it, and with the second factor.
    Refused: a link that is over, a weak password (then the link stays good).
    """
    link = take_link(token=token, purpose=LinkPurpose.RESET_PASSWORD, now=now)
    user = User.objects.locked().get(pk=link.user_id)
    set_password(user, password, now=now)
    ended = end_sessions_of(
        user_id=user.pk, reason=SessionEnd.CREDENTIALS_CHANGED, now=now
    )
    if link.email.lower() == user.email.lower():
        prove_email(user=user, email=user.email, now=now)
    ops.record(
        action="identity.reset_password",
        subject=user_subject(user),
        actor=actor_for_user(user),
        now=now,
        changes={"sessions_ended": ended},
    )
    notify(
        user,
        subject=_("Your password was changed"),
        body=_("A new password was set by the link that we mailed to you."),
        key=f"reset-{link.pk}",
        now=now,
    )
    return user


@transaction.atomic
def forget_resets(*, now: datetime) -> int:
    """Delete requests that were answered a day ago: they hold what people typed."""
    old = ResetRequest.objects.filter(done_at__lt=now - KEPT)
    return old.delete()[0]
