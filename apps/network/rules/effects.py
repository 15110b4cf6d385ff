"""What a change of an account's effect asks of its running sessions."""

from __future__ import annotations

from enum import StrEnum


class EdgeAct(StrEnum):
    """What the NAS must be told."""

    NOTHING = "nothing"
    COA = "coa"
    DISCONNECT = "disconnect"


# In these the session keeps its address: only its speed differs.
_SAME_POOL = frozenset({"accept", "throttle"})


def edge_act(
    *, before: str, after: str, rate_changed: bool = False, pool_changed: bool = False
) -> EdgeAct:
    """A speed can change in a running session, an address or a refusal cannot.

    Effects are those of network_access_state(): accept, throttle,
    walled_garden, reject.
    """
    if pool_changed:
        return EdgeAct.DISCONNECT
    if before != after:
        both = {before, after}
        return EdgeAct.COA if both <= _SAME_POOL else EdgeAct.DISCONNECT
    if rate_changed and after in _SAME_POOL:
        return EdgeAct.COA
    return EdgeAct.NOTHING
