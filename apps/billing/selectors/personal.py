"""What billing holds about a customer, and when it speaks against forgetting."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.utils.translation import gettext as _

from apps.billing.enums.payments import PaymentState
from apps.billing.models import (
    CheckoutIntent,
    CustomerBalance,
    DunningAction,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Payment,
    PromiseToPay,
)
from dotmac.core.money import Money
from dotmac.core.personal import Held, rows_of


def open_money(customer_id: int) -> list[str]:
    """Sentences about money that is owed, held, or on its way.

    They speak against forgetting the customer, and against merging it.
    """
    sentences = []
    balances = CustomerBalance.objects.filter(customer_id=customer_id)
    for row in balances.exclude(balance_minor=0).order_by("currency"):
        amount = Money(abs(row.balance_minor), row.currency)
        owes = row.balance_minor > 0
        says = _("%s is owed.") if owes else _("%s of credit has to be paid out.")
        sentences.append(says % amount)
    payments = Payment.objects.filter(customer_id=customer_id)
    if payments.filter(state=PaymentState.PENDING).exists():
        sentences.append(_("A payment is on its way."))
    return sentences


def held_of(customer_id: int) -> Iterable[Held]:
    """Documents with their lines, payments, ledger, reminders and promises."""
    mine = {"customer_id": customer_id}
    documents = Invoice.objects.filter(**mine)
    yield Held("billing.invoices", rows_of(
        documents, "reference", "kind", "state", "issue_date", "due_date", "currency",
        "subtotal_minor", "tax_minor", "total_minor", "allocated_minor",
        "credited_minor", "buyer", "note",
    ))  # fmt: skip
    yield Held("billing.invoice_lines", rows_of(
        InvoiceLine.objects.filter(invoice__in=documents), "number", "description",
        "period_start", "period_end", "unit_price", "amount_minor", "tax_percent",
        reference=F("invoice__reference"),
    ))  # fmt: skip
    yield Held("billing.payments", rows_of(
        Payment.objects.filter(**mine), "reference", "method", "state", "currency",
        "amount_minor", "received_date", "settled_at", "note", "provider",
        "provider_ref",
    ))  # fmt: skip
    yield Held("billing.checkouts", rows_of(
        CheckoutIntent.objects.filter(payment__customer_id=customer_id), "page_url",
        "opened_at", "expires_at", "provider_status", "message", "charged_minor",
        "charged_currency", reference=F("payment__reference"),
    ))  # fmt: skip
    yield Held("billing.ledger", rows_of(
        LedgerEntry.objects.filter(**mine), "amount_minor", "currency",
        account_name=F("account__name"), date=F("transaction__occurred_date"),
        description=F("transaction__description"),
    ))  # fmt: skip
    yield Held("billing.reminders", rows_of(
        DunningAction.objects.filter(**mine), "day", "due_date", "overdue_minor",
        "currency", "outcome", "cuts_off", reference=F("invoice__reference"),
    ))  # fmt: skip
    yield Held("billing.promises", rows_of(
        PromiseToPay.objects.filter(**mine), "promised_date", "note", "made_at",
        "withdrawn_at",
    ))  # fmt: skip
