"""Login attempts: who asked, what RADIUS decided, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import selectors
from apps.network.enums import AttemptReason, HoldReason
from apps.network.models import AccessAttempt
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    ChoiceFilter,
    Column,
    DateFilter,
    IdFilter,
    ListScreen,
    Page,
    State,
    Tile,
    list_url,
    register_screen,
)
from dotmac.core.periods import day_start

LIST_POLL_S = 30
_WALLED = {AttemptReason.WALLED_GARDEN, AttemptReason.EXPIRED, AttemptReason.THROTTLED}


def why(attempt: AccessAttempt) -> str:
    """The reason, and the hold that it was."""
    words = str(attempt.get_reason_display())
    if not attempt.hold_reason:
        return words
    hold = dict(HoldReason.choices).get(attempt.hold_reason, attempt.hold_reason)
    return f"{words}: {str(hold).lower()}"


def explain_url(attempt: AccessAttempt) -> str:
    return list_url("login-attempts/explain", attempt=attempt.pk)


def verdict(attempt: AccessAttempt) -> State:
    """The answer, all that the subscriber's equipment was told; why stands beside it."""
    if not attempt.accepted:
        return State(_("Refused"), "bad", "circle-x")
    if attempt.reason in _WALLED:
        return State(attempt.get_reason_display(), "warn", "alert-triangle")
    return State(_("Let in"), "good", "circle-check")


ATTEMPT_COLUMNS = (
    Column(gettext_lazy("When"), "decided_at", "datetime"),
    Column(gettext_lazy("Answer"), verdict, "state"),
    Column(gettext_lazy("Why"), why, to=explain_url),
    Column(gettext_lazy("Device"), "mac", "code", phone=False),
)


_ANSWERS = (("yes", gettext_lazy("Let in")), ("no", gettext_lazy("Refused")))
_HOURS = (
    ("1", gettext_lazy("1 hour")),
    ("24", gettext_lazy("24 hours")),
    ("168", gettext_lazy("7 days")),
)


def _answered(rows: QuerySet[Any], answer: str) -> QuerySet[Any]:
    return rows.filter(accepted=answer == "yes")


def _within(rows: QuerySet[Any], hours: str) -> QuerySet[Any]:
    return rows.filter(decided_at__gt=Now() - timedelta(hours=int(hours)))


def _since(rows: QuerySet[Any], day: date) -> QuerySet[Any]:
    return rows.filter(decided_at__gte=day_start(day, settings.OPERATOR_ZONE))


def _until(rows: QuerySet[Any], day: date) -> QuerySet[Any]:
    """The whole of that day."""
    after = day_start(day + timedelta(days=1), settings.OPERATOR_ZONE)
    return rows.filter(decided_at__lt=after)


@register_screen
class AttemptList(ListScreen):
    slug = "login-attempts"
    title = gettext_lazy("Login attempts")
    permission = "network.view_session"
    icon = "login"
    menu = "network"
    menu_order = 55
    poll_s = LIST_POLL_S
    search_hint = gettext_lazy("Whole login, MAC or NAS")
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
        ChoiceFilter(name="answer", label=gettext_lazy("Answer"), apply=_answered,
                     choices=_ANSWERS),
        ChoiceFilter(name="reason", label=gettext_lazy("Why"),
                     choices=AttemptReason.choices),
        ChoiceFilter(name="hold", label=gettext_lazy("Hold"), field="hold_reason",
                     choices=HoldReason.choices),
        ChoiceFilter(name="within", label=gettext_lazy("Within"), apply=_within,
                     choices=_HOURS),
        DateFilter(name="from", label=gettext_lazy("From"), apply=_since),
        DateFilter(name="until", label=gettext_lazy("Until"), apply=_until),
        IdFilter(name="account", label=gettext_lazy("Account"), field="account_id"),
        IdFilter(name="nas", label=gettext_lazy("NAS"), field="nas_id"),
    )  # fmt: skip
    buttons = (
        Button(
            label=gettext_lazy("Explain a login"),
            url="login-attempts/explain",
            icon="help",
            permission="network.view_session",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.access_attempts(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return selectors.attempts_of_text(rows, text)

    def row_url(self, row: AccessAttempt) -> str:
        return explain_url(row)

    def summary(self, page: Page) -> Sequence[Tile]:
        """How much there was, and what of it is not here."""
        counts = selectors.attempt_counts(page.actor, at=page.now)
        if counts is None:
            return ()
        tiles = [
            Tile(label=_("Decisions in 24 hours"), value=counts.decided, kind="number")
        ]
        if counts.sample_of > 1:
            tiles.append(Tile(
                label=_("Written in a storm"),
                value=_("1 of %(count)s") % {"count": counts.sample_of},
                tone="warn", why=_("Of the NAS that asks most."),
            ))  # fmt: skip
        if counts.lost:
            tiles.append(Tile(
                label=_("Lost in 24 hours"), value=counts.lost, kind="number",
                tone="bad", why=_("The spool was full before anybody read it."),
            ))  # fmt: skip
        return tiles
