"""Second factors beside the authenticator: passkeys, recovery codes, tries."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.identity.enums import CeremonyPurpose
from dotmac.core.models import Record


class PasskeyQuerySet(models.QuerySet["Passkey"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Passkey(Record):
    """One WebAuthn credential of one person: a phone, a computer, a stick."""

    user = models.ForeignKey("identity.User", models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(max_length=2048)
    sign_count = models.BigIntegerField(default=0)
    backed_up = models.BooleanField(default=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = PasskeyQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "name"), name="identity_passkey_name_once"
            ),
            models.CheckConstraint(
                name="identity_passkey_counts_up", condition=Q(sign_count__gte=0)
            ),
        )

    def __str__(self) -> str:
        return self.name


class Ceremony(Record):
    """A challenge that one browser was given, to be answered once.

    `user` and `session` are empty while a stranger signs in by passkey alone.
    """

    purpose = models.CharField(max_length=16, choices=CeremonyPurpose)
    challenge = models.BinaryField(max_length=64)
    user = models.ForeignKey(
        "identity.User", models.CASCADE, related_name="+", null=True, blank=True
    )
    session = models.ForeignKey(
        "identity.Session", models.CASCADE, related_name="+", null=True, blank=True
    )
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_ceremony_has_session",
                condition=Q(purpose=CeremonyPurpose.SIGN_IN)
                | Q(user__isnull=False, session__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"ceremony {self.pk}"


class RecoveryCode(Record):
    """One of the codes that were printed; only its digest is kept."""

    user = models.ForeignKey(
        "identity.User", models.CASCADE, related_name="+", db_index=False
    )
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "digest"), name="identity_recoverycode_once"
            ),
        )

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class CodeTries(Record):
    """When one person's codes were tried lately; the row is the lock of all workers."""

    user = models.OneToOneField("identity.User", models.CASCADE, related_name="+")
    tried_at = ArrayField(models.DateTimeField(), default=list)

    def __str__(self) -> str:
        return f"tries of {self.user_id}"
