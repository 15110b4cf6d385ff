"""What a screen may know about the request, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from dotmac.core.actors import Actor

if TYPE_CHECKING:
    from dotmac.core.console.panels import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One request to a screen: who asks, when, and with which query values.

    `today` is the business date of the installation, `now` the real instant.
    """

    actor: Actor
    now: datetime
    today: date
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""

    def may(self, permission: str) -> bool:
        return not permission or self.actor.may(permission)


@dataclass(frozen=True, slots=True)
class Done:
    """An action succeeded: what to tell the person, and where to go next.

    Without `url` the person returns to the screen the action belongs to. With
    `panels` these are shown first, once: a key or a link that is kept nowhere.
    """

    message: str = ""
    url: str = ""
    panels: Sequence[Panel] = ()
