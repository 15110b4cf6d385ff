"""What staff type about payments and promises; the operations judge it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.billing import selectors
from apps.billing.enums import MANUAL_METHODS
from apps.billing.models import Invoice
from dotmac.core.console import ConsoleForm, DateField, MoneyField

INVOICES_MAX = 50
NOTHING_NAMED = ("", _("The oldest first"))


class MoneyReceivedForm(ConsoleForm):
    """A payment of the customer at hand (`self.row`)."""

    amount = MoneyField(label=_("Amount"))
    method = forms.ChoiceField(
        label=_("Method"),
        choices=[(method.value, method.label) for method in MANUAL_METHODS],
    )
    received_date = DateField(label=_("Received on"))
    invoice_id = forms.TypedChoiceField(
        label=_("For invoice"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("It is paid first, then the oldest; the rest stays as credit."),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        help_text=_("Teller, cheque number, transfer reference."),
    )

    def arrange(self) -> None:
        self.fields["received_date"].initial = self.page.today
        self._offer(self.row)

    def _offer(self, customer: Any) -> None:
        amount: Any = self.fields["amount"]
        amount.currency = customer.currency
        amount.label = _("Amount in %s") % customer.currency
        rows = Invoice.objects.open().filter(customer_id=customer.pk)
        invoice: Any = self.fields["invoice_id"]
        invoice.choices = [NOTHING_NAMED] + [
            (row.pk, f"{row.reference} · {row.open_amount}")
            for row in rows.order_by("due_date", "pk")[:INVOICES_MAX]
        ]
        standing = selectors.standing_of(customer.pk, day=self.page.today)
        amount.initial = standing.owed.plain() if standing.owed else None


class ReasonForm(ConsoleForm):
    """Why a payment is undone."""

    reason = forms.CharField(
        label=_("Why"), max_length=200, help_text=_("The customer may read it.")
    )


class PromiseForm(ConsoleForm):
    """Until when the customer says it will pay."""

    promised_date = DateField(label=_("Pays until"))
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("Who said so.")
    )
