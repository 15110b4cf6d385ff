"""What cash says about a customer: reasons to keep it, and its history."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.billing.enums.payments import DunningOutcome, PaymentState
from apps.billing.models import DunningAction, Payment
from dotmac.core.money import Money
from dotmac.core.timeline import TimelineEntry, TimelineSource, Window


def reasons_to_keep_payer(customer_id: int) -> list[str]:
    """Payments, finished or not, are never deleted with their customer."""
    if Payment.objects.filter(customer_id=customer_id).exists():
        return [_("There are payments.")]
    return []


def _received(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = window.rows(_payments(customer_id), at="settled_at")
    return [_of_payment(r, r.settled_at, _("Payment received"), "cash") for r in rows]


def _undone(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = window.rows(_payments(customer_id), at="reversed_at")
    title, icon = _("Payment undone"), "receipt-refund"
    return [_of_payment(row, row.reversed_at, title, icon) for row in rows]


def _failed(customer_id: int, window: Window) -> list[TimelineEntry]:
    failed = _payments(customer_id).filter(
        state=PaymentState.FAILED, reversed_at__isnull=True
    )
    title, icon = _("Payment failed"), "alert-triangle"
    return [
        _of_payment(row, row.updated_at, title, icon)
        for row in window.rows(failed, at="updated_at")
    ]


def _payments(customer_id: int) -> QuerySet[Payment]:
    return Payment.objects.filter(customer_id=customer_id)


def _of_payment(payment: Payment, at: datetime, title: str, icon: str) -> TimelineEntry:
    detail = (payment.reference, str(payment.amount), payment.get_method_display())
    return TimelineEntry(
        at=at,
        id=payment.pk,
        title=title,
        detail=" · ".join(map(str, detail)),
        icon=icon,
        url=f"/console/payments/{payment.pk}",
    )


def _reminded(customer_id: int, window: Window) -> list[TimelineEntry]:
    entries = []
    for action in window.rows(_actions(customer_id), at="taken_at"):
        cut = action.cuts_off
        overdue = Money(action.overdue_minor, action.currency)
        entries.append(
            TimelineEntry(
                at=action.taken_at,
                id=action.pk,
                title=_("Cut off for non-payment") if cut else _("Reminder sent"),
                detail=_("%(invoice)s, %(amount)s overdue")
                % {"invoice": action.invoice, "amount": overdue},
                icon="player-pause" if cut else "mail",
            )
        )
    return entries


def _reconnected(customer_id: int, window: Window) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=action.ended_at,
            id=action.pk,
            title=_("Reconnected"),
            detail=str(action.get_ended_by_display()),
            icon="circle-check",
        )
        for action in window.rows(_actions(customer_id), at="ended_at")
    ]


def _actions(customer_id: int) -> QuerySet[DunningAction]:
    taken = DunningAction.objects.filter(outcome=DunningOutcome.TAKEN)
    return taken.filter(customer_id=customer_id).select_related("invoice", "step")


TIMELINE = tuple(
    TimelineSource(name=f"billing.{kind}", permission=permission, entries=entries)
    for kind, permission, entries in (
        ("payment", "billing.view_payment", _received),
        ("payment-undone", "billing.view_payment", _undone),
        ("payment-failed", "billing.view_payment", _failed),
        ("dunning", "billing.view_dunning", _reminded),
        ("reconnected", "billing.view_dunning", _reconnected),
    )
)
