"""Filters, search and keyset pages of any list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError

from dotmac.core.api.pagination import decode_cursor, encode_cursor, keyset_page
from dotmac.core.console import ChoiceFilter, Filter, FilterRefused, ListScreen, Page

PAGE_SIZE = 50
COUNT_MAX = 1_000
SEARCH_TEXT_MAX = 100


@dataclass(slots=True, kw_only=True)
class FilterBox:
    """A filter as the page shows it: its value, its choices, its fault."""

    filter: Filter
    value: str
    error: str = ""

    @property
    def choices(self) -> Sequence[tuple[str, Any]]:
        return self.filter.pairs() if isinstance(self.filter, ChoiceFilter) else ()


@dataclass(slots=True, kw_only=True)
class Listing:
    """One page of a list."""

    rows: list[Any] = field(default_factory=list)
    boxes: list[FilterBox] = field(default_factory=list)
    text: str = ""
    newer: str = ""
    older: str = ""
    count: int = 0
    is_narrowed: bool = False
    error: str = ""

    @property
    def has_inputs(self) -> bool:
        """Whether any filter is one to type or choose in."""
        return any(box.filter.widget != "hidden" for box in self.boxes)

    @property
    def count_max(self) -> int:
        return COUNT_MAX


def narrowed(screen: ListScreen, page: Page) -> tuple[QuerySet[Any], Listing]:
    """The rows that filters and search leave; a bad value leaves none."""
    rows = screen.rows(page.actor, screen.permission)
    listing = Listing(boxes=[_box(f, page.query) for f in screen.all_filters(page)])
    for box in listing.boxes:
        if box.value:
            rows = _apply(rows, box)
    listing.text = page.query.get("q", "").strip()[:SEARCH_TEXT_MAX]
    if listing.text and screen.search_hint:
        rows = screen.search(rows, listing.text.replace("\x00", ""))
    listing.is_narrowed = bool(listing.text) or any(b.value for b in listing.boxes)
    return rows, listing


def _box(each: Filter, query: Mapping[str, str]) -> FilterBox:
    return FilterBox(filter=each, value=query.get(each.name, "").strip())


def _apply(rows: QuerySet[Any], box: FilterBox) -> QuerySet[Any]:
    try:
        if "\x00" in box.value:
            raise FilterRefused
        return box.filter.narrow(rows, box.value)
    except (FilterRefused, ValueError, TypeError):
        box.error = _("This is no value that the filter knows.")
        return rows.none()


def page_of_list(screen: ListScreen, page: Page) -> Listing:
    """Fifty rows and the cursors to the older and the newer ones."""
    rows, listing = narrowed(screen, page)
    try:
        backwards, after = decode_cursor(page.query.get("cursor"), len(screen.ordering))
        found, later, earlier = keyset_page(
            rows, screen.ordering, after, size=PAGE_SIZE, backwards=backwards
        )
    except ParseError:
        listing.error = _("This page of the list is no longer known. Start again.")
        found, later, earlier = [], False, False
    if earlier and found:
        listing.newer = encode_cursor(found[0], screen.ordering, backwards=True)
    if later and found:
        listing.older = encode_cursor(found[-1], screen.ordering, backwards=False)
    listing.rows = screen.decorate(found, page)
    on_one_page = not (later or earlier)
    listing.count = len(found) if on_one_page else _capped(rows)
    return listing


def _capped(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[:COUNT_MAX].count()
