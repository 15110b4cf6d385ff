"""The base of every table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from dotmac.core.crypto import Keyring, SealBroken, keyring_at

log = structlog.get_logger(__name__)


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


class BlindIndexField(models.BinaryField[bytes, bytes]):
    """Finds rows whose sealed field `of` holds an equal text, opening none.

    `seal_into` fills it, `sealed_equal` asks it, a rotation of keys renews it.
    Equal secrets have equal values here, so give it only to a field where that
    question is worth what it tells (docs/decisions/0022).
    """

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}


def index_of(model: type[models.Model], sealed: str) -> str | None:
    """The blind index that belongs to a sealed field, where there is one."""
    for field in model._meta.local_concrete_fields:
        if isinstance(field, BlindIndexField) and field.of == sealed:
            return field.name
    return None


def seal_into(row: models.Model, field: str, clear: str) -> None:
    """Set the sealed bytes (and their blind index) on the row; the caller saves it."""
    if row.pk is None:
        raise ValueError("Reserve the row's id before sealing a secret for it.")
    setattr(row, field, seal_for(type(row), field, row.pk, clear))
    index = index_of(type(row), field)
    if index is not None:
        setattr(row, index, index_for(type(row), index, clear))


def index_for(model: type[models.Model], index: str, clear: str) -> bytes:
    """The blind index of a text, under the current key."""
    return keyring().index(clear, table=model._meta.db_table, column=index)


def sealed_equal(model: type[models.Model], index: str, clear: str) -> models.Q:
    """Rows whose sealed text is this one, under whichever key in use."""
    table = model._meta.db_table
    return models.Q(
        **{f"{index}__in": keyring().indexes(clear, table=table, column=index)}
    )


def seal_for(model: type[models.Model], field: str, row_id: int, clear: str) -> bytes:
    """Sealed bytes for a row that COPY is about to write."""
    table = model._meta.db_table
    return keyring().seal(clear, table=table, column=field, row_id=row_id)


def open_sealed(row: models.Model, field: str) -> str:
    """The clear text; raises SealBroken when the bytes are not this row's.

    A broken seal is an attack or a damaged row, so it is told as an error.
    """
    value: Any = getattr(row, field)
    table = row._meta.db_table
    try:
        return keyring().unseal(bytes(value), table=table, column=field, row_id=row.pk)
    except SealBroken as error:
        log.critical(
            "seal_broken", table=table, column=field, row=row.pk, why=str(error)
        )
        raise
