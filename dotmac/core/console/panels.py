"""Parts of a detail page. A tab's builder returns a list of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from dotmac.core.console.columns import Column, Fact
from dotmac.core.console.states import State, Text
from dotmac.core.console.urls import list_url
from dotmac.core.timeline import TimelineEntry

POINTS_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A link that looks like a button; `permission` hides it without.

    `url` is an address, or the slug of a screen ("customers/new").
    """

    label: Text
    url: str
    icon: str = ""
    tone: str = ""
    permission: str = ""

    @property
    def href(self) -> str:
        is_address = self.url.startswith(("/", "?", "http://", "https://"))
        return self.url if is_address else list_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A card with a title. `wide=False` lets two stand side by side."""

    template: ClassVar[str] = ""

    title: Text = ""
    permission: str = ""
    wide: bool = True
    buttons: Sequence[Button] = ()
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsPanel(Panel):
    """Label and value pairs."""

    template: ClassVar[str] = "console/panels/facts.html"

    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePanel(Panel):
    """A short table. Bound the rows; `more_url` leads to the full list."""

    template: ClassVar[str] = "console/panels/table.html"

    columns: Sequence[Column] = ()
    rows: Iterable[Any] = ()
    empty: Text = ""
    more_url: str = ""
    totals: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: values beside the chart's instants; None is a gap."""

    label: Text
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A series over time. Give at most 1,000 points (`downsample`).

    `unit`: "bit/s" | "octets" | "" (plain count).
    """

    instants: Sequence[datetime]
    lines: Sequence[Line]
    unit: str = ""
    gap_note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPanel(Panel):
    """A drawn chart with its legend, values and a table of the same numbers.

    `source` is the JSON address the drawing is refreshed from: usually
    `series_url(slug, pk, name)`; `ranges` are (value, label) pairs put into
    its `range` parameter and into the page's own URL.
    """

    template: ClassVar[str] = "console/panels/chart.html"

    chart: Chart
    source: str = ""
    ranges: Sequence[tuple[str, Text]] = ()
    range: str = ""
    empty: Text = ""
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: the text says the value, `share` (0-100) its length."""

    label: Text
    text: str
    share: float
    tone: str = "busy"
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsPanel(Panel):
    """Horizontal bars whose values are written out."""

    template: ClassVar[str] = "console/panels/bars.html"

    bars: Sequence[Bar] = ()
    empty: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigurePanel(Panel):
    """One large figure with the sentence that says what it counts."""

    template: ClassVar[str] = "console/panels/figure.html"

    value: Any
    kind: str = "number"
    says: Text = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job: number, name, state, and what was answered."""

    name: Text
    state: State
    answer: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsPanel(Panel):
    """The steps of long work, in order."""

    template: ClassVar[str] = "console/panels/steps.html"

    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePanel(Panel):
    """What happened, newest first.

    `parts` are (value, label) pairs put into the page's `app` parameter, `part`
    the chosen one; `older_url` leads to the next page, `newest_url` back.
    """

    template: ClassVar[str] = "console/panels/timeline.html"

    entries: Sequence[TimelineEntry] = ()
    empty: Text = ""
    parts: Sequence[tuple[str, Text]] = ()
    part: str = ""
    older_url: str = ""
    newest_url: str = ""
    more_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPanel(Panel):
    """Before and after, field by field."""

    template: ClassVar[str] = "console/panels/changes.html"

    changes: Sequence[tuple[str, Any, Any]] = ()
    empty: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPanel(Panel):
    """Preformatted text: a mail body, a device's answer."""

    template: ClassVar[str] = "console/panels/text.html"

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePanel(Panel):
    """A template of the app's own. Prefer the kinds above."""

    template: ClassVar[str] = "console/panels/template.html"

    name: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure of a header row: value in words, and its why."""

    label: Text
    value: Any
    kind: str = "text"
    tone: str = ""
    why: Text = ""
    url: str = ""
    order: int = 50


def downsample(
    instants: Sequence[datetime],
    lines: Sequence[Sequence[float | None]],
    *,
    points_max: int = POINTS_MAX,
) -> tuple[list[datetime], list[list[float | None]]]:
    """Merge neighbours into at most `points_max` points, averaging values."""
    size = -(-len(instants) // points_max) or 1
    starts = range(0, len(instants), size)
    merged = [[_mean(line[at : at + size]) for at in starts] for line in lines]
    return [instants[at] for at in starts], merged


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
