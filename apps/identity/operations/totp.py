"""The authenticator: a seed that waits, its first code, and its end."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from django.conf import settings

from apps.identity.errors import CredentialsRefused
from apps.identity.models import TotpDevice, User
from apps.identity.operations.factors import locked_device, use_code
from dotmac.core.db import next_ids
from dotmac.core.models import open_sealed, seal_into

_SEED_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an authenticator application needs, as text and as a link for a QR."""

    secret: str
    uri: str


def pending_seed(user: User) -> Enrolment:
    """The seed that waits for its first code; the same one until it is confirmed.

    Inside the caller's transaction.
    """
    totp = locked_device(user_id=user.pk, confirmed=False)
    if totp is None:
        totp = TotpDevice(pk=next_ids(TotpDevice)[0], user=user, name="TOTP")
        seal_into(totp, "seed", secrets.token_hex(_SEED_BYTES))
        totp.save(force_insert=True)
    secret = base64.b32encode(bytes.fromhex(open_sealed(totp, "seed"))).decode()
    label = quote(f"{settings.OPERATOR_NAME}:{user.username}")
    query = urlencode(
        {"secret": secret, "issuer": settings.OPERATOR_NAME}, quote_via=quote
    )
    return Enrolment(secret=secret, uri=f"otpauth://totp/{label}?{query}")


def confirm_seed(user: User, otp: str, now: datetime) -> None:
    """The first code proves the waiting seed: it replaces the one before.

    Inside the caller's transaction.
    """
    totp = locked_device(user_id=user.pk, confirmed=False)
    if totp is None:
        raise CredentialsRefused
    use_code(totp, otp, now)
    TotpDevice.objects.filter(user=user, confirmed=True).delete()
    totp.confirmed = True
    totp.store("confirmed", now=now)
