"""What the apps hold about a person, and how they let go of it.

The owner of the record (identity, of customers) asks every participant; see
dotmac.core.participants. What an app must keep by law it leaves out of `erase`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from dotmac.core.actors import Actor

_FETCHED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one kind about a person: a name ("billing.invoices") and plain data."""

    name: str
    rows: Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """One app's part in exporting and erasing a person's data.

    export(id) tells everything that the app holds; objections(id) are sentences
    that speak against erasing; erase(id, actor, now) makes anonymous what no law
    keeps, inside the caller's transaction. Repeating it changes nothing.
    """

    export: Callable[[int], Iterable[Held]]
    erase: Callable[[int, Actor, datetime], None]
    objections: Callable[[int], list[str]] | None = None


def rows_of(
    rows: QuerySet[Any], *columns: str, **renamed: Any
) -> Iterator[Mapping[str, Any]]:
    """Plain data of a query, in the order of keys, a bounded number at once."""
    return (
        rows.order_by("pk")
        .values(*columns, **renamed)
        .iterator(chunk_size=_FETCHED_AT_ONCE)
    )
