"""Keys by which programs act for the person who made them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from dotmac.core.models import Record


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def working_at(self, now: datetime) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)


class ApiKey(Record):
    """A program's key: it may do what is in `scopes` and its owner may do now."""

    user = models.ForeignKey(
        "identity.User", models.CASCADE, related_name="+", db_index=False
    )
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=10, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=100))
    addresses = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_address = models.GenericIPAddressField(null=True, blank=True)
    use_count = models.BigIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "name"),
                condition=Q(revoked_at__isnull=True),
                name="identity_apikey_name_once",
            ),
            models.CheckConstraint(
                name="identity_apikey_allows_something", condition=~Q(scopes=[])
            ),
        )
        indexes = (models.Index(fields=("user", "id"), name="identity_apikey_user"),)

    def __str__(self) -> str:
        return self.name

    @property
    def shown_prefix(self) -> str:
        """What tells keys apart, without their secret."""
        return f"dmk_{self.prefix}…"
