"""States as people see them: an icon, a word and a colour, never colour alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

TONES = ("good", "busy", "warn", "bad", "quiet")


@dataclass(frozen=True, slots=True)
class State:
    """One badge. `why` answers the question that every state raises."""

    word: Text
    tone: str = "quiet"
    icon: str = "point"
    why: Text = ""

    def because(self, why: Text) -> State:
        return replace(self, why=why)


_WORDS: dict[str, State] = {
    "active": State(_("Active"), "good", "circle-check"),
    "open": State(_("Open"), "busy", "circle-dot"),
    "online": State(_("Online"), "good", "wifi"),
    "offline": State(_("Offline"), "quiet", "wifi-off"),
    "pending": State(_("Pending"), "quiet", "clock"),
    "queued": State(_("Queued"), "quiet", "clock"),
    "provisioning": State(_("Provisioning"), "busy", "loader-2"),
    "fulfilling": State(_("Fulfilling"), "busy", "loader-2"),
    "running": State(_("Running"), "busy", "loader-2"),
    "suspended": State(_("Suspended"), "bad", "player-pause"),
    "walled_garden": State(_("Walled garden"), "warn", "fence"),
    "throttled": State(_("Throttled"), "warn", "gauge"),
    "rejected": State(_("Rejected"), "bad", "ban"),
    "terminated": State(_("Terminated"), "quiet", "circle-off"),
    "closed": State(_("Closed"), "quiet", "circle-off"),
    "dormant": State(_("Dormant"), "warn", "moon"),
    "unknown": State(_("Not checked"), "quiet", "help-circle"),
    "yes": State(_("Can be served"), "good", "circle-check"),
    "no": State(_("Cannot be served"), "bad", "ban"),
    "survey": State(_("Survey needed"), "warn", "map-pin"),
    "lead": State(_("Lead"), "quiet", "user-search"),
    "prospect": State(_("Prospect"), "busy", "user-plus"),
    "succeeded": State(_("Succeeded"), "good", "circle-check"),
    "failed": State(_("Failed"), "bad", "alert-triangle"),
    "cancelled": State(_("Cancelled"), "quiet", "ban"),
    "refunded": State(_("Refunded"), "quiet", "receipt-refund"),
    "draft": State(_("Draft"), "quiet", "pencil"),
    "paid": State(_("Paid"), "good", "circle-check"),
    "overdue": State(_("Overdue"), "bad", "alert-triangle"),
    "uncollectible": State(_("Uncollectible"), "bad", "ban"),
    "void": State(_("Void"), "quiet", "ban"),
    "accepted": State(_("Accepted"), "busy", "circle-check"),
    "fulfilled": State(_("Fulfilled"), "good", "circle-check"),
    "sent": State(_("Sent"), "good", "send"),
    "delivered": State(_("Delivered"), "good", "circle-check"),
    "parked": State(_("Parked"), "bad", "alert-triangle"),
    "done": State(_("Done"), "good", "circle-check"),
    "retired": State(_("Retired"), "quiet", "archive"),
    "enabled": State(_("Enabled"), "good", "circle-check"),
    "disabled": State(_("Disabled"), "quiet", "circle-off"),
    "holds": State(_("Holds"), "good", "shield-check"),
    "broken": State(_("Broken"), "bad", "alert-triangle"),
    "chained": State(_("Chained"), "busy", "link"),
    "verified": State(_("Verified"), "good", "shield-check"),
    "quarantined": State(_("Resting"), "warn", "clock"),
    "released": State(_("Released"), "quiet", "circle-off"),
    "assigned": State(_("Assigned"), "good", "circle-check"),
    "acknowledged": State(_("Acknowledged"), "good", "circle-check"),
    "refused": State(_("Refused"), "bad", "ban"),
    "silent": State(_("No answer"), "warn", "help-circle"),
}


def state_of(value: Any, why: Text = "") -> State:
    """The badge for a stored state word; an unknown word is shown as it is."""
    if isinstance(value, State):
        return value.because(why) if why else value
    known = _WORDS.get(str(value))
    if known is None:
        known = State(str(value).replace("_", " ").capitalize() or "-")
    return known.because(why) if why else known
