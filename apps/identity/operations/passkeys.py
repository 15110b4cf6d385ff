"""Passkeys: asked for, made, used, renamed, removed.

A challenge is a row that is claimed before the answer is looked at, so that an
answer counts once, whether it was good or not.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import (
    CeremonyPurpose,
    SessionStage,
)
from apps.identity.errors import (
    CredentialsRefused,
    NameTaken,
    PasskeyKnown,
    PasskeyRefused,
)
from apps.identity.models import Ceremony, Passkey, Session, User
from apps.identity.operations.notices import notify
from apps.identity.operations.own_security import leave_mfa
from apps.identity.operations.sessions import (
    begin_session,
    complete_session,
    prove_anew,
)
from apps.identity.operations.sign_in import SignedIn, may_enter
from apps.identity.operations.staff import user_subject
from apps.identity.rules import passkeys as rules
from apps.identity.rules.lifetimes import CEREMONY_LIFETIME
from apps.identity.selectors.actors import actor_for_user
from apps.identity.selectors.factors import factors_of, passkey_site, passkeys_of
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

PASSKEYS_MAX = 20
NAME_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A challenge: its row, and what the browser is handed."""

    ceremony_id: int
    options: dict[str, Any]


def ask_for_passkey(*, session_id: int | None, now: datetime) -> Asked:
    """Let a browser prove a passkey: a stranger's, or of who gave the password.

    Without a session, or with one that is over, any passkey of the site will do.
    """
    session = _open_session(session_id, now)
    if session is None:
        return _ask(CeremonyPurpose.SIGN_IN, None, now)
    return _ask(CeremonyPurpose.CONFIRM, session, now)


def ask_for_new_passkey(*, session_id: int, now: datetime) -> Asked:
    """Let a browser make a passkey for who is signed in, or enrols.

    Refused at the stage "password", and beyond twenty.
    """
    session = _open_session(session_id, now)
    if session is None or session.stage == SessionStage.PASSWORD:
        raise CredentialsRefused
    if passkeys_of(session.user_id).count() >= PASSKEYS_MAX:
        raise InvalidInput(f"At most {PASSKEYS_MAX} passkeys.")
    return _ask(CeremonyPurpose.REGISTER, session, now)


def _ask(purpose: str, session: Session | None, now: datetime) -> Asked:
    challenge = secrets.token_bytes(rules.CHALLENGE_BYTES)
    ceremony = Ceremony.objects.create(
        purpose=purpose,
        challenge=challenge,
        user_id=session.user_id if session else None,
        session=session,
        expires_at=now + CEREMONY_LIFETIME,
    )
    known = [
        bytes(key.credential_id)
        for key in passkeys_of(session.user_id if session else None)
    ]
    site = passkey_site()
    if purpose == CeremonyPurpose.REGISTER:
        assert session is not None
        options = rules.ask_for_new(
            site,
            challenge=challenge,
            user_id=session.user_id,
            user_name=session.user.username,
            person=session.user.name,
            known=known,
        )
    else:
        options = rules.ask_for_known(site, challenge=challenge, known=known)
    return Asked(ceremony_id=ceremony.pk, options=options)


def add_passkey(
    *, ceremony_id: int, session_id: int, answer: Any, name: str, now: datetime
) -> Passkey:
    """Keep the passkey that the browser made; the person gets a notice.

    An enrolling session becomes a full one. Refused: an answer to another
    challenge or from another site, a name that is taken, a known passkey.
    """
    ceremony = _claim(ceremony_id, CeremonyPurpose.REGISTER, now)
    if ceremony.session_id != session_id:
        raise PasskeyRefused
    try:
        made = rules.read_new(
            passkey_site(), answer, challenge=bytes(ceremony.challenge)
        )
    except rules.PasskeyInvalid as error:
        raise PasskeyRefused from error
    return _keep(session_id, made, name.strip()[:NAME_CHARACTERS_MAX], now)


@transaction.atomic
def _keep(session_id: int, made: rules.NewPasskey, name: str, now: datetime) -> Passkey:
    session = _locked(session_id, now)
    if session is None or session.stage == SessionStage.PASSWORD:
        raise CredentialsRefused
    user = User.objects.locked().get(pk=session.user_id)
    with refusing(
        identity_passkey_name_once=lambda: NameTaken(field="name"),
        identity_passkey_credential_id_key=PasskeyKnown,
    ):
        passkey = Passkey.objects.create(
            user=user,
            name=name or _("Passkey of %s") % now.strftime("%Y-%m-%d %H:%M"),
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            backed_up=made.backed_up,
        )
    _tell_of_new(user, passkey, now)
    if session.stage == SessionStage.ENROLMENT:
        complete_session(session=session, now=now)
    return passkey


def sign_in_with_passkey(
    *,
    ceremony_id: int,
    answer: Any,
    face: str,
    address: str = "",
    device: str = "",
    now: datetime,
) -> SignedIn:
    """A full session for a passkey alone: it has the person's finger or PIN.

    Refused alike: unknown and removed passkeys, people who may not enter here,
    answers without that proof.
    """
    ceremony = _claim(ceremony_id, CeremonyPurpose.SIGN_IN, now)
    with transaction.atomic():
        user = _prove(ceremony, answer, verified=True, now=now)
        if not may_enter(user, face):
            raise PasskeyRefused
        session = begin_session(
            user=user,
            face=face,
            stage=SessionStage.FULL,
            address=address,
            device=device,
            now=now,
            mfa_at=now,
        )
    return SignedIn(session=session)


def confirm_with_passkey(
    *, ceremony_id: int, session_id: int, answer: Any, now: datetime
) -> Session:
    """The second factor of a session: completes a sign-in, or steps it up."""
    ceremony = _claim(ceremony_id, CeremonyPurpose.CONFIRM, now)
    if ceremony.session_id != session_id:
        raise PasskeyRefused
    with transaction.atomic():
        session = _locked(session_id, now)
        if session is None or session.stage == SessionStage.ENROLMENT:
            raise PasskeyRefused
        _prove(ceremony, answer, verified=False, now=now)
        if session.stage == SessionStage.PASSWORD:
            complete_session(session=session, now=now)
        else:
            prove_anew(session, now=now)
    return session


def _claim(ceremony_id: int, purpose: str, now: datetime) -> Ceremony:
    """Exactly one caller gets the challenge, for one answer."""
    open_rows = Ceremony.objects.filter(
        pk=ceremony_id, purpose=purpose, used_at=None, expires_at__gt=now
    )
    if not open_rows.update(used_at=now, updated_at=now):
        raise PasskeyRefused
    return Ceremony.objects.get(pk=ceremony_id)


def _prove(ceremony: Ceremony, answer: Any, *, verified: bool, now: datetime) -> User:
    """Whose passkey signed the challenge. A key of somebody else is refused."""
    try:
        credential_id = rules.credential_id_of(answer)
        rows = Passkey.objects.locked().filter(credential_id=credential_id)
        passkey = rows.first()
        if passkey is None or ceremony.user_id not in {None, passkey.user_id}:
            raise PasskeyRefused
        count = rules.prove(
            passkey_site(),
            answer,
            challenge=bytes(ceremony.challenge),
            public_key=bytes(passkey.public_key),
            sign_count=passkey.sign_count,
            verified=verified,
        )
    except rules.PasskeyInvalid as error:
        raise PasskeyRefused from error
    passkey.sign_count, passkey.last_used_at = count, now
    passkey.store("sign_count", "last_used_at", now=now)
    return User.objects.locked().get(pk=passkey.user_id)


@transaction.atomic
def rename_passkey(
    *, user_id: int, passkey_id: int, name: str, actor: Actor, now: datetime
) -> None:
    """Give a device a name that its owner knows it by. The same one changes nothing."""
    passkey = Passkey.objects.locked().filter(pk=passkey_id, user_id=user_id).first()
    if passkey is None:
        raise NotFound
    wanted = name.strip()[:NAME_CHARACTERS_MAX]
    if wanted in {"", passkey.name}:
        return

    passkey.name = wanted
    with refusing(identity_passkey_name_once=lambda: NameTaken(field="name")):
        passkey.store("name", now=now)
    ops.record(
        action="identity.rename_passkey",
        subject=SubjectRef("identity", "passkey", passkey.pk),
        actor=actor,
        now=now,
        changes={"fields": ["name"]},
    )


@transaction.atomic
def remove_passkey(
    *, user_id: int, passkey_id: int, password: str = "", actor: Actor, now: datetime
) -> None:
    """Forget a device. Refused when it is the last factor of a member of staff.

    Customers may go without: `password`, which the caller has proved, then
    stands alone and must be long enough for that.
    """
    user = User.objects.locked().filter(pk=user_id).first()
    passkey = Passkey.objects.locked().filter(pk=passkey_id, user_id=user_id).first()
    if user is None or passkey is None:
        raise NotFound
    factors = factors_of(user_id)
    if not factors.totp and factors.passkeys == 1:
        leave_mfa(user, password)

    ops.record(
        action="identity.remove_passkey",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"passkey": passkey.pk},
    )
    notify(
        user,
        subject=_("A passkey was removed"),
        body=_('The passkey "%s" no longer opens your account.') % passkey.name,
        key=f"passkey-removed-{passkey_id}",
        now=now,
    )
    passkey.delete()


def _open_session(session_id: int | None, now: datetime) -> Session | None:
    if session_id is None:
        return None
    rows = Session.objects.open_at(now).filter(user__is_active=True)
    return rows.select_related("user").filter(pk=session_id).first()


def _locked(session_id: int, now: datetime) -> Session | None:
    rows = Session.objects.open_at(now).filter(user__is_active=True)
    return (
        rows.select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(pk=session_id)
        .first()
    )


def _tell_of_new(user: User, passkey: Passkey, now: datetime) -> None:
    ops.record(
        action="identity.add_passkey",
        subject=user_subject(user),
        actor=actor_for_user(user),
        now=now,
        changes={"passkey": passkey.pk},
    )
    notify(
        user,
        subject=_("A passkey was added"),
        body=_('The passkey "%s" opens your account from now on.') % passkey.name,
        key=f"passkey-added-{passkey.pk}",
        now=now,
    )
