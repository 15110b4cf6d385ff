"""One history of a record, told by many apps, in pages that lose nothing.

Each app gives sources: one kind of entry, in the order of one time column. A
place in the history is (instant, source, id), so the next page begins exactly
behind the last one even where several things happened at one instant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

TIMELINE_PAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line in a record's history.

    `id` is the row's key within its source; `source` is filled in by the
    collector; `by` says who did it.
    """

    at: datetime
    title: str
    detail: str = ""
    icon: str = "point"
    url: str = ""
    by: str = ""
    id: int = 0
    source: str = ""

    @property
    def app(self) -> str:
        return self.source.split(".")[0]

    @property
    def place(self) -> Place:
        return (self.at, self.source, self.id)


Place = tuple[datetime, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of one source that a page may need: at most `limit` rows."""

    source: str
    limit: int
    before: Place | None = None

    def rows(self, rows: QuerySet[Any], *, at: str) -> list[Any]:
        """The newest rows of the window by their time column, filled ones only."""
        found = rows.filter(**{f"{at}__isnull": False})
        if self.before is not None:
            found = found.filter(self._older(at, self.before))
        return list(found.order_by(f"-{at}", "-pk")[: self.limit])

    def _older(self, at: str, before: Place) -> Q:
        instant, source, number = before
        older = Q(**{f"{at}__lt": instant})
        if self.source < source:
            return older | Q(**{at: instant})
        if self.source == source:
            return older | Q(**{at: instant, "pk__lt": number})
        return older


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineSource:
    """One kind of entry: `name` is "app.kind", `permission` who may read it.

    `entries(id, window)` gives the entries of the window's rows, one per row.
    """

    name: str
    permission: str
    entries: Callable[[int, Window], Sequence[TimelineEntry]]

    def page(self, subject_id: int, limit: int, before: Place | None) -> list[Any]:
        window = Window(source=self.name, limit=limit, before=before)
        return [
            replace(entry, source=self.name)
            for entry in self.entries(subject_id, window)
        ]


def merged(
    sources: Sequence[TimelineSource],
    subject_id: int,
    *,
    limit: int,
    before: Place | None = None,
) -> tuple[list[TimelineEntry], bool]:
    """The newest entries before the place, newest first, and whether more follow."""
    size = min(limit, TIMELINE_PAGE_MAX)
    entries = [
        entry
        for source in sources
        for entry in source.page(subject_id, size + 1, before)
    ]
    entries.sort(key=lambda entry: entry.place, reverse=True)
    return entries[:size], len(entries) > size
