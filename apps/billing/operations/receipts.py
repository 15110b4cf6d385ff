"""The receipt that a customer gets for a payment."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.billing.enums.payments import PaymentState
from apps.billing.models import Payment
from apps.billing.operations.letters import write_to
from apps.billing.selectors.payments import allocations_of


@transaction.atomic
def send_receipt(*, payment_id: int, now: datetime) -> bool:
    """Write to the payer what was received and what it paid.

    Sent once a payment, however often it is called. False when there is nothing
    to confirm (any more) or nowhere to write to.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != PaymentState.SUCCEEDED:
        return False

    return write_to(
        payment.customer_id,
        letter="receipt",
        facts={
            "payment": payment,
            "allocations": allocations_of([payment.pk])[payment.pk],
            "credit": payment.credit if payment.credit_minor else None,
        },
        unique_key=f"receipt:{payment.pk}",
        now=now,
    )
