"""Files of customers: sealed, in pieces, in the database.

Any web process can serve them, a backup holds them, and neither a dump nor a
stolen disk shows them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.identity.enums import DocumentKind
from apps.identity.models.customer import Customer
from apps.identity.models.signed import Signed
from dotmac.core.models import Record, SealedField

# So many bytes of a file are sealed together: a re-sealing of 500 rows stays small.
PIECE_BYTES = 96 * 1024
NAME_CHARACTERS_MAX = 120


class StoredFile(Record):
    """One file; its bytes are in its pieces. `digest` seals SHA-256 of the whole."""

    name = models.CharField(max_length=NAME_CHARACTERS_MAX)
    media_type = models.CharField(max_length=60)
    size_bytes = models.BigIntegerField()
    digest = SealedField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_storedfile_not_empty", condition=Q(size_bytes__gte=1)
            ),
        )

    def __str__(self) -> str:
        return self.name


class StoredPiece(models.Model):
    """The bytes of a file from `number` times PIECE_BYTES on, in Base64, sealed."""

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(
        StoredFile, models.CASCADE, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField()
    sealed = SealedField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("file", "number"), name="identity_storedpiece_number"
            ),
        )

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"


class CustomerDocument(Record, Signed):
    """A paper of a customer: an identity card, a contract; signed by who added it."""

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=DocumentKind)
    # Whether the customer sees it in the portal.
    in_portal = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(
                fields=("customer", "-id"), name="identity_customerdocument_of"
            ),
        )

    def __str__(self) -> str:
        return self.file.name
