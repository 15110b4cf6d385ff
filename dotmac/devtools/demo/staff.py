"""Staff with a second factor, each through the invitation that a person gets."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from django_otp.oath import hotp

from apps.identity import operations as identity
from dotmac.core.actors import Actor
from dotmac.devtools.credentials import StaffSignIn

STEP_S = 30
PEOPLE = (
    ("owner", "Ada Obi", "owner"),
    ("support", "Sola Martins", "support"),
    ("billing", "Bisi Adeyemi", "billing-clerk"),
    ("network", "Nuru Bello", "network-engineer"),
    ("auditor", "Femi Cole", "auditor"),
)


def strong_password() -> str:
    """Readable and beyond guessing: four groups of five."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def code_at(secret: str, moment: datetime) -> str:
    """The one-time code (RFC 6238) that an authenticator shows then."""
    key = base64.b32decode(secret)
    return f"{hotp(key, int(moment.timestamp()) // STEP_S):06d}"


def hire_staff(*, actor: Actor, now: datetime) -> list[StaffSignIn]:
    """One person for each role. `now` lies in the past, so that today's codes are fresh."""
    return [_hire(*facts, actor=actor, now=now) for facts in PEOPLE]


def _hire(
    username: str, name: str, role: str, *, actor: Actor, now: datetime
) -> StaffSignIn:
    user = identity.create_staff(
        username=username,
        email=f"{username}@demo-isp.example",
        name=name,
        role_slug=role,
        admin=role == "owner",
        actor=actor,
        now=now,
    )
    link = identity.invite_staff(user_id=user.pk, actor=actor, now=now)
    password = strong_password()
    session = identity.accept_invitation(token=link.token, password=password, now=now)
    enrolment = identity.enrol_totp(session_id=session.pk, now=now)
    signed_in = identity.confirm_totp(
        session_id=session.pk, otp=code_at(enrolment.secret, now), now=now
    )
    identity.end_session(session_id=signed_in.session.pk, now=now)
    return StaffSignIn(
        username=username, password=password, totp_secret=enrolment.secret, role=role
    )
