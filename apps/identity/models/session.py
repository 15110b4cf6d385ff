"""Sign-ins: the session behind every cookie and token, and what opens one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django_otp.models import Device

from apps.identity.enums import SessionEnd, SessionFace, SessionStage, UserKind
from dotmac.core.models import Record, SealedField


class SessionQuerySet(models.QuerySet["Session"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def open_at(self, now: datetime) -> Self:
        return self.filter(ended_at=None, expires_at__gt=now, idle_until_at__gt=now)


class Session(Record):
    """One sign-in of one user through one face, from its start to its end.

    Cookies and tokens carry its key only, and each request reads the row.
    """

    user = models.ForeignKey("identity.User", models.CASCADE, related_name="+")
    face = models.CharField(max_length=16, choices=SessionFace)
    stage = models.CharField(max_length=16, choices=SessionStage)
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    idle_until_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    mfa_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=24, choices=SessionEnd, blank=True)

    objects = SessionQuerySet.as_manager()
    # What the user holds (`selectors.rights.Rights`) where it was read with the row.
    rights: Any = None

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_session_ends_with_reason",
                condition=Q(ended_at__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
            ),
            models.CheckConstraint(
                name="identity_session_expires_later",
                condition=Q(expires_at__gt=F("started_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.face} session {self.pk}"

    @property
    def is_whole(self) -> bool:
        """Signed in to the end; of staff that includes a second factor."""
        proved = self.mfa_at is not None or self.user.kind != UserKind.STAFF
        return self.stage == SessionStage.FULL and proved


class RefreshToken(models.Model):
    """One one-time refresh token of a session; only its digest is kept."""

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refresh token {self.pk}"


class Invitation(Record):
    """A one-time link by which a member of staff sets up sign-in.

    Handed over, or mailed: then it is made anew from the nonce when it is sent.
    """

    user = models.ForeignKey("identity.User", models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=32, blank=True, default="")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user",),
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
                name="identity_invitation_one_open",
            ),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class TotpDevice(Device, Record):  # type: ignore[misc, django-manager-missing]
    """An authenticator application; `last_step` makes each code work once."""

    user = models.ForeignKey("identity.User", models.CASCADE, related_name="+")
    confirmed = models.BooleanField(default=False)
    seed = SealedField()
    last_step = models.BigIntegerField(default=-1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "confirmed"), name="identity_totpdevice_one_each"
            ),
        )
