"""Login attempts: who asked, what RADIUS decided, and why."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import selectors
from apps.network.enums import AttemptReason
from apps.network.models import AccessAttempt
from dotmac.core.actors import Actor
from dotmac.core.console import (
    ChoiceFilter,
    Column,
    IdFilter,
    ListScreen,
    State,
    register_screen,
)

LIST_POLL_S = 30
_WALLED = {AttemptReason.WALLED_GARDEN, AttemptReason.EXPIRED, AttemptReason.THROTTLED}


def verdict(attempt: AccessAttempt) -> State:
    """The answer with its reason; the subscriber's equipment was told only yes or no."""
    if not attempt.accepted:
        return State(_("Refused"), "bad", "circle-x", why=attempt.get_reason_display())
    if attempt.reason in _WALLED:
        return State(attempt.get_reason_display(), "warn", "alert-triangle")
    return State(_("Let in"), "good", "circle-check")


ATTEMPT_COLUMNS = (
    Column(gettext_lazy("When"), "decided_at", "datetime"),
    Column(gettext_lazy("Answer"), verdict, "state"),
    Column(gettext_lazy("Why"), lambda row: row.get_reason_display()),
    Column(gettext_lazy("Device"), "mac", "code", phone=False),
)


@register_screen
class AttemptList(ListScreen):
    slug = "login-attempts"
    title = gettext_lazy("Login attempts")
    permission = "network.view_session"
    icon = "login"
    menu = "network"
    menu_order = 55
    poll_s = LIST_POLL_S
    search_hint = gettext_lazy("Whole login")
    empty = gettext_lazy(
        "No attempt yet. They appear about a minute after they happen."
    )
    ordering = ("-decided_at", "-pk")
    columns = (
        ATTEMPT_COLUMNS[0],
        Column(
            gettext_lazy("Login"), "login", "code", to="accounts", to_id="account_id"
        ),
        *ATTEMPT_COLUMNS[1:3],
        Column(gettext_lazy("NAS"), "nas.name", to="nas", to_id="nas_id"),
        *ATTEMPT_COLUMNS[3:],
        Column(gettext_lazy("Stands for"), "sample_of", "number", phone=False),
    )
    filters = (
        ChoiceFilter(name="reason", label=gettext_lazy("Why"),
                     choices=AttemptReason.choices),
        IdFilter(name="account", label=gettext_lazy("Account"), field="account_id"),
        IdFilter(name="nas", label=gettext_lazy("NAS"), field="nas_id"),
    )  # fmt: skip

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.access_attempts(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(login=text)
