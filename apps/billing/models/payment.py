"""Payments, what they pay, and what gateways told us.

The guards are in sql/0004_guard_cash.sql: the amount, currency and customer of
a payment never change; what a payment and an invoice have allocated is the sum
of their allocations, moved by the trigger of PaymentAllocation and by nothing
else, and never exceeds the one or the other.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.billing.enums.payments import (
    NoticeOutcome,
    ParkedFor,
    PaymentMethod,
    PaymentState,
    Provider,
)
from dotmac.core.models import Record
from dotmac.core.money import Money


class PaymentQuerySet(models.QuerySet["Payment"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def with_credit(self) -> Self:
        """Money received that pays no invoice yet."""
        return self.filter(
            state=PaymentState.SUCCEEDED, amount_minor__gt=F("allocated_minor")
        )


class Payment(Record):
    """Money received from a customer, or asked for at a gateway (pending)."""

    reference = models.CharField(max_length=24)
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    # The invoice that the payer named; it is paid first.
    invoice = models.ForeignKey(
        "billing.Invoice", models.PROTECT, related_name="+", null=True, blank=True
    )
    method = models.CharField(max_length=16, choices=PaymentMethod)
    state = models.CharField(max_length=16, choices=PaymentState)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    allocated_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    provider = models.CharField(max_length=16, choices=Provider, blank=True, default="")
    provider_ref = models.CharField(  # noqa: DJ001  # null: no gateway is involved
        max_length=64, null=True, blank=True
    )
    received_date = models.DateField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    reversed_at = models.DateTimeField(null=True, blank=True)
    reversal_reason = models.CharField(max_length=200, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    recorded_by = models.CharField(max_length=150, blank=True, default="")
    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("reference",), name="billing_payment_reference"
            ),
            models.UniqueConstraint(
                fields=("provider", "provider_ref"),
                name="billing_payment_provider_once",
            ),
            models.CheckConstraint(
                name="billing_payment_amount_positive", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="billing_payment_not_overallocated",
                condition=Q(allocated_minor__gte=0)
                & Q(allocated_minor__lte=F("amount_minor")),
            ),
            models.CheckConstraint(
                name="billing_payment_pays_when_succeeded",
                condition=Q(state=PaymentState.SUCCEEDED) | Q(allocated_minor=0),
            ),
            models.CheckConstraint(
                name="billing_payment_settled_has_date",
                condition=~Q(state__in=(PaymentState.SUCCEEDED, PaymentState.REFUNDED))
                | Q(settled_at__isnull=False, received_date__isnull=False),
            ),
            models.CheckConstraint(
                name="billing_payment_provider_fits_method",
                condition=Q(provider="", provider_ref__isnull=True)
                & ~Q(method=PaymentMethod.PAYSTACK)
                | Q(
                    provider=Provider.PAYSTACK,
                    method=PaymentMethod.PAYSTACK,
                    provider_ref__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="billing_payment_pending_at_gateway",
                condition=~Q(state=PaymentState.PENDING) | ~Q(provider=""),
            ),
            models.CheckConstraint(
                name="billing_payment_reversed_failed",
                condition=Q(reversed_at__isnull=True) | Q(state=PaymentState.FAILED),
            ),
            models.CheckConstraint(
                name="billing_payment_fee_within",
                condition=Q(fee_minor__gte=0) & Q(fee_minor__lte=F("amount_minor")),
            ),
            models.CheckConstraint(
                name="billing_payment_currency",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
            ),
        )
        indexes = (
            models.Index(fields=("customer", "-id"), name="billing_payment_customer"),
            models.Index(
                fields=("customer", "received_date", "id"),
                name="billing_payment_credit",
                condition=Q(
                    state=PaymentState.SUCCEEDED,
                    amount_minor__gt=F("allocated_minor"),
                ),
            ),
            models.Index(
                fields=("customer",),
                name="billing_payment_pending",
                condition=Q(state=PaymentState.PENDING),
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def credit_minor(self) -> int:
        """What of the money received pays no invoice yet."""
        if self.state != PaymentState.SUCCEEDED:
            return 0
        return self.amount_minor - self.allocated_minor

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.currency)


class PaymentAllocation(models.Model):
    """A part of one payment pays one invoice, until it is released."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="+", db_index=False
    )
    invoice = models.ForeignKey("billing.Invoice", models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    allocated_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="billing_paymentallocation_positive",
                condition=Q(amount_minor__gt=0),
            ),
        )
        indexes = (
            models.Index(fields=("payment", "id"), name="billing_paymentallocation_of"),
        )

    def __str__(self) -> str:
        return f"{self.payment_id} → {self.invoice_id}: {self.amount_minor}"

    @property
    def amount(self) -> Money:
        """Read the row with its invoice."""
        return Money(self.amount_minor, self.invoice.currency)


class CheckoutIntent(Record):
    """What we asked a gateway for, and what it last said about it.

    `next_check_at` is when the sweep asks again; empty when the answer is final.
    """

    payment = models.OneToOneField(Payment, models.PROTECT, related_name="+")
    page_url = models.URLField(max_length=500, blank=True, default="")
    opened_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    checks = models.PositiveSmallIntegerField(default=0)
    provider_status = models.CharField(max_length=32, blank=True, default="")
    message = models.CharField(max_length=200, blank=True, default="")
    parked_for = models.CharField(
        max_length=24, choices=ParkedFor, blank=True, default=""
    )
    parked_at = models.DateTimeField(null=True, blank=True)
    charged_minor = models.BigIntegerField(null=True, blank=True)
    charged_currency = models.CharField(max_length=3, blank=True, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="billing_checkoutintent_parked_has_reason",
                condition=Q(parked_for="", parked_at__isnull=True)
                | ~Q(parked_for="")
                & Q(parked_at__isnull=False, next_check_at__isnull=True),
            ),
        )
        indexes = (
            models.Index(
                fields=("next_check_at",),
                name="billing_checkoutintent_due",
                condition=Q(next_check_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"checkout of payment {self.payment_id}"


class GatewayEvent(models.Model):
    """A genuine message of a gateway, once however often it was sent."""

    id = models.BigAutoField(primary_key=True)
    provider = models.CharField(max_length=16, choices=Provider)
    event_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=64)
    provider_ref = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=24, choices=NoticeOutcome)
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="+", null=True, blank=True
    )
    # Amount, currency and status only: no card or person of the payer.
    facts = models.JSONField(default=dict)
    received_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "event_id"), name="billing_gatewayevent_once"
            ),
        )
        indexes = (
            models.Index(fields=("-received_at",), name="billing_gatewayevent_newest"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"
