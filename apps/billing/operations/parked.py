"""Money that a gateway charged and that fits no payment: people decide."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.billing import events
from apps.billing.enums.payments import PaymentState
from apps.billing.errors import payments as errors
from apps.billing.models import CheckoutIntent, Payment
from apps.billing.operations.payments import (
    about,
    identity_of_new,
    locked_payment,
    refuse_amount,
    take_in,
)
from apps.identity import selectors as identity
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor
from dotmac.core.money import Money


@transaction.atomic
def take_parked(*, payment_id: int, actor: Actor, now: datetime) -> Payment:
    """Take what was charged for what it is: a payment of that amount.

    The payment that was asked for fails, another with the charged amount
    succeeds in its place. Repeating it returns the latter. Refused when nothing
    is parked, or when the currency is not the customer's.
    """
    asked = locked_payment(payment_id)
    twin_ref = f"{asked.provider_ref}.taken"
    twin = Payment.objects.filter(
        provider=asked.provider, provider_ref=twin_ref
    ).first()
    if twin is not None:
        return twin
    intent = _parked_intent(asked)
    assert intent.charged_minor is not None
    charged = Money(intent.charged_minor, intent.charged_currency)
    refuse_amount(identity.customer_of(asked.customer_id), charged)
    actor.weigh("billing.record_payment", charged)

    note = f"{asked.amount} was asked ({asked.reference})"
    _fail(asked, note, actor=actor, now=now)
    twin = Payment.objects.create(
        **identity_of_new(),
        customer_id=asked.customer_id,
        invoice_id=asked.invoice_id,
        method=asked.method,
        state=PaymentState.SUCCEEDED,
        currency=charged.currency,
        amount_minor=charged.amount_minor,
        provider=asked.provider,
        provider_ref=twin_ref,
        received_date=ops_selectors.business_date(now=now),
        settled_at=now,
        note=note,
        recorded_by=actor.label[:150],
        created_at=now,
        updated_at=now,
    )
    CheckoutIntent.objects.create(
        payment=twin,
        expires_at=now,
        provider_status=intent.provider_status,
        charged_minor=intent.charged_minor,
        charged_currency=intent.charged_currency,
        created_at=now,
        updated_at=now,
    )
    take_in(twin, actor=actor, now=now)
    return twin


@transaction.atomic
def dismiss_parked(
    *, payment_id: int, reason: str, actor: Actor, now: datetime
) -> Payment:
    """Lay parked money aside, because it was given back at the gateway, say.

    Nothing is posted; the payment fails with the reason. Repeatable.
    """
    payment = locked_payment(payment_id)
    if payment.state == PaymentState.FAILED:
        return payment
    _parked_intent(payment)
    if not reason.strip():
        raise errors.ReasonNeeded(field="reason")
    actor.weigh("billing.reverse_payment", payment.amount)

    _fail(payment, reason.strip(), actor=actor, now=now)
    return payment


def _parked_intent(payment: Payment) -> CheckoutIntent:
    intent = CheckoutIntent.objects.select_for_update(no_key=True).filter(
        payment=payment
    )
    found = intent.exclude(parked_for="").first()
    if found is None or payment.state != PaymentState.PENDING:
        raise errors.PaymentNotParked
    return found


def _fail(payment: Payment, why: str, *, actor: Actor, now: datetime) -> None:
    payment.state, payment.note = PaymentState.FAILED, why[:200]
    payment.store("state", "note", now=now)
    fact = events.PaymentFailed(occurred_at=now, why=payment.note, **about(payment))
    ops.emit(fact, actor=actor)
