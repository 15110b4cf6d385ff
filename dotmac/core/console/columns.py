"""Columns of lists and tables: how to fetch a value and how to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dotmac.core.console.states import Text
from dotmac.core.money import Money

RIGHT_ALIGNED = frozenset({"money", "number", "bytes", "rate", "duration"})
KINDS = RIGHT_ALIGNED | {
    "text", "state", "badges", "datetime", "ago", "date", "code", "progress", "bool", "long",
}  # fmt: skip

Accessor = str | Callable[[Any], Any]


def read(row: Any, accessor: Accessor) -> Any:
    """The value at a dotted path of attributes or keys, or of a callable.

    A method at the end of the path (`get_state_display`) is called.
    """
    if callable(accessor):
        return accessor(row)
    value = row
    for name in accessor.split("."):
        if value is None:
            return None
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value() if callable(value) else value


@dataclass(frozen=True, slots=True)
class Column:
    """One column: label, where the value comes from, how it looks.

    kind: text | long | code (with a copy button) | state | badges (several
    states) | money | number |
    bytes | rate (bit/s) | duration (seconds) | date | datetime | ago (how long ago,
    the instant on hover) | progress
    (0-100) | bool. Money columns give a Money, or minor units of `row.currency`.
    `to` makes a link: the slug of a detail screen (with `to_id`, a path or a
    callable giving its key; default "pk"), or a callable giving a URL.
    `phone=False` leaves it out on a narrow screen, `desktop=False` on a wide one.
    `why` is a callable giving the sentence behind a state badge.
    """

    label: Text
    value: Accessor
    kind: str = "text"
    to: str | Callable[[Any], str] | None = None
    to_id: Accessor = "pk"
    why: Callable[[Any], Text] | None = None
    align: str = ""
    phone: bool = True
    desktop: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no column kind.")

    @property
    def right(self) -> bool:
        return self.align == "right" or (not self.align and self.kind in RIGHT_ALIGNED)

    def read(self, row: Any) -> Any:
        value = read(row, self.value)
        if self.kind == "money" and isinstance(value, int):
            return Money(value, row.currency)
        return value


@dataclass(frozen=True, slots=True)
class Fact:
    """A label with a value, in a header or a panel. Kinds as for columns."""

    label: Text
    value: Any
    kind: str = "text"
    url: str = ""
    why: Text = ""
