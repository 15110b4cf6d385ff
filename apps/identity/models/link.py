"""One-time links to people's mailboxes, and what using one proves."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.identity.enums import LinkPurpose, MemberRights
from dotmac.core.models import Record


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def unspent(self) -> Self:
        """Neither used nor taken back; time is the caller's to compare."""
        return self.filter(used_at=None, revoked_at=None)


class OneTimeLink(Record):
    """A link that one person gets by mail and uses once; its secret is not here.

    The token is an HMAC over the row's id and nonce with the installation's key,
    made when the mail is sent; the row has its digest.
    """

    user = models.ForeignKey("identity.User", models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=16, choices=LinkPurpose)
    email = models.EmailField(blank=True)
    # For an invitation to another account: to which one, and as what.
    customer = models.ForeignKey(
        "identity.Customer", models.CASCADE, related_name="+", null=True, blank=True
    )
    rights = models.CharField(max_length=16, choices=MemberRights, blank=True)
    nonce = models.CharField(max_length=32)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "purpose", "customer"),
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
                nulls_distinct=False,
                name="identity_onetimelink_one_open",
            ),
            models.CheckConstraint(
                name="identity_onetimelink_names_account",
                condition=Q(
                    purpose=LinkPurpose.JOIN_ACCOUNT,
                    customer__isnull=False,
                    rights__in=MemberRights.values,
                )
                | (~Q(purpose=LinkPurpose.JOIN_ACCOUNT) & Q(customer__isnull=True)),
            ),
            models.CheckConstraint(
                name="identity_onetimelink_proves_address",
                condition=~Q(purpose=LinkPurpose.CONFIRM_EMAIL) | ~Q(email=""),
            ),
        )

    def __str__(self) -> str:
        return f"link {self.pk}"


class EmailProof(Record):
    """The address that a person has shown to read; another one proves nothing."""

    user = models.OneToOneField("identity.User", models.CASCADE, related_name="+")
    email = models.EmailField()
    proved_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.email


class ResetRequest(Record):
    """Somebody asked for a new password; a worker looks whether we know the name.

    The page answers before that, so that known and unknown names cost the same.
    """

    name = models.CharField(max_length=254)
    face = models.CharField(max_length=16)
    address = models.GenericIPAddressField(null=True, blank=True)
    requested_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("id",),
                condition=Q(done_at__isnull=True),
                name="identity_resetrequest_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"reset request {self.pk}"
