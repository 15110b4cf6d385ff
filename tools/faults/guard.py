"""What a guard is, and the three ways of taking one away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

# Changing these would need a template database of its own: say it in SQL.
_IN_THE_DATABASE = ("/migrations/", "/sql/")


class Kind(StrEnum):
    """The kinds that each big app has one of."""

    LOCK = "lock"
    CONSTRAINT = "constraint"
    FILTER = "filter"
    CHECK = "check"
    SIGNATURE = "signature"


class CannotPlant(Exception):
    """The fault does not fit the tree or the database any more."""


@dataclass(frozen=True, slots=True)
class Code:
    """A text of one file becomes another; it must stand there exactly once."""

    path: str
    old: str
    new: str

    def plant(self, tree: Path) -> None:
        """Change the file below `tree`; raises CannotPlant."""
        file = tree / self.path
        file.write_text(self.applied(tree))
        # Never run what was compiled before the change.
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
            compiled.unlink()

    def applied(self, tree: Path) -> str:
        """The file's text with the fault in it; raises CannotPlant."""
        if any(part in f"/{self.path}" for part in _IN_THE_DATABASE):
            raise CannotPlant(f"{self.path} is run by migrate: plant it by SQL.")
        try:
            text = (tree / self.path).read_text()
        except OSError as error:
            raise CannotPlant(f"There is no file {self.path}.") from error
        return replaced(text, self.old, self.new, where=self.path)


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement that the tables' owner runs on the migrated database."""

    statement: str


@dataclass(frozen=True, slots=True)
class Body:
    """A text in the body of a database function becomes another."""

    function: str
    old: str
    new: str


Change: TypeAlias = Code | Sql | Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard: what it keeps, how it is taken away, and who must notice.

    Every test that is named must turn red. They are node ids; without brackets a
    parametrised test is red when one of its cases is.
    """

    app: str
    name: str
    kind: Kind
    keeps: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.app}/{self.name}"

    @property
    def code(self) -> list[Code]:
        return [change for change in self.changes if isinstance(change, Code)]

    @property
    def database(self) -> list[Sql | Body]:
        return [change for change in self.changes if not isinstance(change, Code)]


def replaced(text: str, old: str, new: str, *, where: str) -> str:
    """`text` with `old` replaced; raises CannotPlant unless it is there once."""
    found = text.count(old)
    if found != 1:
        raise CannotPlant(f"{where}: found {found} times, not once: {old!r}")
    if old == new:
        raise CannotPlant(f"{where}: the change changes nothing: {old!r}")
    return text.replace(old, new)
