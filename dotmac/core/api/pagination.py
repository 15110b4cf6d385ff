"""Keyset pages: no OFFSET, no exact count.

The cursor is the last row's key, so page 20,000 costs what page 1 costs. A
count is given only when asked for (`?count=true`) and stops at COUNT_MAX.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

COUNT_MAX = 10_000
PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
_CURSOR_CHARACTERS_MAX = 512


@dataclass(frozen=True, slots=True)
class Sourced:
    """The rows of `whole` that any of `parts`, of the same model, has.

    A database finds the next rows of one part by an index; of parts joined by "or"
    it reads until enough have passed.
    """

    whole: QuerySet[Any]
    parts: Sequence[QuerySet[Any]]

    def all(self) -> QuerySet[Any]:
        first, *others = [part.order_by().values("pk") for part in self.parts]
        return self.whole.filter(pk__in=first.union(*others))

    def next(self, order: Sequence[str], beyond: Q, size: int) -> QuerySet[Any]:
        """The next `size` rows behind a key, in this order."""
        parts = [part.filter(beyond) for part in self.parts] if beyond else self.parts
        first, *others = [part.order_by(*order).values("pk")[:size] for part in parts]
        keys = first.union(*others).order_by("-pk" if "-" in order[0] else "pk")
        return self.whole.filter(pk__in=keys[:size]).order_by(*order)


class KeysetPagination(BasePagination):
    """Orders by the view's `keyset` (default: newest id first).

    `keyset` is a tuple of column names, "-" for descending; the last one must
    be unique. All of them run in the same direction.
    """

    keyset: tuple[str, ...] = ("-id",)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        self.request = request
        self.keyset = getattr(view, "keyset", None) or self.keyset
        self.size = page_size(request)
        self.count = _capped_count(queryset, request)
        cursor = request.query_params.get("cursor")
        backwards, after = decode_cursor(cursor, len(self.keyset))
        rows, self.has_next, self.has_previous = keyset_page(
            queryset, self.keyset, after, size=self.size, backwards=backwards
        )
        self.rows = rows
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        body: dict[str, Any] = {
            "results": data,
            "next": self._link(backwards=False) if self.has_next else None,
            "previous": self._link(backwards=True) if self.has_previous else None,
        }
        if self.count is not None:
            body["count"] = min(self.count, COUNT_MAX)
            body["count_capped"] = self.count > COUNT_MAX
        return Response(body)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": link,
                "previous": link,
                "count": {
                    "type": "integer",
                    "description": f"With ?count=true, at most {COUNT_MAX}.",
                },
                "count_capped": {"type": "boolean"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        def query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
            return {
                "name": name,
                "in": "query",
                "required": False,
                "schema": schema,
                "description": text,
            }

        size = {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX}
        return [
            query("cursor", {"type": "string"}, "From `next` or `previous`."),
            query("page_size", size, f"Rows a page, {PAGE_SIZE} by default."),
            query("count", {"type": "boolean"}, "Add a count, capped."),
        ]

    def _link(self, *, backwards: bool) -> str:
        row = self.rows[0] if backwards else self.rows[-1]
        cursor = encode_cursor(row, self.keyset, backwards=backwards)
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return str(replace_query_param(url, "cursor", cursor))


def keyset_page(
    queryset: QuerySet[Any] | Sourced,
    keyset: Sequence[str],
    after: list[Any] | None,
    *,
    size: int,
    backwards: bool,
) -> tuple[list[Any], bool, bool]:
    """One page: rows, whether there are later ones, whether earlier ones.

    `after` holds the key of the neighbouring row, or None for the first page.
    """
    order = [_turned(name) for name in keyset] if backwards else list(keyset)
    beyond = Q() if after is None else _beyond(order, after)
    try:
        if isinstance(queryset, Sourced):
            rows = queryset.next(order, beyond, size + 1)
        else:
            rows = queryset.filter(beyond).order_by(*order)
        found = list(rows[: size + 1])
    except (ValueError, TypeError) as error:
        raise ParseError(_("The cursor is not valid.")) from error
    more, page = len(found) > size, found[:size]
    if backwards:
        return page[::-1], bool(page), more
    return page, more, after is not None and bool(page)


def encode_cursor(row: Any, keyset: Sequence[str], *, backwards: bool) -> str:
    """An opaque text that names the row's place in the order."""
    values = [_key_of(row, name.lstrip("-")) for name in keyset]
    raw = orjson.dumps([backwards, *values], default=str)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str | None, width: int) -> tuple[bool, list[Any] | None]:
    """Direction and key; raises ParseError for anything not made here."""
    if not cursor:
        return False, None
    try:
        if len(cursor) > _CURSOR_CHARACTERS_MAX:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        value = orjson.loads(base64.urlsafe_b64decode(padded.encode()))
        plain = all(isinstance(item, (str, int, float)) for item in value[1:])
        if len(value) != width + 1 or not isinstance(value[0], bool) or not plain:
            raise ValueError
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise ParseError(_("The cursor is not valid.")) from error
    return value[0], value[1:]


def _key_of(row: Any, name: str) -> Any:
    if isinstance(row, dict):
        return row[name]
    value = row
    for part in name.split("__"):
        value = getattr(value, part)
    return value


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], after: Sequence[Any]) -> Q:
    """Rows behind the key; the first column stands alone so an index serves."""
    condition = Q()
    same = Q()
    for name, value in zip(order, after, strict=True):
        column, descending = name.lstrip("-"), name.startswith("-")
        step = Q(**{f"{column}__{'lt' if descending else 'gt'}": value})
        condition |= same & step
        same &= Q(**{column: value})
    if len(order) > 1:
        first, descending = order[0].lstrip("-"), order[0].startswith("-")
        edge = Q(**{f"{first}__{'lte' if descending else 'gte'}": after[0]})
        return edge & condition
    return condition


def page_size(request: Request) -> int:
    """How many rows were asked for, within the bounds."""
    text = request.query_params.get("page_size", "")
    if not text:
        return PAGE_SIZE
    if not text.isascii() or not text.isdigit() or len(text) > 4 or int(text) == 0:
        raise ParseError(_("page_size is a whole number from 1."))
    return min(int(text), PAGE_SIZE_MAX)


def _capped_count(queryset: QuerySet[Any] | Sourced, request: Request) -> int | None:
    if request.query_params.get("count") != "true":
        return None
    rows = queryset.all().order_by().values("pk")
    return rows[: COUNT_MAX + 1].count()
