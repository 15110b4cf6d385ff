"""How staff come in: a one-time link, a password, an authenticator."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import SessionEnd, SessionFace, SessionStage, UserKind
from apps.identity.errors import CredentialsRefused, InvitationRefused, NotStaff
from apps.identity.models import (
    Invitation,
    Passkey,
    RecoveryCode,
    Session,
    TotpDevice,
    User,
)
from apps.identity.operations.api_keys import revoke_keys_of
from apps.identity.operations.links import NONCE_BYTES, revoke_links
from apps.identity.operations.notices import notify
from apps.identity.operations.passwords import set_password
from apps.identity.operations.roles import refuse_beyond
from apps.identity.operations.sessions import (
    begin_session,
    complete_session,
    end_sessions_of,
)
from apps.identity.operations.sign_in import SignedIn
from apps.identity.operations.staff import user_subject
from apps.identity.operations.totp import Enrolment, confirm_seed, pending_seed
from apps.identity.rules.lifetimes import INVITATION_LIFETIME
from apps.identity.rules.links import link_token
from apps.identity.rules.tokens import digest_of
from apps.identity.selectors.actors import actor_for_user
from apps.identity.selectors.links import INVITATION_KIND
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids
from dotmac.core.errors import NotFound
from dotmac.core.letters import MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationLink:
    """The secret of the link is known here only; the database has its digest."""

    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        return f"/console/invitation/{self.token}"


@transaction.atomic
def invite_staff(
    *, user_id: int, by_mail: bool = False, actor: Actor, now: datetime
) -> InvitationLink:
    """A fresh one-time link; the one before stops working.

    Handed over, or mailed to the address on file as well: the mail's row names
    the invitation, and the link is put in when it is sent. Refused for a
    colleague who may do more than the actor.
    """
    user = _staff(user_id)
    refuse_beyond(user, actor)
    (row_id,), nonce = next_ids(Invitation), secrets.token_hex(NONCE_BYTES)
    token = link_token(
        settings.SECRET_KEY, kind=INVITATION_KIND, row_id=row_id, nonce=nonce
    )
    _revoke_invitations(user, now)
    invitation = Invitation.objects.create(
        pk=row_id,
        user=user,
        nonce=nonce,
        digest=digest_of(token),
        expires_at=now + INVITATION_LIFETIME,
    )
    mailed = by_mail and bool(user.email)
    if mailed:
        _mail_invitation(invitation, user, now)
    ops.record(
        action="identity.invite_staff",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"expires_at": invitation.expires_at, "mailed": mailed},
    )
    return InvitationLink(token=token, expires_at=invitation.expires_at)


def _mail_invitation(invitation: Invitation, user: User, now: datetime) -> None:
    ops.send_message(
        to=user.email,
        subject=_("Your invitation to %s") % settings.OPERATOR_NAME,
        body="\n\n".join(
            (
                _("Dear %s,") % user.name,
                _("This link sets up your sign-in as %s:") % user.username,
                MARK,
                _("It works once, for three days. Have your phone at hand."),
                f"{settings.OPERATOR_NAME}\n",
            )
        ),
        purpose="identity.invite_staff",
        unique_key=f"{INVITATION_KIND}-{invitation.pk}",
        filled_by=f"{INVITATION_KIND}:{invitation.pk}",
        now=now,
    )


@transaction.atomic
def reset_mfa(*, user_id: int, actor: Actor, now: datetime) -> InvitationLink:
    """Forget password and all factors, end sessions and keys, and invite again.

    Always audited: this is how an attacker with a helpful colleague gets in.
    Refused for a colleague who may do more than the actor.
    """
    user = _staff(user_id)
    refuse_beyond(user, actor)
    TotpDevice.objects.filter(user=user).delete()
    Passkey.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    revoke_links(user=user, now=now)
    keys = revoke_keys_of(user_id=user_id, now=now)
    user.password = make_password(None)
    user.store("password", now=now)
    ended = end_sessions_of(
        user_id=user_id, reason=SessionEnd.CREDENTIALS_CHANGED, now=now
    )
    ops.record(
        action="identity.reset_mfa",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"sessions_ended": ended, "keys_revoked": keys},
    )
    notify(
        user,
        subject=_("Your sign-in was reset"),
        body=_(
            "%s reset your password and your second factors. A new invitation"
            " link is on its way to you."
        )
        % actor.label,
        key="reset-mfa",
        now=now,
    )
    return invite_staff(user_id=user_id, actor=actor, now=now)


@transaction.atomic
def accept_invitation(
    *, token: str, password: str, address: str = "", device: str = "", now: datetime
) -> Session:
    """Use up the link, set the password, and open an enrolment-only session.

    Refused alike for links that are unknown, used, revoked or too old.
    """
    open_rows = Invitation.objects.filter(
        digest=digest_of(token), used_at=None, revoked_at=None, expires_at__gt=now
    )
    invitation = (
        open_rows.select_for_update(of=("self",), no_key=True)
        .filter(user__is_active=True)
        .first()
    )
    if invitation is None:
        raise InvitationRefused

    invitation.used_at = now
    invitation.store("used_at", now=now)
    user = User.objects.locked().get(pk=invitation.user_id)
    set_password(user, password, now=now)
    TotpDevice.objects.filter(user=user, confirmed=False).delete()
    end_sessions_of(user_id=user.pk, reason=SessionEnd.CREDENTIALS_CHANGED, now=now)
    _record(user, "accept_invitation", now)
    return begin_session(
        user=user,
        face=SessionFace.CONSOLE,
        stage=SessionStage.ENROLMENT,
        address=address,
        device=device,
        now=now,
    )


@transaction.atomic
def enrol_totp(*, session_id: int, now: datetime) -> Enrolment:
    """The seed for the authenticator; the same one until it is confirmed."""
    return pending_seed(_enrolling(session_id, now).user)


@transaction.atomic
def confirm_totp(*, session_id: int, otp: str, now: datetime) -> SignedIn:
    """The first code proves the authenticator: it replaces the one before.

    The session becomes a full one.
    """
    session = _enrolling(session_id, now)
    confirm_seed(session.user, otp, now)
    _record(session.user, "confirm_totp", now)
    complete_session(session=session, now=now)
    return SignedIn(session=session)


def _enrolling(session_id: int, now: datetime) -> Session:
    session = (
        Session.objects.open_at(now)
        .select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(pk=session_id, stage=SessionStage.ENROLMENT, user__is_active=True)
        .first()
    )
    if session is None:
        raise CredentialsRefused
    return session


def _staff(user_id: int) -> User:
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    if user.kind != UserKind.STAFF:
        raise NotStaff
    return user


def _revoke_invitations(user: User, now: datetime) -> None:
    Invitation.objects.filter(user=user, used_at=None, revoked_at=None).update(
        revoked_at=now, updated_at=now
    )


def _record(user: User, verb: str, now: datetime) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=user_subject(user),
        actor=actor_for_user(user),
        now=now,
    )
