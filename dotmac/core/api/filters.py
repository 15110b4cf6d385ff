"""Filters built only for the parameters that a request carries.

A view lists `filters = {"state": exact("state", ServiceState), ...}`; unknown
parameters and malformed values are refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db.models import Choices, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

TEXT_MAX = 200
_ALWAYS = {"cursor", "page_size", "count", "fields", "format"}

Build = Callable[[str], Q]


class Filter:
    """One query parameter: how it reads and what it means."""

    def __init__(self, build: Build, schema: dict[str, Any], says: str) -> None:
        self.build, self.schema, self.says = build, schema, says


def exact(column: str, choices: type[Choices] | None = None) -> Filter:
    """Equality with a text, or with one of the choices."""

    def build(value: str) -> Q:
        if choices is not None and value not in choices.values:
            raise ValueError(_("One of %s.") % ", ".join(map(str, choices.values)))
        return Q(**{column: value})

    schema: dict[str, Any] = {"type": "string"}
    if choices is not None:
        schema["enum"] = list(choices.values)
    return Filter(build, schema, "")


def number(column: str) -> Filter:
    """Equality with a whole number, an id as a rule."""

    def build(value: str) -> Q:
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise ValueError(_("A whole number."))
        return Q(**{column: int(value)})

    return Filter(build, {"type": "integer"}, "")


def yes_no(build: Callable[[bool], Q]) -> Filter:
    """true or false."""

    def read(value: str) -> Q:
        if value not in {"true", "false"}:
            raise ValueError(_("true or false."))
        return build(value == "true")

    return Filter(read, {"type": "boolean"}, "")


def day(lookup: str) -> Filter:
    """A calendar date for a lookup such as "due_date__lte"."""

    def build(value: str) -> Q:
        return Q(**{lookup: date.fromisoformat(value)})

    return Filter(build, {"type": "string", "format": "date"}, "")


def search(build: Build, says: str) -> Filter:
    """Free text; `build` turns it into a condition that indexes serve."""
    return Filter(build, {"type": "string", "maxLength": TEXT_MAX}, says)


class DeclaredFilters(BaseFilterBackend):
    """Applies the view's `filters`; part of every ListMixin view."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        if getattr(view, "action", None) != "list":
            return queryset
        declared: dict[str, Filter] = getattr(view, "filters", {})
        for name in request.query_params:
            if name in _ALWAYS:
                continue
            value = str(request.query_params.get(name, ""))
            queryset = queryset.filter(_condition(declared, name, value))
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if getattr(view, "action", None) != "list":
            return []
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": found.schema,
                "description": found.says,
            }
            for name, found in getattr(view, "filters", {}).items()
        ]


def _condition(declared: dict[str, Filter], name: str, value: str) -> Q:
    if name not in declared:
        raise ValidationError({name: [_("There is no such filter.")]})
    if not value or len(value) > TEXT_MAX or "\x00" in value:
        raise ValidationError({name: [_("Give a value.")]})
    try:
        return declared[name].build(value)
    except ValueError as error:
        raise ValidationError({name: [str(error)]}) from error
