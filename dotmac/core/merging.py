"""How the apps let one record take over what belongs to its duplicate.

The owner of the record (identity, of customers) keeps what each participant
moved, as plain data, and gives it back when the merge is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dotmac.core.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The duplicate, what it is a duplicate of, who says so and when.

    Both rows are locked by the caller.
    """

    duplicate_id: int
    survivor_id: int
    actor: Actor
    now: datetime


Moved = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """One app's part in a merge and in undoing it.

    objections(pair) are sentences that speak against merging; move(pair) hands
    things over and returns what it moved as JSON; give_back(pair, moved) restores
    what move changed. All run inside the caller's transaction, lowest app first.
    """

    move: Callable[[Pair], Moved]
    give_back: Callable[[Pair, Moved], None]
    objections: Callable[[Pair], list[str]] | None = None
