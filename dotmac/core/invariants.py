"""Statements about the data that must never be false, as SQL.

Each app registers its own in `AppConfig.ready`; `manage.py check_integrity`,
a nightly task and a console page run them all through ops.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A query that returns the offending rows: none when all is well.

    `name` is "app.rule" in snake case, `says` the sentence that must be true.
    """

    name: str
    says: str
    sql: str


_INVARIANTS: dict[str, Invariant] = {}


def register(*invariants: Invariant) -> None:
    """Add invariants. Registering the same name again replaces it."""
    for invariant in invariants:
        _INVARIANTS[invariant.name] = invariant


def all_invariants() -> list[Invariant]:
    return [_INVARIANTS[name] for name in sorted(_INVARIANTS)]
