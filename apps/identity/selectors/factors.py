"""Which second factors a person has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.identity.enums import SessionStage, UserKind
from apps.identity.models import (
    EmailProof,
    Invitation,
    Passkey,
    RecoveryCode,
    Session,
    TotpDevice,
    User,
)
from apps.identity.rules import recovery
from apps.identity.rules.passkeys import Site
from apps.identity.rules.passwords import characters_min


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What a person may prove the own sign-in with, besides the password."""

    totp: bool
    passkeys: int
    codes_left: int

    @property
    def any(self) -> bool:
        return self.totp or self.passkeys > 0

    @property
    def codes_few(self) -> bool:
        return self.any and self.codes_left <= recovery.FEW


def factors_of(user_id: int) -> Factors:
    """Authenticator, passkeys and what is left of the recovery codes."""
    codes = RecoveryCode.objects.filter(user_id=user_id, used_at=None)
    return Factors(
        totp=_totp(user_id).exists(),
        passkeys=passkeys_of(user_id).count(),
        codes_left=codes.count(),
    )


def has_second_factor(user_id: int) -> bool:
    """An authenticator or a passkey; recovery codes alone are none."""
    return _totp(user_id).exists() or passkeys_of(user_id).exists()


def able_to_come_in(staff: QuerySet[User]) -> QuerySet[User]:
    """Those who set up a second factor here, or showed that of a provider.

    Who was invited, or reset, and did not follow the link yet cannot come in.
    """
    of = {"user_id": OuterRef("pk")}
    totp: QuerySet[Any] = TotpDevice.objects.filter(confirmed=True, **of)
    came = Session.objects.filter(stage=SessionStage.FULL, mfa_at__isnull=False, **of)
    waits = Invitation.objects.filter(used_at=None, revoked_at=None, **of)
    return staff.filter(
        Q(Exists(totp))
        | Q(Exists(Passkey.objects.filter(**of)))
        | Q(Exists(came)) & ~Q(Exists(waits))
    )


def _totp(user_id: int) -> QuerySet[Any]:
    found: QuerySet[Any] = TotpDevice.objects.filter(user_id=user_id, confirmed=True)
    return found


def passkeys_of(user_id: int | None) -> QuerySet[Passkey]:
    """A person's passkeys, the oldest first."""
    return Passkey.objects.filter(user_id=user_id or 0).order_by("pk")


def proved_email(user: User) -> bool:
    """Whether the person has shown to read the address of the sign-in."""
    return (
        bool(user.email)
        and EmailProof.objects.filter(user=user, email__iexact=user.email).exists()
    )


def passkey_site() -> Site:
    """For which host and origins browsers make passkeys."""
    return Site(
        host=settings.PASSKEY_HOST,
        name=settings.OPERATOR_NAME,
        origins=tuple(settings.PASSKEY_ORIGINS),
    )


def password_characters_min(user: User) -> int:
    """How long a new password of this person must be at least."""
    staff = user.kind == UserKind.STAFF
    return characters_min(has_mfa=staff or has_second_factor(user.pk))
