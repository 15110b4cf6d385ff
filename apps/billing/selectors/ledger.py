"""Ledger entries as people read them."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.billing.models import Invoice, LedgerEntry, Payment
from dotmac.core.money import Money

_INVOICES = frozenset({"invoice", "credit_note"})
_PAYMENTS = frozenset({"payment", "payment_reversal", "payment_fee"})


def debit_of(entry: LedgerEntry) -> Money | None:
    amount = entry.amount_minor
    return Money(amount, entry.currency) if amount > 0 else None


def credit_entry_of(entry: LedgerEntry) -> Money | None:
    amount = entry.amount_minor
    return Money(-amount, entry.currency) if amount < 0 else None


def entries_of_source(*, kind: str, source_id: int) -> QuerySet[LedgerEntry]:
    """What one document or payment wrote."""
    rows = LedgerEntry.objects.filter(
        transaction__source_kind=kind, transaction__source_id=source_id
    )
    return rows.select_related("transaction", "account").order_by("pk")


def name_sources(entries: list[LedgerEntry]) -> list[LedgerEntry]:
    """Give each entry the reference of what it came from, in two statements."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        wanted[entry.transaction.source_kind].add(entry.transaction.source_id)
    invoices = set().union(*(wanted[kind] for kind in _INVOICES))
    payments = set().union(*(wanted[kind] for kind in _PAYMENTS))
    names = {
        ("invoice", row.pk): str(row.reference)
        for row in Invoice.objects.filter(pk__in=invoices).only("reference")
    } | {
        ("payment", row.pk): str(row.reference)
        for row in Payment.objects.filter(pk__in=payments).only("reference")
    }
    for entry in entries:
        key = (_table(entry), entry.transaction.source_id)
        entry.source_name = names.get(key, "")  # type: ignore[attr-defined]
    return entries


def source_text(entry: LedgerEntry) -> str:
    """Invoice INV-2026-000001; the kind and key where nothing is known."""
    words = {
        "invoice": _("Invoice"),
        "credit_note": _("Credit note"),
        "payment": _("Payment"),
        "payment_reversal": _("Payment undone"),
        "payment_fee": _("Fee of payment"),
    }
    kind = entry.transaction.source_kind
    name = getattr(entry, "source_name", "") or f"#{entry.transaction.source_id}"
    return f"{words.get(kind, kind)} {name}"


def source_url(entry: LedgerEntry) -> str:
    """The console's page of what the entry came from."""
    tables = {"invoice": "invoices", "payment": "payments"}
    table = tables.get(_table(entry))
    return f"/console/{table}/{entry.transaction.source_id}" if table else ""


def _table(entry: LedgerEntry) -> str:
    kind = entry.transaction.source_kind
    if kind in _INVOICES:
        return "invoice"
    return "payment" if kind in _PAYMENTS else ""
