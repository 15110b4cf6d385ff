"""Invoices and credit notes on the console: the list, one document, the search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.billing import selectors
from apps.billing.console.credit_form import CREDIT_ACTION
from apps.billing.enums import InvoiceKind, InvoiceState
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    ChoiceFilter,
    Column,
    DateFilter,
    DetailScreen,
    Fact,
    FactsPanel,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    SearchHit,
    SearchProvider,
    State,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    register_screen,
    register_search,
    state_of,
)
from dotmac.core.money import Money

NUMBER_DIGITS_MAX = 12
_STATES = [(s.value, s.label) for s in InvoiceState if s != InvoiceState.DRAFT]


def invoice_state(invoice: Invoice, today: date) -> State:
    """The badge with its why: overdue is derived, a credit note is settled."""
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        why = _("It was set off against its invoice when it was issued.")
        return State(gettext_lazy("Settled"), "quiet", "receipt-refund").because(why)
    if invoice.state == InvoiceState.OPEN and invoice.due_date < today:
        days = (today - invoice.due_date).days
        why = ngettext(
            "%(amount)s was due %(days)s day ago.",
            "%(amount)s was due %(days)s days ago.",
            days,
        ) % {"amount": invoice.open_amount, "days": days}
        return state_of("overdue", why=why)
    if invoice.state == InvoiceState.OPEN:
        why = _("%(amount)s is due on %(day)s.") % {
            "amount": invoice.open_amount,
            "day": date_format(invoice.due_date, "j M Y"),
        }
        return state_of("open", why=why)
    whys = {
        InvoiceState.PAID: _("Payments and credits cover it."),
        InvoiceState.VOID: _("Credited in full."),
        InvoiceState.UNCOLLECTIBLE: _("Given up, but it may still be paid."),
    }
    return state_of(invoice.state, why=whys[InvoiceState(invoice.state)])


def _overdue(rows: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
    return rows.filter(
        state=InvoiceState.OPEN, kind=InvoiceKind.INVOICE, due_date__lt=text
    )


@register_screen
class InvoiceList(ListScreen):
    slug = "invoices"
    title = gettext_lazy("Invoices")
    permission = "billing.view_invoice"
    icon = "file-invoice"
    menu = "money"
    menu_order = 10
    search_hint = gettext_lazy("Reference or number")
    empty = gettext_lazy("No invoice yet. A bill run writes them.")
    columns = (
        Column(gettext_lazy("Invoice"), "reference", "code"),
        Column(
            gettext_lazy("Customer"), "buyer.name", to="customers", to_id="customer_id"
        ),
        Column(gettext_lazy("Kind"), "get_kind_display", phone=False),
        Column(gettext_lazy("Total"), "total", "money"),
        Column(gettext_lazy("To pay"), "open_amount", "money"),
        Column(gettext_lazy("State"), lambda row: row.shown_state, "state"),
        Column(gettext_lazy("Issued"), "issue_date", "date", phone=False),
        Column(gettext_lazy("Due"), "due_date", "date"),
    )
    filters = (
        ChoiceFilter(name="state", label=gettext_lazy("State"), choices=_STATES),
        ChoiceFilter(
            name="kind", label=gettext_lazy("Kind"), choices=InvoiceKind.choices
        ),
        DateFilter(name="overdue", label=gettext_lazy("Overdue on"), apply=_overdue),
        DateFilter(
            name="from", label=gettext_lazy("Issued from"), field="issue_date__gte"
        ),
        DateFilter(
            name="until", label=gettext_lazy("Issued until"), field="issue_date__lte"
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
        IdFilter(name="run", label=gettext_lazy("Bill run"), field="run_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Invoice]:
        return selectors.invoices_visible_to(actor, permission)

    def search(self, rows: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
        return rows.filter(reference__in=_references(text))

    def decorate(self, rows: list[Invoice], page: Page) -> list[Invoice]:
        for row in rows:
            row.shown_state = invoice_state(row, page.today)  # type: ignore[attr-defined]
        return rows


def _references(text: str) -> list[str]:
    """What may be meant: a whole reference, or the bare number of recent years."""
    text = text.strip().upper()
    if not text.isdecimal() or len(text) > NUMBER_DIGITS_MAX:
        return [text]
    return selectors.references_with_number(int(text))


@register_screen
class InvoiceDetail(DetailScreen):
    slug = "invoices"
    title = gettext_lazy("Invoice")
    permission = "billing.view_invoice"
    icon = "file-invoice"
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),
        Tab(
            slug="ledger",
            label=gettext_lazy("Ledger"),
            build="ledger",
            permission="billing.view_ledger",
        ),
    )
    actions = (CREDIT_ACTION,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Invoice]:
        rows = selectors.invoices_visible_to(actor, permission)
        return rows.select_related("customer", "seller", "credits_invoice", "run")

    def heading(self, row: Invoice) -> str:
        return f"{row.get_kind_display()} {row.reference}"

    def subheading(self, row: Invoice, page: Page) -> str:
        return row.note

    def state(self, row: Invoice, page: Page) -> State:
        return invoice_state(row, page.today)

    def facts(self, row: Invoice, page: Page) -> Sequence[Fact]:
        url = detail_url("customers", row.customer_id)
        facts = [
            Fact(_("Customer"), str(row.buyer["name"]), url=url),
            Fact(_("Issued"), row.issue_date, "date"),
            Fact(_("Due"), row.due_date, "date"),
        ]
        original = row.credits_invoice
        if original is not None:
            facts[2] = Fact(
                _("Credits"),
                str(original.reference),
                "code",
                url=detail_url("invoices", original.pk),
            )
        return facts

    def tiles(self, row: Invoice, page: Page) -> Sequence[Tile]:
        tiles = [Tile(label=_("Total"), value=row.total, kind="money")]
        if row.kind == InvoiceKind.INVOICE:
            tiles += [
                Tile(
                    label=_("Paid"), value=row.money(row.allocated_minor), kind="money"
                ),
                Tile(
                    label=_("Credited"),
                    value=row.money(row.credited_minor),
                    kind="money",
                ),
                Tile(label=_("To pay"), value=row.open_amount, kind="money"),
            ]
        return tiles

    def links(self, row: Invoice, page: Page) -> Sequence[Button]:
        url = f"{detail_url('invoices', row.pk)}/document.pdf"
        return [Button(label=_("PDF"), url=url, icon="file-text")]

    def overview(self, row: Invoice, page: Page) -> Sequence[Panel]:
        panels: list[Panel] = [_lines_panel(row), _taxes_panel(row)]
        if row.kind == InvoiceKind.INVOICE:
            panels += [_payments_panel(row), _notes_panel(row)]
        panels += [_party_panel(_("Buyer, as of issue"), row.buyer)]
        panels += [_party_panel(_("Seller, as of issue"), row.seller.details)]
        return panels

    def ledger(self, row: Invoice, page: Page) -> Sequence[Panel]:
        rows = selectors.entries_of_source(kind=row.kind, source_id=row.pk)
        return [
            TablePanel(
                title=_("What it wrote into the ledger"),
                columns=(
                    Column(_("Date"), "transaction.occurred_date", "date"),
                    Column(_("Account"), "account"),
                    Column(_("Debit"), selectors.debit_of, "money"),
                    Column(_("Credit"), selectors.credit_entry_of, "money"),
                ),
                rows=rows,
                empty=_("An invoice of zero writes nothing."),
            )
        ]


def _lines_panel(row: Invoice) -> Panel:
    def amount(line: InvoiceLine) -> Money:
        return row.money(line.amount_minor)

    def why(line: InvoiceLine) -> str:
        return selectors.why_of(line, currency=row.currency).text

    return TablePanel(
        title=_("Lines"),
        columns=(
            Column(_("For"), "description", "long"),
            Column(
                _("Service"),
                "service_reference",
                "code",
                to="services",
                to_id="service_id",
            ),
            Column(_("From"), "period_start", "date"),
            Column(_("Why this amount"), why, "long"),
            Column(_("Net"), amount, "money"),
        ),
        rows=selectors.lines_of(row.pk),
        totals=(
            Fact(_("Net"), row.money(row.subtotal_minor), "money"),
            Fact(_("Tax"), row.money(row.tax_minor), "money"),
            Fact(_("Total"), row.total, "money"),
        ),
    )


def _taxes_panel(row: Invoice) -> Panel:
    def base(tax: InvoiceTax) -> Money:
        return row.money(tax.base_minor)

    def amount(tax: InvoiceTax) -> Money:
        return row.money(tax.amount_minor)

    return TablePanel(
        title=_("Taxes"),
        wide=False,
        columns=(
            Column(_("Tax"), "label"),
            Column(_("Percent"), lambda tax: f"{tax.percent.normalize():f} %"),
            Column(_("On"), base, "money"),
            Column(_("Amount"), amount, "money"),
        ),
        rows=selectors.taxes_of(row.pk),
    )


def _payments_panel(row: Invoice) -> Panel:
    return TablePanel(
        title=_("Paid by"),
        permission="billing.view_payment",
        wide=False,
        columns=(
            Column(
                _("Payment"),
                "payment.reference",
                "code",
                to="payments",
                to_id="payment_id",
            ),
            Column(_("Amount"), lambda part: row.money(part.amount_minor), "money"),
            Column(_("On"), "allocated_at", "datetime"),
        ),
        rows=selectors.payments_of_invoice(row.pk),
        empty=_("Nothing was paid yet."),
    )


def _notes_panel(row: Invoice) -> Panel:
    return TablePanel(
        title=_("Credit notes"),
        columns=(
            Column(_("Credit note"), "reference", "code", to="invoices"),
            Column(_("Reason"), "note", "long"),
            Column(_("Issued"), "issue_date", "date"),
            Column(_("Total"), "total", "money"),
        ),
        rows=selectors.credit_notes_of(row.pk),
        empty=_("Nothing was credited."),
    )


def _party_panel(title: str, details: dict[str, Any]) -> Panel:
    lines = ", ".join(str(line) for line in details.get("address_lines", ()))
    facts = [Fact(_("Name"), details.get("name")), Fact(_("Address"), lines)]
    if details.get("tax_number"):
        facts.append(Fact(_("Tax number"), details["tax_number"]))
    return FactsPanel(title=title, wide=False, facts=facts)


def _find(text: str, actor: Actor, limit: int) -> Sequence[SearchHit]:
    rows = selectors.invoices_visible_to(actor).filter(reference__in=_references(text))
    return [
        SearchHit(
            title=str(row.reference),
            url=detail_url("invoices", row.pk),
            detail=f"{row.buyer['name']}, {row.total}",
            state=row.state,
            exact=row.reference == text.strip().upper(),
        )
        for row in rows.order_by("-pk")[:limit]
    ]


register_search(
    SearchProvider(
        slug="invoices",
        label=gettext_lazy("Invoices"),
        permission="billing.view_invoice",
        find=_find,
        icon="file-invoice",
        order=30,
    )
)
