"""Who is overdue, which step they are at, what comes next and when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import selectors
from apps.billing.models import DunningAction, Invoice
from apps.billing.rules import dunning as rules
from apps.billing.selectors import CustomerSituation
from apps.identity import selectors as identity
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    Column,
    ListScreen,
    Page,
    State,
    detail_url,
    form_url,
    register_screen,
)
from dotmac.core.money import Money

_WAITS = {
    rules.Pause.NONE: "",
    rules.Pause.PROMISE: gettext_lazy("A promise to pay runs."),
    rules.Pause.PAYMENT_PENDING: gettext_lazy("A payment is under way."),
    rules.Pause.NO_CUT_OFF_NOW: gettext_lazy(
        "Nobody is cut off today or at this hour."
    ),
}
_STEPS = {
    rules.StepKind.REMIND: gettext_lazy("Reminder"),
    rules.StepKind.WALLED_GARDEN: gettext_lazy("Cut-off"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One customer's dunning in words."""

    overdue: Money
    due_date: Any
    state: State
    step: str
    next_step: str
    next_date: Any


def in_words(situation: CustomerSituation, policy: rules.Policy | None) -> Shown:
    """What the facts mean, for a table or a panel."""
    facts = situation.facts
    verdict = rules.judge(policy, facts) if policy else rules.Verdict()
    step, day = _next(verdict, facts)
    return Shown(
        overdue=situation.overdue,
        due_date=facts.due_date,
        state=_state(verdict, facts),
        step=_("Step %s") % facts.step_done if facts.step_done else _("None yet"),
        next_step=step,
        next_date=day,
    )


def _next(verdict: rules.Verdict, facts: rules.Situation) -> tuple[str, Any]:
    """The next act: what is due now counts as today's."""
    due = verdict.remind or verdict.wall
    if due is not None:
        return str(_STEPS[due.kind]), facts.day
    if verdict.resume:
        return _("Reconnect"), facts.day
    if verdict.next_step is not None:
        return str(_STEPS[verdict.next_step.kind]), verdict.next_date
    return (_("Reconnects when paid") if facts.walled else ""), None


def _state(verdict: rules.Verdict, facts: rules.Situation) -> State:
    if facts.walled and not verdict.resume:
        why = _("Nothing was paid for what is overdue since %s.") % (
            date_format(facts.due_date, "j F Y") if facts.due_date else ""
        )
        return State(_("Cut off"), "bad", "player-pause", why)
    if verdict.pause != rules.Pause.NONE:
        return State(_("Waits"), "warn", "clock-pause", str(_WAITS[verdict.pause]))
    if facts.step_done:
        return State(_("Reminded"), "warn", "mail", _("Reminders were sent."))
    return State(_("Overdue"), "warn", "clock", _("The first step is still to come."))


@register_screen
class DunningList(ListScreen):
    slug = "dunning"
    title = gettext_lazy("Dunning")
    permission = "billing.view_dunning"
    icon = "calendar-due"
    menu = "money"
    menu_order = 40
    ordering = ("pk",)
    empty = gettext_lazy("Nobody is overdue.")
    intro = gettext_lazy(
        "Customers with overdue bills, as the next run will judge them. A run goes "
        "every hour; a payment is judged at once."
    )
    columns = (
        Column(gettext_lazy("Customer"), "reference", "code"),
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("Overdue"), "dunning.overdue", "money"),
        Column(gettext_lazy("Since"), "dunning.due_date", "date", phone=False),
        Column(gettext_lazy("State"), "dunning.state", "state"),
        Column(gettext_lazy("Taken"), "dunning.step", phone=False),
        Column(gettext_lazy("Next"), "dunning.next_step"),
        Column(gettext_lazy("On"), "dunning.next_date", "date"),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("Policy"),
                url=form_url("dunning/policy"),
                icon="adjustments",
                permission="billing.set_dunning_policy",
            ),
        )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        today = ops_selectors.business_date(now=timezone.now())
        overdue = Invoice.objects.overdue(today).filter(customer_id=OuterRef("pk"))
        cut_off = DunningAction.objects.cut_offs().filter(customer_id=OuterRef("pk"))
        rows = identity.customers_visible_to(actor, permission)
        return rows.filter(Exists(overdue) | Exists(cut_off)).defer("search_text")

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        policy = selectors.dunning_policy()
        found = selectors.situations_of(
            [row.pk for row in rows], day=page.today, now=page.now
        )
        for row in rows:
            row.dunning = in_words(found[row.pk], policy)
        return rows

    def row_url(self, row: Any) -> str:
        return detail_url("customers", row.pk)
