"""Which columns of the installation are sealed: found from the models themselves."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.db import models

from dotmac.core.models import SealedField, index_of


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One sealed column of the installation, with the index beside it."""

    model: type[models.Model]
    field: str
    index: str | None

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def __str__(self) -> str:
        return f"{self.table}.{self.field}"


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column of every model, in the order of their names."""
    found = [
        SealedColumn(model, field.name, index_of(model, field.name))
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedField)
    ]
    return sorted(found, key=str)
