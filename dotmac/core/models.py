"""The base of every table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from dotmac.core.crypto import Keyring, keyring_at


def keyring() -> Keyring:
    """The installation's keys (setting ENCRYPTION_KEY_PATH)."""
    return keyring_at(settings.ENCRYPTION_KEY_PATH)


class Record(models.Model):
    """A row with an identity key, its birth and its latest change.

    `updated_at` moves only through `store`, with the caller's clock; it is the
    ETag of the API.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    @property
    def etag(self) -> str:
        """A strong validator made of the row's id and its latest change."""
        return f'"{self.pk}-{self.updated_at.timestamp():.6f}"'

    def store(self, *fields: str, now: datetime) -> None:
        """Write the named fields of a locked row."""
        self.updated_at = now
        self.save(update_fields=[*fields, "updated_at"])


class SealedField(models.BinaryField[bytes, bytes]):
    """A secret sealed for its own table, column and row.

    The attribute holds sealed bytes. Write with `seal_into(row, field, clear)`
    (the row needs its id first: `dotmac.core.db.next_ids`), read with
    `open_sealed(row, field)`.
    """


def seal_into(row: models.Model, field: str, clear: str) -> None:
    """Set the sealed bytes on the row; the caller saves it."""
    if row.pk is None:
        raise ValueError("Reserve the row's id before sealing a secret for it.")
    setattr(row, field, seal_for(type(row), field, row.pk, clear))


def seal_for(model: type[models.Model], field: str, row_id: int, clear: str) -> bytes:
    """Sealed bytes for a row that COPY is about to write."""
    table = model._meta.db_table
    return keyring().seal(clear, table=table, column=field, row_id=row_id)


def open_sealed(row: models.Model, field: str) -> str:
    """The clear text; raises SealBroken when the bytes are not this row's."""
    value: Any = getattr(row, field)
    table = row._meta.db_table
    return keyring().unseal(bytes(value), table=table, column=field, row_id=row.pk)
