"""The form of a credit note: everything, an amount, or amounts by line."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import operations, selectors
from apps.billing.enums import InvoiceKind, InvoiceState
from apps.billing.models import Invoice
from dotmac.core.console import Action, ConsoleForm, Done, MoneyField, Page, detail_url
from dotmac.core.money import Money

LINES_MAX = 60
_FULL, _AMOUNT, _LINES = "full", "amount", "lines"


class CreditForm(ConsoleForm):
    """One way is chosen; the fields of the other ways stay empty."""

    way = forms.ChoiceField(
        label=gettext_lazy("What to credit"),
        choices=[
            (_FULL, gettext_lazy("Everything that is left")),
            (_AMOUNT, gettext_lazy("An amount, tax included")),
            (_LINES, gettext_lazy("Net amounts by line")),
        ],
        initial=_FULL,
    )
    amount = MoneyField(label=gettext_lazy("Amount, tax included"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("The customer reads it on the credit note."),
    )
    # What was credited when the form was shown: a second click writes nothing.
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def arrange(self) -> None:
        invoice: Invoice = self.row
        amount: Any = self.fields["amount"]
        amount.currency = invoice.currency
        amount.help_text = _("At most %s.") % invoice.money(
            invoice.total_minor - invoice.credited_minor
        )
        self.fields["seen"].initial = invoice.credited_minor
        lines, _taxes = selectors.creditable_rest(invoice.pk)
        names = {
            line.pk: str(line.description) for line in selectors.lines_of(invoice.pk)
        }
        for rest in lines[:LINES_MAX]:
            if rest.rest_minor == 0:
                continue
            self.fields[f"line_{rest.line_id}"] = MoneyField(
                label=names[rest.line_id],
                currency=invoice.currency,
                required=False,
                help_text=_("Net, at most %s.") % invoice.money(rest.rest_minor),
            )
        self.order_fields([*(n for n in self.fields if n != "reason"), "reason"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        way = data.get("way")
        if way == _AMOUNT and not data.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Write the amount to credit."))
        if way == _LINES and not self.amounts(data):
            self.add_error("way", _("Write an amount for at least one line."))
        return data

    def amounts(self, data: dict[str, Any]) -> dict[int, Money]:
        """The amounts that were written beside lines."""
        return {
            int(name.removeprefix("line_")): value
            for name, value in data.items()
            if name.startswith("line_") and value is not None
        }


def _credit(row: Invoice, data: dict[str, Any], page: Page) -> Done:
    way = data["way"]
    lines = {
        int(name.removeprefix("line_")): value
        for name, value in data.items()
        if name.startswith("line_") and value is not None
    }
    note = operations.issue_credit_note(
        invoice_id=row.pk,
        reason=data["reason"],
        full=way == _FULL,
        amount=data["amount"] if way == _AMOUNT else None,
        lines=lines if way == _LINES else None,
        if_credited=row.money(data["seen"]),
        actor=page.actor,
        now=page.now,
    )
    words = _("%(reference)s: %(amount)s credited.") % {
        "reference": note.reference,
        "amount": note.total,
    }
    return Done(words, detail_url("invoices", note.pk))


def _creditable(row: Invoice) -> bool:
    return (
        row.kind == InvoiceKind.INVOICE
        and row.state != InvoiceState.VOID
        and row.total_minor > row.credited_minor
    )


CREDIT_ACTION = Action(
    slug="credit",
    label=gettext_lazy("Credit note"),
    permission="billing.issue_credit_note",
    icon="receipt-refund",
    tone="danger",
    form=CreditForm,
    confirm=gettext_lazy(
        "A credit note cannot be taken back. What was paid becomes credit."
    ),
    shown=_creditable,
    run=_credit,
)
