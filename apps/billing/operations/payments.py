"""Payments recorded by hand, and what every received payment does to the books."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from apps.billing import events
from apps.billing.enums import Account, InvoiceKind, InvoiceState
from apps.billing.enums.payments import MANUAL_METHODS, PaymentMethod, PaymentState
from apps.billing.errors import payments as errors
from apps.billing.models import Invoice, LedgerTransaction, Payment
from apps.billing.operations.allocation import (
    allocate_credit,
    allocate_payment,
    release_payment,
)
from apps.billing.operations.dunning import review_customer
from apps.billing.operations.ledger import post, reverse
from apps.billing.operations.locks import lock_customer
from apps.billing.rules.ledger import payment_postings
from apps.billing.rules.payments import fee_postings
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids
from dotmac.core.money import Money

if TYPE_CHECKING:
    from apps.identity.models import Customer

# Ten thousand million in major units of a currency with two digits.
PAYMENT_MINOR_MAX = 10**12

_ACCOUNTS = {
    PaymentMethod.CASH: Account.CASH,
    PaymentMethod.PAYSTACK: Account.GATEWAY_CLEARING,
}


@transaction.atomic
def record_payment(
    *,
    customer_id: int,
    amount: Money,
    method: str,
    invoice_id: int | None = None,
    received_date: date | None = None,
    note: str = "",
    actor: Actor,
    now: datetime,
) -> Payment:
    """Take in money that arrived outside a gateway: cash, transfer, terminal, cheque.

    It pays the named invoice first, then the oldest; the rest stays as credit.
    A closed customer may pay old debts. Each call is a payment of its own: the
    edge makes repeats harmless by the Idempotency-Key.
    """
    customer = lock_customer(customer_id)
    today = ops_selectors.business_date(now=now)
    refuse_amount(customer, amount)
    actor.weigh("billing.record_payment", amount)
    if method not in MANUAL_METHODS:
        raise errors.UnknownMethod(field="method")
    if received_date is not None and received_date > today:
        raise errors.ReceivedAhead(field="received_date")
    invoice = payable_invoice(customer, invoice_id)

    payment = Payment.objects.create(
        **identity_of_new(),
        customer_id=customer.pk,
        invoice=invoice,
        method=method,
        state=PaymentState.SUCCEEDED,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        received_date=received_date or today,
        settled_at=now,
        note=note.strip(),
        recorded_by=actor.label[:150],
        created_at=now,
        updated_at=now,
    )
    take_in(payment, actor=actor, now=now)
    return payment


@transaction.atomic
def reverse_payment(
    *, payment_id: int, reason: str, actor: Actor, now: datetime
) -> Payment:
    """Undo a payment that was recorded by mistake, or whose cheque bounced.

    Its invoices are open again, the ledger gets the mirrored postings, and the
    customer's dunning is judged anew. Repeating it changes nothing.
    """
    payment = locked_payment(payment_id)
    if payment.reversed_at is not None:
        return payment
    if payment.provider or payment.state != PaymentState.SUCCEEDED:
        raise errors.PaymentNotReversible
    if not reason.strip():
        raise errors.ReasonNeeded(field="reason")
    actor.weigh("billing.reverse_payment", payment.amount)

    release_payment(payment, now=now)
    payment.state, payment.reversed_at = PaymentState.FAILED, now
    payment.reversal_reason = reason.strip()[:200]
    payment.store("state", "reversed_at", "reversal_reason", now=now)
    posted = LedgerTransaction.objects.get(source_kind="payment", source_id=payment.pk)
    reverse(
        transaction_id=posted.pk,
        source_kind="payment_reversal",
        source_id=payment.pk,
        occurred_date=ops_selectors.business_date(now=now),
        description=payment.reference,
        now=now,
    )
    fact = events.PaymentReversed(
        occurred_at=now, why=payment.reversal_reason, **about(payment)
    )
    ops.emit(fact, actor=actor)
    allocate_credit(customer_ids=[payment.customer_id], actor=actor, now=now)
    review_customer(customer_id=payment.customer_id, actor=actor, now=now)
    return payment


def take_in(payment: Payment, *, actor: Actor, now: datetime) -> None:
    """What a payment that just succeeded does: books, invoices, dunning, event.

    Part of an operation that holds the customer and the payment.
    """
    assert payment.state == PaymentState.SUCCEEDED
    assert payment.received_date is not None
    post(
        source_kind="payment",
        source_id=payment.pk,
        postings=payment_postings(
            customer_id=payment.customer_id,
            account=_ACCOUNTS.get(PaymentMethod(payment.method), Account.BANK),
            amount_minor=payment.amount_minor,
            currency=payment.currency,
        ),
        occurred_date=payment.received_date,
        description=payment.reference,
        now=now,
    )
    if payment.fee_minor:
        post(
            source_kind="payment_fee",
            source_id=payment.pk,
            postings=fee_postings(
                amount_minor=payment.fee_minor, currency=payment.currency
            ),
            occurred_date=payment.received_date,
            description=payment.reference,
            now=now,
        )
    allocate_payment(payment, now=now)
    ops.emit(events.PaymentSettled(occurred_at=now, **about(payment)), actor=actor)
    review_customer(customer_id=payment.customer_id, actor=actor, now=now)


def refuse_amount(customer: Customer, amount: Money) -> None:
    """Raise unless the amount may be paid by this customer."""
    if amount.currency != customer.currency:
        raise errors.OtherCurrency(field="amount.currency", currency=customer.currency)
    if amount.amount_minor <= 0:
        raise errors.AmountNotPositive(field="amount.amount")
    if amount.amount_minor > PAYMENT_MINOR_MAX:
        most = Money(PAYMENT_MINOR_MAX, amount.currency)
        raise errors.AmountTooLarge(field="amount.amount", maximum=most.plain())


def payable_invoice(customer: Customer, invoice_id: int | None) -> Invoice | None:
    """The named invoice; raises UnknownInvoice, InvoiceNotPayable."""
    if invoice_id is None:
        return None
    invoice = Invoice.objects.filter(
        pk=invoice_id, customer_id=customer.pk, kind=InvoiceKind.INVOICE
    ).first()
    if invoice is None:
        raise errors.UnknownInvoice(field="invoice")
    if invoice.state in {InvoiceState.DRAFT, InvoiceState.VOID}:
        raise errors.InvoiceNotPayable(field="invoice", state=invoice.state)
    return invoice


def locked_payment(payment_id: int) -> Payment:
    """The payment, its customer held first; raises UnknownPayment."""
    owner = Payment.objects.filter(pk=payment_id).values_list("customer_id", flat=True)
    if not owner:
        raise errors.UnknownPayment
    lock_customer(owner[0])
    return Payment.objects.locked().get(pk=payment_id)


def identity_of_new() -> dict[str, object]:
    """Key and reference of a payment to be written."""
    (number,) = next_ids(Payment)
    return {"id": number, "reference": f"PAY-{number:06d}"}


def about(payment: Payment) -> events.AboutPayment:
    """The fields that every payment event has."""
    return {
        "payment_id": payment.pk,
        "reference": payment.reference,
        "method": payment.method,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "of_customer_id": payment.customer_id,
    }
