"""Another secret for a NAS: proposed, switched at a minute, proved or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.enums import NasSecretState
from apps.network.models import Nas, NasSecret
from dotmac.core.console import (
    Action,
    ConsoleForm,
    Done,
    Fact,
    FactsPanel,
    Page,
    Panel,
    State,
    TemplatePanel,
    detail_url,
)
from dotmac.core.console.states import Text
from dotmac.core.crypto import SealBroken

PERMISSION = "network.change_nas"


def shown_once(nas: Nas, clear: str, told: str, says: Text) -> Done:
    """A page that stays until it is left: a message goes away, and lies in a cookie."""
    panel = TemplatePanel(
        title=_("Secret of %(nas)s") % {"nas": nas.name},
        name="ui/shown_once.html",
        context={"says": says, "value": clear},
    )
    return Done(told, detail_url("nas", nas.pk), [panel])


def sharing(nas: Nas) -> Fact:
    """Whether others have the same secret; read without opening theirs."""
    try:
        others = selectors.nas_sharing_secret(nas)
    except SealBroken:
        why = _("It was changed outside DotMac. Give the NAS a new one.")
        return Fact(_("Secret"), _("does not open"), why=why)
    if not others:
        return Fact(_("Secret"), _("its own"))
    names = ", ".join(other.name for other in others)
    why = _("Who learns one of them can speak for all. Give each NAS its own.")
    return Fact(_("Secret"), _("the same as %(names)s") % {"names": names}, why=why)


class SwitchForm(ConsoleForm):
    switch_at = forms.DateTimeField(
        label=gettext_lazy("Switch at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    roll_back_after_min = forms.IntegerField(
        label=gettext_lazy("Take it back after minutes of silence"),
        required=False,
        initial=15,
        min_value=operations.ROLL_BACK_MIN,
        max_value=operations.ROLL_BACK_MAX,
        help_text=gettext_lazy(
            "If no packet of the NAS has proved it by then. Empty: never."
        ),
    )

    def arrange(self) -> None:
        self.fields["switch_at"].help_text = _(
            "By the clock of %(zone)s. RADIUS understands the new secret from then on"
            " (within 15 seconds), and the old one no longer. Enter the new one in the"
            " NAS at that minute."
        ) % {"zone": settings.OPERATOR_ZONE.key}


def propose(nas: Nas, data: dict[str, Any], page: Page) -> Done:
    _row, clear = operations.propose_nas_secret(
        nas_id=nas.pk, actor=page.actor, now=page.now
    )
    told = _("A new secret is proposed. Nothing has changed for the NAS yet.")
    says = _("Keep it for the minute of the switch, which you choose next.")
    return shown_once(nas, clear, told, says)


def switch(nas: Nas, data: dict[str, Any], page: Page) -> str:
    operations.schedule_nas_secret(
        nas_id=nas.pk, **data, actor=page.actor, now=page.now
    )
    return _("RADIUS switches to the new secret at that time.")


def roll_back(nas: Nas, data: dict[str, Any], page: Page) -> str:
    operations.roll_back_nas_secret(nas_id=nas.pk, actor=page.actor, now=page.now)
    return _("The old secret counts (again, within 15 seconds).")


def is_changing(nas: Nas) -> bool:
    return selectors.nas_secret_change(nas.pk) is not None


def may_switch(nas: Nas) -> bool:
    row = selectors.nas_secret_change(nas.pk)
    return row is not None and row.state != NasSecretState.CONFIRMED


ACTIONS = (
    Action(
        slug="propose-secret",
        label=gettext_lazy("Change the secret"),
        permission=PERMISSION,
        icon="key",
        confirm=gettext_lazy(
            "A new secret is made and shown once. The old one counts until the minute"
            " that you choose then."
        ),
        shown=lambda nas: not is_changing(nas),
        run=propose,
    ),
    Action(
        slug="switch-secret",
        label=gettext_lazy("Switch the secret"),
        permission=PERMISSION,
        form=SwitchForm,
        icon="clock",
        tone="primary",
        submit=gettext_lazy("Switch"),
        shown=may_switch,
        run=switch,
    ),
    Action(
        slug="roll-back-secret",
        label=gettext_lazy("Take the new secret back"),
        permission=PERMISSION,
        icon="arrow-back-up",
        confirm=gettext_lazy(
            "The old secret counts again, and the new one is forgotten."
        ),
        shown=may_switch,
        run=roll_back,
    ),
)


def change_state(row: NasSecret, page: Page) -> State:
    """How far it is, and what it waits for."""
    if row.state == NasSecretState.PROPOSED:
        return State(_("Proposed"), "busy", "key", _("Say when to switch."))
    if row.state == NasSecretState.SCHEDULED:
        if row.switch_at is not None and row.switch_at > page.now:
            return State(_("Scheduled"), "busy", "clock", "")
        return State(
            _("Switched"),
            "warn",
            "hourglass",
            _("The next valid packet of the NAS confirms it."),
        )
    if row.state == NasSecretState.ROLLED_BACK:
        return State(_("Rolled back"), "quiet", "arrow-back-up", "")
    return State(_("Confirmed"), "good", "check", _("A packet of the NAS proved it."))


def panels(nas: Nas, page: Page) -> Sequence[Panel]:
    """The latest change, when there was one."""
    row = selectors.latest_nas_secret_change(nas.pk)
    if row is None:
        return []
    facts = [
        Fact(_("State"), change_state(row, page), "state"),
        Fact(_("Proposed"), row.created_at, "datetime"),
        Fact(_("Switch at"), row.switch_at, "datetime"),
        Fact(_("Confirmed"), row.confirmed_at, "datetime"),
    ]
    if row.state == NasSecretState.SCHEDULED:
        facts.insert(
            3, Fact(_("Taken back by itself at"), row.roll_back_at, "datetime")
        )
    return [FactsPanel(title=_("Change of the secret"), facts=facts)]
