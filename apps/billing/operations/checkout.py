"""Paying at a gateway: ask, send the customer there, and find out what happened.

The intent is a row before anything is asked outside, under a reference of our
own, so nothing that happens at the gateway is ever without its row here. A
time-out means that we do not know. Whoever learns the answer first (the
customer's return, the webhook, the sweep) settles; the others find it settled.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from apps.billing import events
from apps.billing.enums.payments import (
    NoticeOutcome,
    ParkedFor,
    PaymentMethod,
    PaymentState,
    Provider,
)
from apps.billing.errors import payments as errors
from apps.billing.gateways import paystack
from apps.billing.gateways.answers import (
    Charge,
    ChargeState,
    GatewayNotConfigured,
    GatewayRefused,
    NoticeRefused,
)
from apps.billing.models import CheckoutIntent, GatewayEvent, Invoice, Payment
from apps.billing.operations.locks import lock_customer
from apps.billing.operations.payments import (
    about,
    identity_of_new,
    locked_payment,
    payable_invoice,
    refuse_amount,
    take_in,
)
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor, system_actor
from dotmac.core.db import refusing
from dotmac.core.http import OutsideUnreachable
from dotmac.core.money import Money

if TYPE_CHECKING:
    from apps.identity.models import Customer

log = logging.getLogger(__name__)

INTENT_LIFE = timedelta(hours=24)
PENDING_MAX = 20
CHECKS_AFTER_S = (60, 60, 120, 300, 600, 1800, 3600)
SWEEP_MAX = 100
_KEY = re.compile(r"[0-9a-f]{32}")
_GATEWAY = system_actor("payment gateway")


@transaction.atomic
def start_checkout(
    *,
    customer_id: int,
    amount: Money,
    key: str,
    invoice_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Payment:
    """Store the intent to pay at the gateway; nothing is asked outside yet.

    `key` is 32 hex digits made when the form was shown: sending the form twice
    gives the same payment.
    """
    assert _KEY.fullmatch(key)
    customer = lock_customer(customer_id)
    reference = f"DM-{key}"
    started = Payment.objects.filter(
        provider=Provider.PAYSTACK, provider_ref=reference
    ).first()
    if started is not None:
        return _same_or_refuse(started, customer_id, amount, invoice_id)
    invoice = _wish(customer, amount, invoice_id)
    actor.weigh("billing.start_checkout", amount)

    payment = _pending(customer, amount, reference, invoice, actor=actor, now=now)
    CheckoutIntent.objects.create(
        payment=payment,
        expires_at=now + INTENT_LIFE,
        next_check_at=now + timedelta(seconds=CHECKS_AFTER_S[0]),
        created_at=now,
        updated_at=now,
    )
    ops.emit(events.CheckoutStarted(occurred_at=now, **about(payment)), actor=actor)
    return payment


def open_checkout(
    *, payment_id: int, email: str, return_url: str, now: datetime
) -> CheckoutIntent:
    """Ask the gateway for its page, outside any transaction, and keep the address.

    Asked once: a repeat returns the page, or raises CheckoutOpening while the
    first call is under way. Raises GatewaySilent (nobody was charged: the
    customer has not seen a page) and CheckoutRefused. After either the customer
    starts anew, under another reference.
    """
    payment = Payment.objects.get(pk=payment_id)
    assert payment.provider_ref is not None
    asked = CheckoutIntent.objects.filter(payment=payment, opened_at=None).update(
        opened_at=now, updated_at=now
    )
    if not asked:
        return _opened_before(payment)
    try:
        page = paystack.open_page(
            email=email,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            reference=payment.provider_ref,
            return_url=return_url,
        )
    except (OutsideUnreachable, GatewayNotConfigured) as error:
        log.warning("gateway_silent", extra={"payment": payment.reference})
        raise errors.GatewaySilent from error
    except GatewayRefused as refusal:
        _give_up(payment_id=payment_id, message=str(refusal), now=now)
        raise errors.CheckoutRefused(answer=str(refusal)) from refusal

    return _store_page(payment_id=payment_id, url=page.url, now=now)


def confirm_checkout(*, reference: str, now: datetime) -> Payment | None:
    """Ask the gateway what became of our reference, and settle by its answer.

    For the customer's return: the query string is never believed. None for a
    reference that is not ours. The gateway's silence leaves the payment as it is.
    """
    payment = Payment.objects.filter(
        provider=Provider.PAYSTACK, provider_ref=reference
    ).first()
    if payment is None or payment.state == PaymentState.SUCCEEDED:
        return payment
    try:
        charge = paystack.find_charge(reference)
    except (OutsideUnreachable, GatewayNotConfigured):
        log.warning("gateway_silent", extra={"payment": payment.reference})
        return payment
    settle_payment(payment_id=payment.pk, charge=charge, now=now)
    return Payment.objects.get(pk=payment.pk)


def accept_webhook(
    *, provider: str, body: bytes, signature: str, now: datetime
) -> GatewayEvent:
    """Take a message that the gateway sent by itself.

    A wrong signature raises WebhookRefused and leaves no trace in the tables. A
    genuine message is kept once; sent again, it changes nothing. Money for an
    unknown reference is recorded as such.
    """
    assert provider == Provider.PAYSTACK
    try:
        notice = paystack.read_notice(body, signature)
    except (NoticeRefused, GatewayNotConfigured) as refusal:
        log.warning("webhook_refused", extra={"provider": provider})
        raise errors.WebhookRefused from refusal
    charge = notice.charge if notice.kind == "charge.success" else None
    return _take_notice(notice.event_id, notice.kind, charge, now)


def verify_pending_payments(*, now: datetime, limit: int = SWEEP_MAX) -> int:
    """Ask about payments whose answer is due; returns how many were asked.

    This is what settles when webhooks are off and the customer never returns.
    Each row is claimed by moving its next check on, so two sweeps share work.
    """
    due = CheckoutIntent.objects.filter(next_check_at__lte=now)
    rows = due.order_by("next_check_at", "pk").select_related("payment")
    asked = 0
    for intent in rows[: min(limit, SWEEP_MAX)]:
        later = now + timedelta(seconds=_wait_s(intent.checks))
        claimed = CheckoutIntent.objects.filter(
            pk=intent.pk, next_check_at=intent.next_check_at
        ).update(next_check_at=later, checks=intent.checks + 1, updated_at=now)
        if claimed and intent.payment.provider_ref is not None:
            confirm_checkout(reference=intent.payment.provider_ref, now=now)
            asked += 1
    return asked


@transaction.atomic
def settle_payment(*, payment_id: int, charge: Charge, now: datetime) -> NoticeOutcome:
    """Do what the gateway's answer means. Settles exactly once, whoever calls.

    Another amount or currency than asked is parked with its reason, for people.
    A charge that failed may still succeed on the same page, so a failed payment
    may be settled later; one that nobody finished fails when its time is over.
    """
    payment = locked_payment(payment_id)
    intent = CheckoutIntent.objects.select_for_update(no_key=True).get(payment=payment)
    assert charge.reference == payment.provider_ref
    if payment.state == PaymentState.SUCCEEDED:
        return NoticeOutcome.ALREADY
    if intent.parked_for:
        return NoticeOutcome.PARKED

    intent.provider_status, intent.message = charge.provider_status, charge.message
    if charge.state == ChargeState.SUCCEEDED:
        return _succeed_or_park(payment, intent, charge, now)
    over = now >= intent.expires_at
    if over:
        intent.next_check_at = None
    intent.store("provider_status", "message", "next_check_at", now=now)
    if charge.state == ChargeState.FAILED or over:
        return _fail(payment, charge.message or charge.provider_status, now)
    return NoticeOutcome.UNDECIDED


def _wish(customer: Customer, amount: Money, invoice_id: int | None) -> Invoice | None:
    """The invoice named; raises what speaks against the payment."""
    refuse_amount(customer, amount)
    invoice = payable_invoice(customer, invoice_id)
    if not customer.email:
        raise errors.EmailNeeded
    under_way = Payment.objects.filter(
        customer_id=customer.pk, state=PaymentState.PENDING
    )
    if under_way.count() >= PENDING_MAX:
        raise errors.TooManyCheckouts
    return invoice


def _pending(
    customer: Customer,
    amount: Money,
    reference: str,
    invoice: Invoice | None,
    *,
    actor: Actor,
    now: datetime,
) -> Payment:
    with refusing(billing_payment_provider_once=errors.CheckoutKeyReused):
        return Payment.objects.create(
            **identity_of_new(),
            customer_id=customer.pk,
            invoice=invoice,
            method=PaymentMethod.PAYSTACK,
            state=PaymentState.PENDING,
            currency=amount.currency,
            amount_minor=amount.amount_minor,
            provider=Provider.PAYSTACK,
            provider_ref=reference,
            recorded_by=actor.label[:150],
            created_at=now,
            updated_at=now,
        )


def _same_or_refuse(
    started: Payment, customer_id: int, amount: Money, invoice_id: int | None
) -> Payment:
    if (started.customer_id, started.amount, started.invoice_id) != (
        customer_id,
        amount,
        invoice_id,
    ):
        raise errors.CheckoutKeyReused
    return started


def _opened_before(payment: Payment) -> CheckoutIntent:
    """The page that an earlier call opened."""
    intent = CheckoutIntent.objects.get(payment=payment)
    if not intent.page_url:
        raise errors.CheckoutOpening
    return intent


@transaction.atomic
def _store_page(*, payment_id: int, url: str, now: datetime) -> CheckoutIntent:
    intent = CheckoutIntent.objects.select_for_update(no_key=True).get(
        payment_id=payment_id
    )
    intent.page_url = url
    intent.store("page_url", now=now)
    return intent


@transaction.atomic
def _give_up(*, payment_id: int, message: str, now: datetime) -> None:
    """The gateway refused to open a page: the payment has failed.

    The sweep goes on asking until the intent's time is over all the same: a
    refusal because the reference is known means that an earlier call of ours
    got through although its answer did not.
    """
    payment = locked_payment(payment_id)
    intent = CheckoutIntent.objects.select_for_update(no_key=True).get(payment=payment)
    intent.message = message
    intent.store("message", now=now)
    _fail(payment, message, now)


def _succeed_or_park(
    payment: Payment, intent: CheckoutIntent, charge: Charge, now: datetime
) -> NoticeOutcome:
    intent.next_check_at = None
    reason = ParkedFor.NONE
    if charge.currency != payment.currency:
        reason = ParkedFor.OTHER_CURRENCY
    elif charge.amount_minor != payment.amount_minor:
        reason = ParkedFor.OTHER_AMOUNT
    intent.charged_minor, intent.charged_currency = charge.amount_minor, charge.currency
    intent.parked_for, intent.parked_at = reason, now if reason else None
    intent.store(
        "provider_status",
        "message",
        "next_check_at",
        "charged_minor",
        "charged_currency",
        "parked_for",
        "parked_at",
        now=now,
    )
    if reason:
        fact = events.PaymentParked(occurred_at=now, why=reason, **about(payment))
        ops.emit(fact, actor=_GATEWAY)
        return NoticeOutcome.PARKED

    paid_at = min(charge.paid_at or now, now)
    payment.state, payment.settled_at = PaymentState.SUCCEEDED, now
    payment.received_date = ops_selectors.business_date(now=paid_at)
    payment.fee_minor = max(0, min(charge.fee_minor, payment.amount_minor))
    payment.store("state", "settled_at", "received_date", "fee_minor", now=now)
    take_in(payment, actor=_GATEWAY, now=now)
    return NoticeOutcome.SETTLED


def _fail(payment: Payment, why: str, now: datetime) -> NoticeOutcome:
    if payment.state == PaymentState.PENDING:
        payment.state = PaymentState.FAILED
        payment.store("state", now=now)
        fact = events.PaymentFailed(occurred_at=now, why=why[:200], **about(payment))
        ops.emit(fact, actor=_GATEWAY)
    return NoticeOutcome.FAILED


@transaction.atomic
def _take_notice(
    event_id: str, kind: str, charge: Charge | None, now: datetime
) -> GatewayEvent:
    """Settle and remember in one transaction, so a repeat finds both or neither."""
    known = GatewayEvent.objects.filter(provider=Provider.PAYSTACK, event_id=event_id)
    payment, outcome = None, NoticeOutcome.IGNORED
    if charge is not None:
        outcome = NoticeOutcome.UNKNOWN_REFERENCE
        payment = Payment.objects.filter(
            provider=Provider.PAYSTACK, provider_ref=charge.reference
        ).first()
    if payment is not None and charge is not None:
        outcome = settle_payment(payment_id=payment.pk, charge=charge, now=now)
    GatewayEvent.objects.bulk_create(
        [
            GatewayEvent(
                provider=Provider.PAYSTACK,
                event_id=event_id,
                kind=kind,
                provider_ref=charge.reference if charge else "",
                outcome=outcome,
                payment=payment,
                facts=_facts(charge),
                received_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    return known.get()


def _facts(charge: Charge | None) -> dict[str, object]:
    if charge is None:
        return {}
    return {
        "status": charge.provider_status,
        "amount_minor": charge.amount_minor,
        "currency": charge.currency,
        "fee_minor": charge.fee_minor,
        "channel": charge.channel,
    }


def _wait_s(checks: int) -> int:
    return CHECKS_AFTER_S[min(checks + 1, len(CHECKS_AFTER_S) - 1)]
