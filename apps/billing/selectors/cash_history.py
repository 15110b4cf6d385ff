"""What cash says about a customer: reasons to keep it, and its history."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from apps.billing.enums.payments import DunningOutcome, PaymentState
from apps.billing.models import DunningAction, Payment
from dotmac.core.money import Money
from dotmac.core.participants import TimelineEntry


def reasons_to_keep_payer(customer_id: int) -> list[str]:
    """Payments, finished or not, are never deleted with their customer."""
    if Payment.objects.filter(customer_id=customer_id).exists():
        return [_("There are payments.")]
    return []


def cash_timeline(customer_id: int, limit: int) -> list[TimelineEntry]:
    """Payments received and undone, reminders and cut-offs, newest first."""
    payments = Payment.objects.filter(customer_id=customer_id).order_by("-pk")[:limit]
    actions = (
        DunningAction.objects.filter(
            customer_id=customer_id, outcome=DunningOutcome.TAKEN
        )
        .select_related("invoice")
        .order_by("-pk")[:limit]
    )
    entries = [entry for payment in payments for entry in _of_payment(payment)]
    entries += [entry for action in actions for entry in _of_action(action)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return entries[:limit]


def _of_payment(payment: Payment) -> list[TimelineEntry]:
    facts: list[tuple[datetime | None, str, str]] = [
        (payment.settled_at, _("Payment received"), "cash"),
        (payment.reversed_at, _("Payment undone"), "receipt-refund"),
    ]
    if payment.state == PaymentState.FAILED and payment.reversed_at is None:
        facts.append((payment.updated_at, _("Payment failed"), "alert-triangle"))
    return [
        TimelineEntry(
            at=at,
            title=title,
            detail=f"{payment.reference} · {payment.amount} · "
            f"{payment.get_method_display()}",
            icon=icon,
            url=f"/console/payments/{payment.pk}",
            permission="billing.view_payment",
        )
        for at, title, icon in facts
        if at is not None
    ]


def _of_action(action: DunningAction) -> list[TimelineEntry]:
    overdue = Money(action.overdue_minor, action.currency)
    detail = _("%(invoice)s, %(amount)s overdue") % {
        "invoice": action.invoice,
        "amount": overdue,
    }
    title = _("Cut off for non-payment") if action.cuts_off else _("Reminder sent")
    icon = "player-pause" if action.cuts_off else "mail"
    reading = "billing.view_dunning"
    entries = [
        TimelineEntry(
            at=action.taken_at,
            title=title,
            detail=detail,
            icon=icon,
            permission=reading,
        )
    ]
    if action.ended_at is not None:
        entries.append(
            TimelineEntry(
                at=action.ended_at,
                title=_("Reconnected"),
                detail=str(action.get_ended_by_display()),
                icon="circle-check",
                permission=reading,
            )
        )
    return entries
