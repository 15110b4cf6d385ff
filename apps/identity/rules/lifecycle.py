"""How a customer's states follow one another. The database keeps the same table."""

from __future__ import annotations

from apps.identity.enums import CustomerState as State

# An active customer whose last service ended is dormant; a closed one begins
# again as a prospect.
MOVES: dict[str, frozenset[str]] = {
    State.LEAD: frozenset({State.PROSPECT, State.ACTIVE, State.CLOSED}),
    State.PROSPECT: frozenset({State.ACTIVE, State.CLOSED}),
    State.ACTIVE: frozenset({State.DORMANT, State.CLOSED}),
    State.DORMANT: frozenset({State.ACTIVE, State.CLOSED}),
    State.CLOSED: frozenset({State.PROSPECT}),
}


def may_become(state: str, wanted: str) -> bool:
    """Whether a customer in this state may come to be in that one."""
    return wanted in MOVES[state]
