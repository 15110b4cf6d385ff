"""What bills add to the customer page: balance, invoices, next bill, ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import selectors
from apps.billing.console.invoices import invoice_state
from apps.billing.console.ledger import ENTRY_COLUMNS
from apps.billing.models import Invoice
from dotmac.core.console import (
    Column,
    Fact,
    FactsPanel,
    HubContribution,
    Page,
    Panel,
    Tab,
    TablePanel,
    Tile,
    list_url,
    register_hub,
)
from dotmac.core.money import Money

INVOICES_MAX = 12
OPEN_MAX = 5
ENTRIES_MAX = 50


def _tiles(customer_id: int, page: Page) -> Sequence[Tile]:
    if not page.may("billing.view_invoice"):
        return []
    balance = selectors.balance_of(customer_id)
    overdue = selectors.overdue_of(customer_id, day=page.today)
    tone = "bad" if overdue else ""
    return [
        Tile(
            label=_("Balance"),
            value=_balance_words(balance),
            tone=tone,
            why=_("%s is overdue.") % overdue if overdue else "",
            url=list_url("invoices", customer=customer_id),
            order=20,
        )
    ]


def _balance_words(balance: Money) -> str:
    if balance.amount_minor > 0:
        return _("%s owed") % balance
    if balance.amount_minor < 0:
        return _("%s in credit") % -balance
    return _("Nothing owed")


def _overview(customer_id: int, page: Page) -> Sequence[Panel]:
    if not page.may("billing.view_invoice"):
        return []
    rows = selectors.open_invoices_of(customer_id)[:OPEN_MAX]
    if not rows:
        return []
    return [_invoices_panel(_("To pay"), rows, page, customer_id)]


def _invoices_panel(
    title: str, rows: Sequence[Invoice], page: Page, customer_id: int
) -> Panel:
    return TablePanel(
        title=title,
        columns=(
            Column(_("Invoice"), "reference", "code", to="invoices"),
            Column(_("Total"), "total", "money"),
            Column(_("To pay"), "open_amount", "money"),
            Column(_("State"), lambda row: invoice_state(row, page.today), "state"),
            Column(_("Issued"), "issue_date", "date", phone=False),
            Column(_("Due"), "due_date", "date"),
        ),
        rows=rows,
        empty=_("No invoice yet."),
        more_url=list_url("invoices", customer=customer_id),
    )


def _tab(row: Any, page: Page) -> Sequence[Panel]:
    invoices = selectors.invoices_visible_to(page.actor).filter(customer_id=row.pk)
    latest = list(invoices.order_by("-pk")[:INVOICES_MAX])
    panels = [_invoices_panel(_("Invoices"), latest, page, row.pk)]
    panels += _next_bill(row.pk, page)
    return panels


def _next_bill(customer_id: int, page: Page) -> list[Panel]:
    preview = selectors.preview_invoice(customer_id=customer_id, day=page.today)
    if preview is None:
        return [FactsPanel(title=_("Next bill"), note=_("Nothing will be billed."))]
    bill = preview.bill

    def money(minor: int) -> Money:
        return Money(minor, bill.currency)

    dates = {
        "day": date_format(preview.day, "j M Y"),
        "due": date_format(preview.due_date, "j M Y"),
    }
    return [
        TablePanel(
            title=_("Next bill, as it stands now"),
            note=_("Issued on %(day)s, due on %(due)s.") % dates,
            columns=(
                Column(_("For"), "description", "long"),
                Column(_("Service"), "service_reference"),
                Column(_("From"), "start", "date"),
                Column(_("Days"), lambda line: f"{line.days}/{line.days_whole}"),
                Column(_("Net"), lambda line: money(line.amount_minor), "money"),
            ),
            rows=bill.lines,
            totals=(
                Fact(_("Tax"), money(bill.tax_minor), "money"),
                Fact(_("Total"), money(bill.total_minor), "money"),
            ),
        )
    ]


def _ledger_tab(row: Any, page: Page) -> Sequence[Panel]:
    entries = selectors.ledger_entries_visible_to(page.actor)
    rows = entries.filter(customer_id=row.pk).order_by("-pk")[:ENTRIES_MAX]
    return [
        TablePanel(
            title=_("Ledger of this customer"),
            columns=tuple(one for one in ENTRY_COLUMNS if one.to != "customers"),
            rows=selectors.name_sources(list(rows)),
            empty=_("Nothing was posted yet."),
            more_url=list_url("ledger", customer=row.pk),
            totals=(Fact(_("Balance"), _balance_words(selectors.balance_of(row.pk))),),
        )
    ]


register_hub(
    HubContribution(
        app="billing",
        order=30,
        tabs=(
            Tab(
                slug="billing",
                label=gettext_lazy("Billing"),
                build=_tab,
                permission="billing.view_invoice",
                order=30,
            ),
            Tab(
                slug="ledger",
                label=gettext_lazy("Ledger"),
                build=_ledger_tab,
                permission="billing.view_ledger",
                order=38,
            ),
        ),
        tiles=_tiles,
        overview=_overview,
    )
)
