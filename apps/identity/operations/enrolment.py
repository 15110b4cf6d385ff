"""How staff come in: a one-time link, a password, an authenticator."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.identity.enums import SessionEnd, SessionFace, SessionStage, UserKind
from apps.identity.errors import CredentialsRefused, InvitationRefused, NotStaff
from apps.identity.models import Invitation, Session, TotpDevice, User
from apps.identity.operations.passwords import require_good_password
from apps.identity.operations.roles import refuse_beyond
from apps.identity.operations.sessions import (
    begin_session,
    complete_session,
    end_sessions_of,
)
from apps.identity.operations.sign_in import SignedIn, locked_device, use_code
from apps.identity.operations.staff import user_subject
from apps.identity.rules.lifetimes import INVITATION_LIFETIME
from apps.identity.rules.tokens import digest_of
from apps.identity.selectors.actors import actor_for_user
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids
from dotmac.core.errors import NotFound
from dotmac.core.models import open_sealed, seal_into

_SEED_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationLink:
    """The secret of the link is known here only; the database has its digest."""

    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        return f"/console/invitation/{self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an authenticator application needs, as text and as a link for a QR."""

    secret: str
    uri: str


@transaction.atomic
def invite_staff(*, user_id: int, actor: Actor, now: datetime) -> InvitationLink:
    """A fresh one-time link; the one before stops working.

    Refused for a person who holds more than the actor: the link is a sign-in.

    It is handed to the person, not mailed: a mail would put it into the
    messages table, where a dump of the database would show it.
    """
    user = _staff(user_id)
    refuse_beyond(user, actor)
    token = secrets.token_urlsafe(32)
    _revoke_invitations(user, now)
    invitation = Invitation.objects.create(
        user=user, digest=digest_of(token), expires_at=now + INVITATION_LIFETIME
    )
    ops.record(
        action="identity.invite_staff",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"expires_at": invitation.expires_at},
    )
    return InvitationLink(token=token, expires_at=invitation.expires_at)


@transaction.atomic
def reset_mfa(*, user_id: int, actor: Actor, now: datetime) -> InvitationLink:
    """Forget password and authenticator, end all sessions, and invite again.

    Always audited: this is how an attacker with a helpful colleague gets in.
    """
    user = _staff(user_id)
    TotpDevice.objects.filter(user=user).delete()
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
        changes={"sessions_ended": ended},
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
    require_good_password(password)

    invitation.used_at = now
    invitation.store("used_at", now=now)
    user = User.objects.locked().get(pk=invitation.user_id)
    user.password = make_password(password)
    user.store("password", now=now)
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
    session = _enrolling(session_id, now)
    totp = locked_device(user_id=session.user_id, confirmed=False)
    if totp is None:
        totp = TotpDevice(pk=next_ids(TotpDevice)[0], user=session.user, name="TOTP")
        seal_into(totp, "seed", secrets.token_hex(_SEED_BYTES))
        totp.save(force_insert=True)
    secret = _base32(totp)
    label = quote(f"{settings.OPERATOR_NAME}:{session.user.username}")
    query = urlencode(
        {"secret": secret, "issuer": settings.OPERATOR_NAME}, quote_via=quote
    )
    return Enrolment(secret=secret, uri=f"otpauth://totp/{label}?{query}")


@transaction.atomic
def confirm_totp(*, session_id: int, otp: str, now: datetime) -> SignedIn:
    """The first code proves the authenticator: it replaces the one before.

    The session becomes a full one.
    """
    session = _enrolling(session_id, now)
    totp = locked_device(user_id=session.user_id, confirmed=False)
    if totp is None:
        raise CredentialsRefused
    use_code(totp, otp, now)

    TotpDevice.objects.filter(user_id=session.user_id, confirmed=True).delete()
    totp.confirmed = True
    totp.store("confirmed", now=now)
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


def _base32(totp: TotpDevice) -> str:
    return base64.b32encode(bytes.fromhex(open_sealed(totp, "seed"))).decode()


def _record(user: User, verb: str, now: datetime) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=user_subject(user),
        actor=actor_for_user(user),
        now=now,
    )
