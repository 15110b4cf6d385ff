"""States of the network in words, each with its why."""

from __future__ import annotations

import math

from django.conf import settings
from django.utils.translation import gettext as _

from apps.network.models import CoaRequest, Nas
from apps.network.rules.addressing import lies_within
from apps.network.selectors import AccountView
from dotmac.core.console import State, state_of
from dotmac.core.console.render import instant

COUNTED_MAX = 10**9


def account_state(view: AccountView) -> State:
    """Online when open and seen; else what stands in the way, and since when."""
    why = account_why(view)
    if view.state == "open":
        word = "online" if view.online else "offline"
        return state_of(word, why)
    if view.state == "expired":
        return State(_("Expired"), "warn", "hourglass", why)
    return state_of(view.state, why)


def account_why(view: AccountView) -> str:
    """Every reason that counts, in the order in which they came."""
    reasons = [
        _("%(reason)s: %(effect)s since %(since)s.")
        % {
            "reason": hold.note or hold.reason.replace("_", " "),
            "effect": hold.effect.replace("_", " "),
            "since": f"{hold.placed_at:%Y-%m-%d}",
        }
        for hold in view.holds
    ]
    if view.state == "expired" and view.expires_at is not None:
        reasons.append(
            _("Paid until %(day)s.") % {"day": f"{view.expires_at:%Y-%m-%d}"}
        )
    if view.state == "open" and view.session is not None and not view.online:
        reasons.append(_("Its session went silent."))
    return " ".join(reasons)


def nas_state(nas: Nas) -> State:
    """Enabled or not, and whether its packets are taken in at all."""
    address = str(nas.address).split("/")[0]
    if nas.enabled and not lies_within(address, settings.RADIUS_NETWORKS):
        why = _("FreeRADIUS takes no packet from its network: see RADIUS_NETWORKS.")
        return State(_("Not listened to"), "warn", "plug-connected-x", why)
    return state_of("enabled" if nas.enabled else "disabled")


def nas_signs(nas: Nas) -> State:
    """Whether its requests must be signed: what is not, can be forged."""
    if nas.require_message_authenticator:
        return State(_("Required"), "good", "shield-check", "")
    return State(
        _("Excused"),
        "warn",
        "shield-off",
        _(
            "Who is between the NAS and RADIUS may forge its logins. Update its firmware."
        ),
    )


def coa_state(row: CoaRequest) -> State:
    """How far the request is, with the NAS's own answer as its why."""
    if row.state == "sending":
        return State(_("Sending"), "busy", "send", row.answer)
    if row.state == "obsolete":
        return State(_("Not needed"), "quiet", "circle-minus", row.answer)
    return state_of(row.state, row.answer)


def count_words(count: int) -> str:
    """Whole up to a billion; beyond, only the magnitude tells anybody anything."""
    if count < COUNTED_MAX:
        return f"{count:,}"
    return _("about 2^%(power)s") % {"power": round(math.log2(count))}


def last_seen_words(view: AccountView) -> str:
    if view.last_seen_at is None:
        return _("never")
    return str(instant(view.last_seen_at))
