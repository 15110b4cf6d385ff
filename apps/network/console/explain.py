"""Why a login is let in or refused: paste it, and read the decision step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import selectors
from apps.network.enums import AttemptReason, HoldEffect, HoldReason
from apps.network.rules.addressing import parsed_address
from apps.network.rules.credentials import MalformedText
from apps.network.selectors import ExplainedStep, Explanation
from dotmac.core.console import (
    Column,
    ConsoleForm,
    Done,
    FormScreen,
    Page,
    Panel,
    State,
    Step,
    StepsPanel,
    TablePanel,
    list_url,
    register_screen,
)
from dotmac.core.console.render import rate_text

SLUG = "login-attempts/explain"
BITS = 1000
TEXT_MAX = 253


class ExplainForm(ConsoleForm):
    login = forms.CharField(
        label=gettext_lazy("Login"),
        max_length=TEXT_MAX,
        help_text=gettext_lazy("As the device sends it; for IPoE its MAC address."),
    )
    nas = forms.ChoiceField(label=gettext_lazy("NAS"))
    mac = forms.CharField(
        label=gettext_lazy("Device"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("The MAC address that the NAS sees, if it counts."),
    )
    circuit = forms.CharField(
        label=gettext_lazy("Circuit"),
        max_length=512,
        required=False,
        help_text=gettext_lazy("Agent-Circuit-Id, for IPoE."),
    )

    def arrange(self) -> None:
        self.fields["nas"].choices = [  # type: ignore[attr-defined]
            (str(nas.address), f"{nas.name} ({nas.address})")
            for nas in selectors.explaining_nases(self.page.actor)
        ]


@register_screen
class ExplainLogin(FormScreen):
    slug = SLUG
    title = gettext_lazy("Explain a login")
    permission = "network.view_session"
    icon = "help"
    form = ExplainForm
    submit_label = gettext_lazy("Explain")
    intro = gettext_lazy(
        "What RADIUS would answer now, and why. Nothing is changed, and no NAS is asked."
    )

    def initial(self, page: Page) -> dict[str, Any]:
        return _asked(page)

    def above(self, page: Page) -> Sequence[Panel]:
        """What came of it, once somebody has asked."""
        asked = _asked(page)
        nases = selectors.explaining_nases(page.actor)
        known = {str(nas.address): nas for nas in nases}
        if not asked.get("login") or asked.get("nas") not in known:
            return ()
        return explanation_panels(
            selectors.explain_access(
                page.actor, self.permission, login=asked["login"],
                nas_address=asked["nas"], mac=asked.get("mac", ""),
                circuit=asked.get("circuit", ""),
            ),
            ipoe=known[asked["nas"]].ipoe,
        )  # fmt: skip

    def run(self, data: dict[str, Any], page: Page) -> Done:
        asked = {name: value for name, value in data.items() if value}
        return Done(url=list_url(SLUG, **asked))


def _asked(page: Page) -> dict[str, str]:
    """From the address: the fields themselves, or an attempt that has them."""
    number = page.query.get("attempt", "")
    if number.isdecimal() and len(number) <= 18:
        attempt = selectors.attempt_of(page.actor, int(number))
        if attempt is None:
            return {}
        nas = str(attempt.nas.address) if attempt.nas else ""
        return {"login": attempt.login, "nas": nas, "mac": attempt.mac}
    texts = {
        name: page.query.get(name, "") for name in ("login", "nas", "mac", "circuit")
    }
    if any("\x00" in text or len(text) > 512 for text in texts.values()):
        return {}
    try:
        texts["nas"] = str(parsed_address(texts["nas"]))
    except MalformedText:
        texts["nas"] = ""
    return texts


def explanation_panels(found: Explanation, *, ipoe: bool) -> Sequence[Panel]:
    steps = [_shown(step) for step in found.steps]
    words = verdict_words(found)
    if found.reason == "unknown" and not ipoe:
        logins = _("This NAS asks for logins only: no device or line counts there.")
        words = f"{words} {logins}"
    steps.append(Step(_("Answer"), _verdict_state(found), words))
    panels: list[Panel] = [StepsPanel(title=_("The decision"), steps=steps)]
    if found.reply:
        panels.append(
            TablePanel(
                title=_("What the NAS would be told"),
                columns=(
                    Column(_("Attribute"), lambda row: row[0], "code"),
                    Column(_("Operator"), lambda row: row[1], phone=False),
                    Column(_("Value"), lambda row: row[2], "code"),
                ),
                rows=found.reply,
            )
        )
    return panels


def verdict_words(found: Explanation) -> str:
    """The answer in one sentence that support can say on the phone."""
    if found.verdict == "silent":
        return _("No answer at all: RADIUS does not know this NAS, or it is disabled.")
    if found.verdict == "reject":
        return str(_REFUSED[found.reason]) % {"hold": _hold_words(found.hold)}
    allowed = dict(AttemptReason.choices).get(found.reason, found.reason)
    if found.verdict == "accept":
        return _("Let in without a password, by its device or line: %(how)s.") % {
            "how": str(allowed).lower()
        }
    if found.reason == "open":
        return _("Let in if the password is right. Nothing else stands against it.")
    return _(
        "Let in if the password is right: %(how)s. Nothing else stands against it."
    ) % {"how": str(allowed).lower()}


_REFUSED: Mapping[str, Any] = {
    "unknown": gettext_lazy("Refused: no open account has this login, device or line."),
    "hold": gettext_lazy("Refused, whatever the password: a hold (%(hold)s)."),
    "mac": gettext_lazy("Refused: the account is locked to another device."),
    "sessions": gettext_lazy(
        "Refused: as many sessions as allowed are open. A real login asks the NAS whether "
        "they still are; if not, the next try gets in."
    ),
}


def _hold_words(reason: str) -> str:
    return str(dict(HoldReason.choices).get(reason, reason)).lower()


def _verdict_state(found: Explanation) -> State:
    if found.verdict in ("reject", "silent"):
        words = _("Refused") if found.verdict == "reject" else _("No answer")
        return State(words, "bad", "circle-x")
    if found.reason != "open":
        label = dict(AttemptReason.choices).get(found.reason, found.reason)
        return State(label, "warn", "alert-triangle")
    return State(_("Let in"), "good", "circle-check")


# Name of the step, and of each outcome: word and tone.
_WORDS: Mapping[str, tuple[Any, Mapping[str, tuple[Any, str]]]] = {
    "nas": (gettext_lazy("NAS"), {
        "known": (gettext_lazy("Known"), "good"),
        "disabled": (gettext_lazy("Disabled"), "bad"),
        "unknown": (gettext_lazy("Unknown"), "bad"),
    }),
    "account": (gettext_lazy("Account"), {
        "found": (gettext_lazy("Found"), "good"),
        "unknown": (gettext_lazy("None"), "bad"),
    }),
    "expiry": (gettext_lazy("Paid until"), {
        "none": (gettext_lazy("No end"), "good"),
        "ahead": (gettext_lazy("Ahead"), "good"),
        "passed": (gettext_lazy("Passed"), "warn"),
    }),
    "hold": (gettext_lazy("Hold"), {
        "reject": (HoldEffect.REJECT.label, "bad"),
        "walled_garden": (HoldEffect.WALLED_GARDEN.label, "warn"),
        "throttle": (HoldEffect.THROTTLE.label, "warn"),
    }),
    "device": (gettext_lazy("Device"), {
        "any": (gettext_lazy("Any"), "good"),
        "same": (gettext_lazy("The right one"), "good"),
        "another": (gettext_lazy("Another"), "bad"),
    }),
    "sessions": (gettext_lazy("Sessions"), {
        "any": (gettext_lazy("Any number"), "good"),
        "free": (gettext_lazy("Free"), "good"),
        "over": (gettext_lazy("Too many"), "bad"),
        "replaces": (gettext_lazy("Ends the oldest"), "warn"),
    }),
    "profile": (gettext_lazy("Speed"), {
        "open": (gettext_lazy("Full"), "good"),
        "throttled": (gettext_lazy("Throttled"), "warn"),
        "walled_garden": (gettext_lazy("Throttled"), "warn"),
        "expired": (gettext_lazy("Throttled"), "warn"),
        "rejected": (gettext_lazy("Not given"), "bad"),
    }),
}  # fmt: skip
_ICONS = {"good": "circle-check", "warn": "alert-triangle", "bad": "circle-x"}
_FOUND_BY = {
    "login": gettext_lazy("by its login"),
    "mac": gettext_lazy("by its MAC address: no password is asked for"),
    "circuit_id": gettext_lazy("by its circuit id: no password is asked for"),
    "remote_id": gettext_lazy("by its remote id: no password is asked for"),
}


def _shown(step: ExplainedStep) -> Step:
    name, outcomes = _WORDS[step.step]
    word, tone = outcomes[step.outcome]
    return Step(name, State(word, tone, _ICONS[tone]), _SAYS[step.step](step.detail))


def _nas_answer(said: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (said.get("name"), said.get("address"))))


def _account_answer(said: Mapping[str, Any]) -> str:
    if said.get("login"):
        return f"{said['login']}, {_FOUND_BY[said['found_by']]}"
    return _("An account with this login was closed.") if said.get("closed") else ""


def _expiry_answer(said: Mapping[str, Any]) -> str:
    return _when(said["expires_at"]) if said["expires_at"] else ""


def _device_answer(said: Mapping[str, Any]) -> str:
    if not said["mac_lock"]:
        return ""
    return _("locked to %(lock)s, asked from %(mac)s") % {
        "lock": said["mac_lock"], "mac": said["mac"] or _("no device"),
    }  # fmt: skip


def _profile_answer(said: Mapping[str, Any]) -> str:
    down, up = (rate_text(said[name] * BITS) for name in ("down_kbps", "up_kbps"))
    return f"{said['name']}: {down} / {up}"


def _hold_answer(said: Mapping[str, Any]) -> str:
    words = _("%(reason)s, since %(since)s") % {
        "reason": _hold_words(said["reason"]), "since": _when(said["placed_at"]),
    }  # fmt: skip
    if said["by"]:
        words = _("%(words)s, by %(who)s") % {"words": words, "who": said["by"]}
    return f"{words}. {said['note']}" if said["note"] else words


def _sessions_answer(said: Mapping[str, Any]) -> str:
    if not said["counted"]:
        return _("none of another line is open")
    words = _("%(counted)s of %(allowed)s open") % {
        "counted": said["counted"], "allowed": said["allowed"] or "∞",
    }  # fmt: skip
    return f"{words}: " + "; ".join(
        " ".join(filter(None, (
            row["nas"], row["address"], row["mac"],
            _("last heard of %(at)s") % {"at": _when(row["heard_at"])},
        )))
        for row in said["sessions"]
    )  # fmt: skip


def _when(text: str) -> str:
    at = timezone.localtime(datetime.fromisoformat(text), settings.OPERATOR_ZONE)
    return f"{at:%d %b %Y, %H:%M}"


# What each step is about, as far as there is something to say.
_SAYS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "nas": _nas_answer,
    "account": _account_answer,
    "expiry": _expiry_answer,
    "hold": _hold_answer,
    "device": _device_answer,
    "sessions": _sessions_answer,
    "profile": _profile_answer,
}
