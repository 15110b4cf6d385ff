"""Payments on the console: the list, one payment, the search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import operations, selectors
from apps.billing.console.payment_forms import ReasonForm
from apps.billing.enums import ParkedFor, PaymentMethod, PaymentState
from apps.billing.models import CheckoutIntent, Payment
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    ChoiceFilter,
    Column,
    DateFilter,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    HomeContribution,
    HomeNeed,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    SearchHit,
    SearchProvider,
    State,
    Tab,
    TablePanel,
    detail_url,
    list_url,
    register_home,
    register_screen,
    register_search,
    state_of,
)
from dotmac.core.errors import Conflict
from dotmac.core.money import Money

PARKED_MAX = 1000


def payment_state(payment: Payment) -> State:
    """The badge with its why."""
    if payment.reversed_at is not None:
        return State(gettext_lazy("Undone"), "quiet", "receipt-refund").because(
            payment.reversal_reason
        )
    intent = getattr(payment, "intent", None)
    if intent is not None and intent.parked_for:
        return state_of("parked", why=ParkedFor(intent.parked_for).label)
    why = intent.message if intent is not None else ""
    return state_of(payment.state, why=why)


def _parked(rows: QuerySet[Payment], _value: str) -> QuerySet[Payment]:
    return rows.filter(pk__in=selectors.parked_payments().values("payment_id"))


def _with_intents(rows: list[Payment]) -> list[Payment]:
    """Each payment with what was asked of the gateway, in one statement."""
    intents = {
        intent.payment_id: intent
        for intent in CheckoutIntent.objects.filter(payment__in=rows)
    }
    for row in rows:
        row.intent = intents.get(row.pk)  # type: ignore[attr-defined]
    return rows


@register_screen
class PaymentList(ListScreen):
    slug = "payments"
    title = gettext_lazy("Payments")
    permission = "billing.view_payment"
    icon = "cash"
    menu = "money"
    menu_order = 20
    search_hint = gettext_lazy("Reference, ours or the gateway's")
    empty = gettext_lazy("No payment yet. Record one on the page of a customer.")
    columns = (
        Column(gettext_lazy("Payment"), "reference", "code"),
        Column(
            gettext_lazy("Customer"),
            "customer.name",
            to="customers",
            to_id="customer_id",
        ),
        Column(gettext_lazy("Amount"), "amount", "money"),
        Column(gettext_lazy("Method"), "get_method_display", phone=False),
        Column(gettext_lazy("State"), payment_state, "state"),
        Column(gettext_lazy("In credit"), "credit", "money", phone=False),
        Column(gettext_lazy("Received"), "received_date", "date"),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=PaymentState.choices
        ),
        ChoiceFilter(
            name="method", label=gettext_lazy("Method"), choices=PaymentMethod.choices
        ),
        ChoiceFilter(
            name="parked",
            label=gettext_lazy("Parked"),
            choices=[("yes", gettext_lazy("Parked only"))],
            apply=_parked,
        ),
        DateFilter(
            name="from", label=gettext_lazy("Received from"), field="received_date__gte"
        ),
        DateFilter(
            name="until",
            label=gettext_lazy("Received until"),
            field="received_date__lte",
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Payment]:
        return selectors.payments_visible_to(actor, permission)

    def search(self, rows: QuerySet[Payment], text: str) -> QuerySet[Payment]:
        return rows.filter(_found_by(text))

    def decorate(self, rows: list[Payment], page: Page) -> list[Payment]:
        return _with_intents(rows)


def _reverse(row: Payment, data: dict[str, Any], page: Page) -> str:
    operations.reverse_payment(
        payment_id=row.pk, reason=data["reason"], actor=page.actor, now=page.now
    )
    return _("%s is undone. Its invoices are open again.") % row.reference


def _ask_gateway(row: Payment, data: dict[str, Any], page: Page) -> str:
    if row.provider_ref is None:
        raise Conflict(_("No gateway knows this payment."))
    found = operations.confirm_checkout(reference=row.provider_ref, now=page.now)
    assert found is not None
    return _("The payment is: %s.") % found.get_state_display()


def _is_parked(row: Payment) -> bool:
    intent = selectors.intent_of(row.pk)
    return row.state == PaymentState.PENDING and bool(intent and intent.parked_for)


def _take(row: Payment, data: dict[str, Any], page: Page) -> Done:
    taken = operations.take_parked(payment_id=row.pk, actor=page.actor, now=page.now)
    words = _("%(amount)s taken as %(reference)s.") % {
        "amount": taken.amount,
        "reference": taken.reference,
    }
    return Done(words, detail_url("payments", taken.pk))


def _dismiss(row: Payment, data: dict[str, Any], page: Page) -> str:
    operations.dismiss_parked(
        payment_id=row.pk, reason=data["reason"], actor=page.actor, now=page.now
    )
    return _("Laid aside. Nothing was posted.")


@register_screen
class PaymentDetail(DetailScreen):
    slug = "payments"
    title = gettext_lazy("Payment")
    permission = "billing.view_payment"
    icon = "cash"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)
    actions = (
        Action(
            slug="reverse",
            label=gettext_lazy("Undo"),
            permission="billing.reverse_payment",
            icon="receipt-refund",
            tone="danger",
            form=ReasonForm,
            confirm=gettext_lazy(
                "For a mistake or a bounced cheque. The invoices it paid are open "
                "again, and the customer may be cut off."
            ),
            shown=lambda row: row.state == PaymentState.SUCCEEDED and not row.provider,
            run=_reverse,
        ),
        Action(
            slug="ask",
            label=gettext_lazy("Ask the gateway"),
            permission="billing.record_payment",
            icon="refresh",
            shown=lambda row: bool(row.provider) and row.state != "succeeded",
            run=_ask_gateway,
        ),
        Action(
            slug="take",
            label=gettext_lazy("Take what was charged"),
            permission="billing.record_payment",
            icon="cash",
            tone="primary",
            confirm=gettext_lazy(
                "The amount that the gateway charged becomes a payment of its own; "
                "the one that was asked for fails."
            ),
            shown=_is_parked,
            run=_take,
        ),
        Action(
            slug="dismiss",
            label=gettext_lazy("Lay aside"),
            permission="billing.reverse_payment",
            icon="archive",
            tone="danger",
            form=ReasonForm,
            confirm=gettext_lazy(
                "For money that was given back at the gateway. Nothing is posted."
            ),
            shown=_is_parked,
            run=_dismiss,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Payment]:
        return selectors.payments_visible_to(actor, permission)

    def heading(self, row: Payment) -> str:
        return row.reference

    def state(self, row: Payment, page: Page) -> State:
        return payment_state(_with_intents([row])[0])

    def facts(self, row: Payment, page: Page) -> Sequence[Fact]:
        customer = detail_url("customers", row.customer_id)
        return [
            Fact(_("Amount"), row.amount, "money"),
            Fact(_("Customer"), row.customer.name, url=customer),
            Fact(_("Method"), row.get_method_display()),
            Fact(_("Received"), row.received_date, "date"),
            Fact(_("In credit"), row.credit, "money"),
        ]

    def overview(self, row: Payment, page: Page) -> Sequence[Panel]:
        panels: list[Panel] = [
            TablePanel(
                title=_("What it pays"),
                columns=(
                    Column(
                        _("Invoice"),
                        "invoice",
                        "code",
                        to="invoices",
                        to_id="invoice_id",
                    ),
                    Column(_("Amount"), "amount", "money"),
                    Column(_("Since"), "allocated_at", "datetime"),
                ),
                rows=selectors.allocations_of([row.pk])[row.pk],
                empty=_("Nothing: it stays as the customer's credit."),
            ),
            FactsPanel(title=_("Details"), facts=_details(row), wide=False),
        ]
        return panels + (_gateway_panels(row) if row.provider else [])


def _details(row: Payment) -> list[Fact]:
    facts = [
        Fact(_("Recorded by"), row.recorded_by),
        Fact(_("Recorded at"), row.created_at, "datetime"),
        Fact(_("Note"), row.note),
    ]
    if row.invoice is not None:
        facts.insert(0, Fact(_("Named invoice"), str(row.invoice)))
    if row.reversed_at is not None:
        facts.append(Fact(_("Undone at"), row.reversed_at, "datetime"))
        facts.append(Fact(_("Why"), row.reversal_reason))
    return facts


def _gateway_panels(row: Payment) -> list[Panel]:
    intent = selectors.intent_of(row.pk)
    assert intent is not None
    facts = [
        Fact(_("Gateway"), row.get_provider_display()),
        Fact(_("Gateway's reference"), row.provider_ref, "code"),
        Fact(_("Last said"), intent.provider_status),
        Fact(_("In its words"), intent.message),
        Fact(_("Asked"), intent.checks, "number"),
        Fact(_("Asked next"), intent.next_check_at, "datetime"),
        Fact(_("Fee"), Money(row.fee_minor, row.currency), "money"),
    ]
    if intent.parked_for:
        facts.append(Fact(_("Parked because"), ParkedFor(intent.parked_for).label))
        facts.append(Fact(_("Charged, in minor units"), intent.charged_minor, "number"))
        facts.append(Fact(_("Charged in"), intent.charged_currency))
    return [
        FactsPanel(title=_("At the gateway"), facts=facts, wide=False),
        TablePanel(
            title=_("Messages of the gateway"),
            columns=(
                Column(_("When"), "received_at", "datetime"),
                Column(_("What"), "kind"),
                Column(_("Outcome"), "get_outcome_display"),
            ),
            rows=selectors.gateway_events_of(row.pk),
            empty=_("None came."),
        ),
    ]


def _found_by(text: str) -> Q:
    wanted = text.strip()
    return Q(reference=wanted.upper()) | Q(provider_ref=wanted)


def _find(text: str, actor: Actor, limit: int) -> list[SearchHit]:
    rows = selectors.payments_visible_to(actor, "billing.view_payment")
    return [
        SearchHit(
            title=row.reference,
            url=detail_url("payments", row.pk),
            detail=f"{row.amount} · {row.customer.name}",
            state=row.state,
            exact=True,
        )
        for row in rows.filter(_found_by(text)).order_by("-pk")[:limit]
    ]


register_search(
    SearchProvider(
        slug="payments",
        label=gettext_lazy("Payments"),
        permission="billing.view_payment",
        find=_find,
        icon="cash",
        order=40,
    )
)


def _needs(page: Page) -> Sequence[HomeNeed]:
    mine = selectors.payments_visible_to(page.actor, "billing.view_payment")
    return [
        HomeNeed(
            label=_("Payments that do not fit"),
            count=_parked(mine, "yes").order_by()[:PARKED_MAX].count(),
            url=list_url("payments", parked="yes"),
            detail=_("the gateway charged another amount than was asked"),
            icon="cash-banknote",
        )
    ]


register_home(
    HomeContribution(
        app="billing.cash", permission="billing.view_payment", needs=_needs
    )
)
