"""The ledger and the tax rates on the console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import operations, selectors
from apps.billing.enums import Account
from apps.billing.models import LedgerEntry, TaxRate
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    ChoiceFilter,
    Column,
    ConsoleForm,
    DateField,
    DateFilter,
    Done,
    FormScreen,
    IdFilter,
    ListScreen,
    Page,
    list_url,
    register_screen,
)

ENTRY_COLUMNS = (
    Column(gettext_lazy("Date"), "transaction.occurred_date", "date"),
    Column(gettext_lazy("For"), selectors.source_text, to=selectors.source_url),
    Column(gettext_lazy("Account"), "account"),
    Column(
        gettext_lazy("Customer"), "customer.name", to="customers", to_id="customer_id"
    ),
    Column(gettext_lazy("Debit"), selectors.debit_of, "money"),
    Column(gettext_lazy("Credit"), selectors.credit_entry_of, "money"),
)


@register_screen
class LedgerList(ListScreen):
    slug = "ledger"
    title = gettext_lazy("Ledger")
    permission = "billing.view_ledger"
    icon = "book"
    menu = "money"
    menu_order = 50
    intro = gettext_lazy("Entries are never changed; a mistake is mended by another.")
    empty = gettext_lazy("Nothing was posted yet.")
    columns = ENTRY_COLUMNS
    filters = (
        ChoiceFilter(
            name="account",
            label=gettext_lazy("Account"),
            choices=Account.choices,
            field="account_id",
        ),
        DateFilter(
            name="from",
            label=gettext_lazy("From"),
            field="transaction__occurred_date__gte",
        ),
        DateFilter(
            name="until",
            label=gettext_lazy("Until"),
            field="transaction__occurred_date__lte",
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[LedgerEntry]:
        rows = selectors.ledger_entries_visible_to(actor, permission)
        return rows.select_related("transaction", "account", "customer")

    def decorate(self, rows: list[LedgerEntry], page: Page) -> list[LedgerEntry]:
        return selectors.name_sources(rows)

    def row_url(self, row: LedgerEntry) -> str:
        return selectors.source_url(row)


class TaxRateForm(ConsoleForm):
    slug = forms.SlugField(
        label=gettext_lazy("Tax class"),
        max_length=60,
        initial="standard",
        help_text=gettext_lazy("Plans name it; a new name makes a new class."),
    )
    label = forms.CharField(
        label=gettext_lazy("On the invoice"),
        max_length=40,
        help_text=gettext_lazy("For example: VAT."),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent"),
        min_value=0,
        max_value=100,
        max_digits=9,
        decimal_places=6,
    )
    valid_from = DateField(label=gettext_lazy("Valid from"))


@register_screen
class TaxRateList(ListScreen):
    slug = "tax-rates"
    title = gettext_lazy("Tax rates")
    permission = "billing.view_run"
    icon = "receipt-tax"
    menu = "money"
    menu_order = 60
    empty = gettext_lazy("No rate yet: nothing can be billed without one.")
    buttons = (
        Button(
            label=gettext_lazy("New rate"),
            url="/console/tax-rates/new",
            icon="plus",
            tone="primary",
            permission="billing.set_tax_rate",
        ),
    )
    columns = (
        Column(gettext_lazy("Tax class"), "tax_class.slug", "code"),
        Column(gettext_lazy("On the invoice"), "label"),
        Column(
            gettext_lazy("Percent"),
            lambda rate: f"{rate.percent.normalize():f} %",
            align="right",
        ),
        Column(gettext_lazy("From"), "valid_from", "date"),
        Column(gettext_lazy("Until"), "valid_to", "date"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[TaxRate]:
        return selectors.tax_rates()


@register_screen
class NewTaxRate(FormScreen):
    slug = "tax-rates/new"
    title = gettext_lazy("New tax rate")
    permission = "billing.set_tax_rate"
    icon = "receipt-tax"
    form = TaxRateForm
    intro = gettext_lazy("The standing rate of the class ends on that day.")

    def initial(self, page: Page) -> dict[str, Any]:
        return {"valid_from": page.today}

    def run(self, data: dict[str, Any], page: Page) -> Done:
        rate = operations.set_tax_rate(
            **data, name=data["label"], actor=page.actor, now=page.now
        )
        words = _("%(label)s is %(percent)s %% from %(day)s on.") % {
            "label": rate.label,
            "percent": f"{rate.percent.normalize():f}",
            "day": rate.valid_from,
        }
        return Done(words, list_url("tax-rates"))
