"""What cash adds to the customer page: payments, dunning and its why, actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import operations, selectors
from apps.billing.console.dunning import in_words
from apps.billing.console.payment_forms import MoneyReceivedForm, PromiseForm
from apps.billing.console.payments import payment_state
from dotmac.core.console import (
    Action,
    Column,
    Done,
    Fact,
    FactsPanel,
    HubContribution,
    Page,
    Panel,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    list_url,
    register_hub,
)

PAYMENTS_MAX = 20
ACTIONS_MAX = 20


def _tiles(customer_id: int, page: Page) -> Sequence[Tile]:
    if not page.may("billing.view_dunning"):
        return []
    why = selectors.why_suspended(customer_id)
    if why is None:
        return []
    says = _("%(invoice)s was due on %(due)s; %(amount)s is overdue.") % {
        "invoice": why.invoice_reference,
        "due": why.due_date,
        "amount": why.overdue,
    }
    return [
        Tile(
            label=_("Cut off since"),
            value=why.since,
            kind="datetime",
            tone="bad",
            why=says,
            order=25,
        )
    ]


def _tab(row: Any, page: Page) -> Sequence[Panel]:
    panels: list[Panel] = [
        TablePanel(
            title=_("Payments"),
            columns=(
                Column(_("Payment"), "reference", "code", to="payments"),
                Column(_("Amount"), "amount", "money"),
                Column(_("Method"), "get_method_display"),
                Column(_("State"), payment_state, "state"),
                Column(_("In credit"), "credit", "money"),
                Column(_("Received"), "received_date", "date"),
            ),
            rows=selectors.payments_of(row.pk, limit=PAYMENTS_MAX),
            empty=_("No payment yet."),
            more_url=list_url("payments", customer=row.pk),
        )
    ]
    if page.may("billing.view_dunning"):
        panels += _dunning_panels(row.pk, page)
    return panels


def _dunning_panels(customer_id: int, page: Page) -> list[Panel]:
    situation = selectors.situation_of(customer_id, day=page.today, now=page.now)
    shown = in_words(situation, selectors.dunning_policy())
    promise = selectors.promise_of(customer_id)
    facts = [
        Fact(_("Overdue"), shown.overdue, "money"),
        Fact(_("Taken"), shown.step),
        Fact(_("Next"), shown.next_step),
        Fact(_("On"), shown.next_date, "date"),
    ]
    if shown.overdue:
        facts.insert(0, Fact(_("State"), shown.state, "state", why=shown.state.why))
        facts.insert(2, Fact(_("Since"), shown.due_date, "date"))
    if promise is not None:
        facts.append(Fact(_("Promised to pay until"), promise.promised_date, "date"))
        facts.append(Fact(_("Promise noted by"), promise.made_by))
    return [
        FactsPanel(title=_("Dunning"), facts=facts, wide=False),
        TablePanel(
            title=_("Reminders and cut-offs"),
            columns=(
                Column(_("When"), "taken_at", "datetime"),
                Column(_("Step"), "step.get_kind_display"),
                Column(
                    _("Invoice"), "invoice", "code", to="invoices", to_id="invoice_id"
                ),
                Column(_("Outcome"), "get_outcome_display"),
                Column(_("Ended"), "ended_at", "datetime"),
            ),
            rows=selectors.dunning_actions_of(customer_id, limit=ACTIONS_MAX),
            empty=_("Nothing was ever overdue for long."),
        ),
    ]


def _record(row: Any, data: dict[str, Any], page: Page) -> Done:
    payment = operations.record_payment(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    words = _("%(reference)s: %(amount)s recorded.") % {
        "reference": payment.reference,
        "amount": payment.amount,
    }
    return Done(words, detail_url("payments", payment.pk))


def _promise(row: Any, data: dict[str, Any], page: Page) -> str:
    operations.promise_to_pay(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("Noted. Dunning waits until then.")


def _withdraw(row: Any, data: dict[str, Any], page: Page) -> str:
    operations.withdraw_promise(customer_id=row.pk, actor=page.actor, now=page.now)
    return _("Dunning goes on.")


register_hub(
    HubContribution(
        app="billing.cash",
        order=35,
        tabs=(
            Tab(
                slug="payments",
                label=gettext_lazy("Payments"),
                build=_tab,
                permission="billing.view_payment",
                order=35,
            ),
        ),
        actions=(
            Action(
                slug="record-payment",
                label=gettext_lazy("Record payment"),
                permission="billing.record_payment",
                icon="cash",
                form=MoneyReceivedForm,
                run=_record,
                order=30,
            ),
            Action(
                slug="promise",
                label=gettext_lazy("Promise to pay"),
                permission="billing.promise_payment",
                icon="calendar-plus",
                form=PromiseForm,
                run=_promise,
                order=31,
            ),
            Action(
                slug="withdraw-promise",
                label=gettext_lazy("Withdraw promise"),
                permission="billing.promise_payment",
                icon="calendar-off",
                confirm=gettext_lazy("Dunning goes on at once."),
                shown=lambda row: selectors.promise_of(row.pk) is not None,
                run=_withdraw,
                order=32,
            ),
        ),
        tiles=_tiles,
    )
)
