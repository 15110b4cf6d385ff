"""What billing says about a customer: reasons to keep it, and its history."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.billing.enums import InvoiceKind
from apps.billing.models import BilledPeriod, Invoice, LedgerEntry
from dotmac.core.timeline import TimelineEntry, TimelineSource, Window


def reasons_to_keep(customer_id: int) -> list[str]:
    """Money history is never deleted with its customer."""
    reasons = []
    if Invoice.objects.filter(customer_id=customer_id).exists():
        reasons.append(_("There are invoices."))
    if LedgerEntry.objects.filter(customer_id=customer_id).exists():
        reasons.append(_("There are entries in the ledger."))
    if BilledPeriod.objects.filter(service__customer_id=customer_id).exists():
        reasons.append(_("Services were billed."))
    return reasons


def _documents(customer_id: int, window: Window) -> list[TimelineEntry]:
    """Invoices and credit notes, newest first."""
    rows = Invoice.objects.filter(customer_id=customer_id, number__isnull=False)
    return [_entry(row) for row in window.rows(rows, at="issued_at")]


def _entry(row: Invoice) -> TimelineEntry:
    credit_note = row.kind == InvoiceKind.CREDIT_NOTE
    title = _("Credit note %s") if credit_note else _("Invoice %s")
    return TimelineEntry(
        at=row.issued_at,
        id=row.pk,
        title=title % row.reference,
        detail=str(row.total),
        icon="receipt-refund" if credit_note else "file-invoice",
        url=f"/console/invoices/{row.pk}",
    )


TIMELINE = (
    TimelineSource(
        name="billing.invoice", permission="billing.view_invoice", entries=_documents
    ),
)
