"""What an account may do at an instant, from the one SQL function that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dotmac.core.db import fetch_dicts


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """network_access_state() of one account: state, effect, open reasons."""

    state: str
    effect: str
    reasons: list[str]


def access_state(account_id: int, *, at: datetime) -> StateView:
    """State and effect of the account; raises LookupError when there is none."""
    rows = fetch_dicts(
        "SELECT state, effect, reasons FROM network_access_state(%s, %s)",
        [account_id, at],
    )
    if not rows:
        raise LookupError(f"There is no access account {account_id}.")
    return StateView(**rows[0])
