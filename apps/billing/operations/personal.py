"""Billing's part in forgetting a person: words go, figures stay."""

from __future__ import annotations

from datetime import datetime

from apps.billing.models import CheckoutIntent, Payment, PromiseToPay
from dotmac.core.actors import Actor


def erase_words(customer_id: int, actor: Actor, now: datetime) -> None:
    """Empty what people wrote about payments and promises.

    Invoices with their buyer, payments, ledger and dunning stay: the law wants them
    for years, and they are what a claim of either side rests on.
    """
    mine = {"customer_id": customer_id}
    payments = Payment.objects.filter(**mine)
    payments.exclude(note="", reversal_reason="").update(note="", reversal_reason="")
    PromiseToPay.objects.filter(**mine).exclude(note="").update(note="")
    checkouts = CheckoutIntent.objects.filter(payment__customer_id=customer_id)
    checkouts.exclude(page_url="", message="").update(page_url="", message="")
