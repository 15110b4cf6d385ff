"""How long sign-ins, links and tokens live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from apps.identity.enums import SessionFace, SessionStage, UserKind

ACCESS_LIFETIME = timedelta(minutes=10)
INVITATION_LIFETIME = timedelta(days=3)
PORTAL_INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)
EMAIL_PROOF_LIFETIME = timedelta(days=2)
# How long a browser may take over its passkey.
CEREMONY_LIFETIME = timedelta(minutes=5)
# One-time codes and recovery codes that one person may try in a minute.
CODE_TRIES_MAX = 5
CODE_TRIES_WINDOW = timedelta(minutes=1)
# Mails with a link to set a new password that one person gets in an hour.
RESETS_MAX = 3
RESETS_WINDOW = timedelta(hours=1)
# A key's last use is written at most this often.
KEY_USE_STEP = timedelta(minutes=1)
# A session's row is written at most this often by the requests that use it.
SEEN_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The longest a session lives, and how long it may rest unused."""

    absolute: timedelta
    idle: timedelta


_UNFINISHED = Lifetime(timedelta(minutes=15), timedelta(minutes=15))
_LIFETIMES: dict[tuple[str, str], Lifetime] = {
    (SessionFace.CONSOLE, UserKind.STAFF): Lifetime(
        timedelta(hours=12), timedelta(hours=2)
    ),
    (SessionFace.PORTAL, UserKind.CUSTOMER): Lifetime(
        timedelta(days=30), timedelta(days=7)
    ),
    (SessionFace.API, UserKind.STAFF): Lifetime(
        timedelta(hours=24), timedelta(hours=12)
    ),
    (SessionFace.API, UserKind.CUSTOMER): Lifetime(
        timedelta(days=30), timedelta(days=7)
    ),
}


def lifetime_of(*, face: str, stage: str, kind: str) -> Lifetime:
    """The limits of a session; one that is not signed in yet lives briefly."""
    if stage != SessionStage.FULL:
        return _UNFINISHED
    return _LIFETIMES[face, kind]
