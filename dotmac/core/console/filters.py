"""Filters of a list. They are built only when the query names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from dotmac.core.console.states import Text

Rows = QuerySet[Any]
Choices = Iterable[tuple[Any, Any]]
TEXT_MAX = 100
DIGITS_MAX = 18


class FilterRefused(ValueError):
    """The value in the query is none that the filter knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Base: `name` in the query, `label` for people, `apply` on the rows.

    Without `apply`, the filter compares the field `field` (default: `name`).
    """

    name: str
    label: Text
    field: str = ""
    apply: Callable[[Rows, Any], Rows] | None = None

    @property
    def widget(self) -> str:
        return "text"

    def clean(self, text: str) -> Any:
        if len(text) > TEXT_MAX:
            raise FilterRefused
        return text

    def narrow(self, rows: Rows, text: str) -> Rows:
        value = self.clean(text)
        if self.apply is not None:
            return self.apply(rows, value)
        return rows.filter(**{self.field or self.name: value})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFilter(Filter):
    """A free text, compared exactly unless `apply` says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceFilter(Filter):
    """One of `choices`: pairs, or a callable giving pairs (at most some 200)."""

    choices: Choices | Callable[[], Choices] = ()

    @property
    def widget(self) -> str:
        return "choice"

    def pairs(self) -> list[tuple[str, Any]]:
        pairs = self.choices() if callable(self.choices) else self.choices
        return [(str(value), label) for value, label in pairs]

    def clean(self, text: str) -> Any:
        if text not in {value for value, _ in self.pairs()}:
            raise FilterRefused
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFilter(Filter):
    """A calendar date, e.g. field="issue_date__gte"."""

    @property
    def widget(self) -> str:
        return "date"

    def clean(self, text: str) -> Any:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise FilterRefused from error


@dataclass(frozen=True, slots=True, kw_only=True)
class IdFilter(Filter):
    """A key put there by a link ("all invoices of this customer"); not typed."""

    @property
    def widget(self) -> str:
        return "hidden"

    def clean(self, text: str) -> Any:
        if not text.isdecimal() or len(text) > DIGITS_MAX:
            raise FilterRefused
        return int(text)
