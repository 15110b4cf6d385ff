"""One-time links: made as rows, mailed without being stored, used once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from apps.identity.errors import LinkRefused
from apps.identity.models import Customer, OneTimeLink, User
from apps.identity.rules.links import TOKEN_CHARACTERS_MAX, link_token
from apps.identity.rules.tokens import digest_of
from apps.identity.selectors.customers import only_customer_of
from apps.identity.selectors.links import LINK_KIND, link_path
from apps.ops import operations as ops
from dotmac.core.db import next_ids

NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A link that somebody may be shown once; the database has its digest."""

    row: OneTimeLink
    token: str

    @property
    def path(self) -> str:
        return link_path(self.row, self.token)


def make_link(
    *,
    user: User,
    purpose: str,
    email: str = "",
    customer: Customer | None = None,
    rights: str = "",
    lifetime: timedelta,
    now: datetime,
) -> MadeLink:
    """A fresh link, inside the caller's transaction; the one before ends.

    `customer` and `rights` are what it offers, where it is about another account.
    """
    OneTimeLink.objects.unspent().filter(
        user=user, purpose=purpose, customer=customer
    ).update(revoked_at=now, updated_at=now)
    (row_id,), nonce = next_ids(OneTimeLink), secrets.token_hex(NONCE_BYTES)
    token = link_token(settings.SECRET_KEY, kind=LINK_KIND, row_id=row_id, nonce=nonce)
    row = OneTimeLink.objects.create(
        pk=row_id,
        user=user,
        purpose=purpose,
        email=email,
        customer=customer,
        rights=rights,
        nonce=nonce,
        digest=digest_of(token),
        expires_at=now + lifetime,
    )
    return MadeLink(row=row, token=token)


def mail_link(
    link: MadeLink, *, to: str, subject: str, lines: Sequence[str], now: datetime
) -> None:
    """Queue the mail. Its row says which link belongs into it, not the link."""
    ops.send_message(
        to=to,
        subject=subject,
        body="\n\n".join(lines) + f"\n\n{settings.OPERATOR_NAME}\n",
        purpose=f"identity.{link.row.purpose}",
        unique_key=f"{LINK_KIND}-{link.row.pk}",
        filled_by=f"{LINK_KIND}:{link.row.pk}",
        customer_id=only_customer_of(link.row.user_id),
        now=now,
    )


def take_link(*, token: str, purpose: str, now: datetime) -> OneTimeLink:
    """Use up a link, inside the caller's transaction. Refused alike for all others."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise LinkRefused
    rows = OneTimeLink.objects.locked().unspent().filter(user__is_active=True)
    link = rows.filter(
        digest=digest_of(token), purpose=purpose, expires_at__gt=now
    ).first()
    if link is None:
        raise LinkRefused
    link.used_at = now
    link.store("used_at", now=now)
    return link


def revoke_links(*, user: User, now: datetime) -> None:
    """No link of this person works any more, inside the caller's transaction."""
    OneTimeLink.objects.unspent().filter(user=user).update(
        revoked_at=now, updated_at=now
    )
