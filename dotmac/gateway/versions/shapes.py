"""Turning names of one version into those of another. Pure, and its own inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dotmac.gateway.versions.changes import NAMES, NATIVE, VERSIONS

# Parameters of every list whose values are names of fields.
NAMING_PARAMETERS = frozenset({"fields"})


class ForeignNames(Exception):
    """A request used another version's names; `names` has the right one of each."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        super().__init__(", ".join(names))


@dataclass(frozen=True, slots=True)
class Shape:
    """How one version's names for a resource map to the views' names."""

    version: str
    inward: Mapping[str, str]

    @property
    def outward(self) -> dict[str, str]:
        return {native: theirs for theirs, native in self.inward.items()}

    @property
    def foreign(self) -> dict[str, str]:
        """Names that this version does not have any more, and what it calls them."""
        return {
            native: theirs
            for theirs, native in self.inward.items()
            if native not in self.inward
        }

    def body_inward(self, body: Any) -> Any:
        """A body as the views read it; raises ForeignNames for a name it lacks."""
        if not isinstance(body, dict):
            return body
        self._refuse_foreign(body)
        return _renamed(body, self.inward)

    def query_inward(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Query parameters as the views read them; raises ForeignNames likewise."""
        self._refuse_foreign(dict(pairs))
        found = []
        for name, value in pairs:
            if name in NAMING_PARAMETERS:
                asked = [word.strip() for word in value.split(",")]
                self._refuse_foreign(dict.fromkeys(asked))
            found.append(_parameter(name, value, self.inward))
        return found

    def query_outward(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Query parameters of a link in an answer, by this version's names."""
        return [_parameter(name, value, self.outward) for name, value in pairs]

    def body_outward(self, body: Any) -> Any:
        """An answer by this version's names: one thing, a page, or a plain list."""
        names = self.outward
        if isinstance(body, list):
            return [_renamed(row, names) for row in body]
        if not isinstance(body, dict):
            return body
        if isinstance(body.get("results"), list):
            rows = [_renamed(row, names) for row in body["results"]]
            return {**body, "results": rows}
        return _renamed(body, names)

    def problem_outward(self, body: Any) -> Any:
        """A problem that names fields by this version's names."""
        if not isinstance(body, dict) or not isinstance(body.get("errors"), list):
            return body
        errors = [
            {**error, "field": self._field_outward(str(error.get("field", "")))}
            for error in body["errors"]
        ]
        return {**body, "errors": errors}

    def _field_outward(self, field: str) -> str:
        first, dot, rest = field.partition(".")
        return f"{self.outward.get(first, first)}{dot}{rest}"

    def _refuse_foreign(self, names: Mapping[str, Any]) -> None:
        found = {name: own for name, own in self.foreign.items() if name in names}
        if found:
            raise ForeignNames(found)


def shape_for(version: str, rest: str, *, native: str = NATIVE) -> Shape | None:
    """The shape of a resource in a version; None where nothing differs."""
    theirs, ours = NAMES.index(version), NAMES.index(native)
    inward: dict[str, str] = {}
    # Compose the changes between the two, oldest first.
    for step in VERSIONS[min(theirs, ours) + 1 : max(theirs, ours) + 1]:
        for change in step.changes:
            if change.resource.match(rest):
                _follow(inward, change.before, change.after)
    if not inward:
        return None
    if theirs < ours:
        return Shape(version, inward)
    return Shape(version, {after: before for before, after in inward.items()})


def _follow(known: dict[str, str], before: str, after: str) -> None:
    """Add a renaming to a map from the oldest names to the newest."""
    for oldest, newest in known.items():
        if newest == before:
            known[oldest] = after
            return
    known[before] = after


def _parameter(name: str, value: str, names: Mapping[str, str]) -> tuple[str, str]:
    if name not in NAMING_PARAMETERS:
        return names.get(name, name), value
    words = [word.strip() for word in value.split(",")]
    return name, ",".join(names.get(word, word) for word in words)


def _renamed(row: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(row, dict):
        return row
    return {names.get(name, name): value for name, value in row.items()}
