"""Recomputation after facts about money. All of it is harmless to repeat."""

from __future__ import annotations

from django.utils import timezone

from apps.billing import operations
from apps.billing.events import CreditNoteIssued, PaymentSettled
from dotmac.core.actors import system_actor
from dotmac.core.events import on

_ACTOR = system_actor("billing")


@on(PaymentSettled)
def confirm_payment(event: PaymentSettled) -> None:
    """The receipt, and the dunning review once more: settlement has done it, and
    here it is repeated in case services were out of reach then."""
    now = timezone.now()
    operations.send_receipt(payment_id=event.payment_id, now=now)
    if event.of_customer_id is not None:
        operations.review_customer(
            customer_id=event.of_customer_id, actor=_ACTOR, now=now
        )


@on(CreditNoteIssued)
def use_credit(event: CreditNoteIssued) -> None:
    """A credit note lowers debt and may free money: allocate, then judge anew."""
    if event.of_customer_id is None:
        return
    now = timezone.now()
    operations.allocate_credit(
        customer_ids=[event.of_customer_id], actor=_ACTOR, now=now
    )
    operations.review_customer(customer_id=event.of_customer_id, actor=_ACTOR, now=now)
