"""One-time links: whose they are, and how the mail gets its text."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from apps.identity.enums import LinkPurpose, UserKind
from apps.identity.models import Invitation, OneTimeLink, User
from apps.identity.rules.links import token_of_digest
from apps.identity.rules.tokens import digest_of

LINK_KIND = "identity.link"
INVITATION_KIND = "identity.invitation"
_PATHS = {
    LinkPurpose.RESET_PASSWORD: "reset",
    LinkPurpose.CONFIRM_EMAIL: "confirm-email",
    LinkPurpose.JOIN_PORTAL: "invitation",
    LinkPurpose.JOIN_ACCOUNT: "invitation/account",
}


def signing_secrets() -> list[str]:
    """The keys that may have made a link: today's, and those before it."""
    return [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def link_path(link: OneTimeLink, token: str) -> str:
    """Where the link leads, by whose it is and what it is for."""
    root = "console" if link.user.kind == UserKind.STAFF else "portal"
    return f"/{root}/{_PATHS[LinkPurpose(link.purpose)]}/{token}"


def working_link(*, token: str, purpose: str, now: datetime) -> OneTimeLink | None:
    """The link's row, while it works; looking at it does not use it up."""
    rows = OneTimeLink.objects.unspent().filter(
        digest=digest_of(token), purpose=purpose, expires_at__gt=now
    )
    rows = rows.select_related("user", "customer")
    return rows.filter(user__is_active=True).first()


def user_of_link(*, token: str, purpose: str, now: datetime) -> User | None:
    """Whom a link is for, while it works."""
    link = working_link(token=token, purpose=purpose, now=now)
    return link.user if link is not None else None


def fill_link(row_id: int, now: datetime) -> str | None:
    """The whole address, for the moment in which the mail is sent."""
    rows = OneTimeLink.objects.unspent().filter(pk=row_id, expires_at__gt=now)
    link = rows.select_related("user").first()
    token = link and token_of_digest(
        signing_secrets(),
        kind=LINK_KIND,
        row_id=link.pk,
        nonce=link.nonce,
        digest=link.digest,
    )
    return f"{settings.BASE_URL}{link_path(link, token)}" if link and token else None


def fill_invitation(row_id: int, now: datetime) -> str | None:
    """The same for a colleague's invitation."""
    row = Invitation.objects.filter(
        pk=row_id, used_at=None, revoked_at=None, expires_at__gt=now
    ).first()
    token = row and token_of_digest(
        signing_secrets(),
        kind=INVITATION_KIND,
        row_id=row.pk,
        nonce=row.nonce,
        digest=row.digest,
    )
    return f"{settings.BASE_URL}/console/invitation/{token}" if token else None
