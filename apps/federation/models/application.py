"""The operator's other tools, which let people in by DotMac's word."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from dotmac.core.models import Record


class ApplicationQuerySet(models.QuerySet["Application"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Application(Record):
    """One tool: where it may send people back to, and how it proves itself.

    A public one (a program on people's own machines) has no secret: PKCE alone
    binds its codes. Secrets are 256 random bits, kept as their SHA-256.
    """

    name = models.CharField(max_length=80, unique=True)
    client_id = models.CharField(max_length=40, unique=True)
    is_public = models.BooleanField(default=False)
    secret_digest = models.CharField(max_length=64, blank=True)
    return_addresses = ArrayField(models.CharField(max_length=500), size=10)
    leave_addresses = ArrayField(
        models.CharField(max_length=500), size=10, default=list
    )
    asks_consent = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="federation_application_returns_somewhere",
                condition=Q(return_addresses__len__gt=0),
            ),
            models.CheckConstraint(
                name="federation_application_secret_or_public",
                condition=Q(is_public=True, secret_digest="")  # nosec B106 - none
                | (Q(is_public=False) & ~Q(secret_digest="")),  # nosec B106
            ),
        )

    def __str__(self) -> str:
        return self.name


class Consent(Record):
    """What a person has agreed to tell an application."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    user = models.ForeignKey(
        "identity.User", models.CASCADE, related_name="+", db_index=False
    )
    scopes = ArrayField(models.CharField(max_length=20), size=10)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "application"), name="federation_consent_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.application_id}"


class AuthorisationCode(Record):
    """A code of one minute for one use, behind one sign-in (RFC 6749, 4.1.2)."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    session = models.ForeignKey("identity.Session", models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    return_address = models.CharField(max_length=500)
    scopes = ArrayField(models.CharField(max_length=20), size=10)
    nonce = models.CharField(max_length=255, blank=True)
    challenge = models.CharField(max_length=43)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"code {self.pk}"


class ApplicationToken(Record):
    """What an application shows at userinfo; it works while the sign-in does."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    session = models.ForeignKey("identity.Session", models.CASCADE, related_name="+")
    code = models.ForeignKey(AuthorisationCode, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=20), size=10)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token {self.pk}"
