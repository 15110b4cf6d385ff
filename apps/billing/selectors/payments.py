"""Payments as people and other apps see them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, QuerySet, Sum

from apps.billing.enums.payments import PaymentState
from apps.billing.models import CheckoutIntent, GatewayEvent, Payment, PaymentAllocation
from apps.identity import selectors as identity
from dotmac.core.actors import Actor
from dotmac.core.money import Money

ALLOCATIONS_MAX = 200


def payments_visible_to(actor: Actor, permission: str) -> QuerySet[Payment]:
    """The payments of the customers that the permission reaches."""
    rows = Payment.objects.select_related("customer", "invoice")
    return identity.of_visible_customers(rows, actor, permission)


def find_payment(
    *, reference: str | None = None, provider_ref: str | None = None
) -> Payment | None:
    """The payment with our reference, or the one the gateway knows so, or None."""
    rows = Payment.objects.select_related("customer", "invoice")
    if reference is not None:
        return rows.filter(reference=reference.strip().upper()).first()
    return rows.filter(provider_ref=provider_ref).first() if provider_ref else None


def payments_of(customer_id: int, *, limit: int) -> list[Payment]:
    """The customer's payments, newest first."""
    rows = Payment.objects.filter(customer_id=customer_id).select_related("invoice")
    return list(rows.order_by("-pk")[:limit])


def allocations_of(payment_ids: Sequence[int]) -> dict[int, list[PaymentAllocation]]:
    """What these payments pay now, by payment, the oldest allocation first."""
    rows = (
        PaymentAllocation.objects.filter(
            payment_id__in=list(payment_ids), released_at__isnull=True
        )
        .select_related("invoice")
        .order_by("payment_id", "pk")[:ALLOCATIONS_MAX]
    )
    found: dict[int, list[PaymentAllocation]] = {pk: [] for pk in payment_ids}
    for row in rows:
        found[row.payment_id].append(row)
    return found


def payments_of_invoice(invoice_id: int) -> list[PaymentAllocation]:
    """What paid this invoice, the oldest first."""
    rows = PaymentAllocation.objects.filter(
        invoice_id=invoice_id, released_at__isnull=True
    )
    return list(rows.select_related("payment").order_by("pk")[:ALLOCATIONS_MAX])


def credit_of(customer_id: int, currency: str) -> Money:
    """Money received that pays no invoice yet."""
    rows = Payment.objects.with_credit().filter(
        customer_id=customer_id, currency=currency
    )
    total = rows.aggregate(minor=Sum(F("amount_minor") - F("allocated_minor")))
    return Money(int(total["minor"] or 0), currency)


def intent_of(payment_id: int) -> CheckoutIntent | None:
    """What was asked of the gateway for this payment, or None."""
    return CheckoutIntent.objects.filter(payment_id=payment_id).first()


def gateway_events_of(payment_id: int) -> list[GatewayEvent]:
    """What the gateway sent about this payment, newest first."""
    rows = GatewayEvent.objects.filter(payment_id=payment_id)
    return list(rows.order_by("-pk")[:ALLOCATIONS_MAX])


def parked_payments() -> QuerySet[CheckoutIntent]:
    """Money that arrived and fits no payment: people must look."""
    rows = CheckoutIntent.objects.exclude(parked_for="")
    return rows.filter(payment__state=PaymentState.PENDING).select_related("payment")


def pending_payments_of(customer_id: int) -> list[Payment]:
    """Payments under way at a gateway, newest first."""
    rows = Payment.objects.filter(customer_id=customer_id, state=PaymentState.PENDING)
    return list(rows.order_by("-pk")[:ALLOCATIONS_MAX])
