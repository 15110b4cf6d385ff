"""Customers who owe: bills of chosen amounts and days, paid and dunned at will.

A bill is written here the way a bill run leaves it, numbers, ledger and guards
included, because tests of cash want amounts and due dates of their own choice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from apps.billing import operations as billing
from apps.billing.enums import InvoiceKind, InvoiceState, SeriesKind
from apps.billing.models import (
    CustomerBalance,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Payment,
    SellerProfile,
)
from apps.billing.rules.ledger import invoice_postings
from dotmac.core.money import Money
from tests.world import NOON, SYSTEM

TODAY = date(2026, 11, 23)
DUE_DAYS = 14


@transaction.atomic
def bill(customer, minor: int = 10_000, *, due: date = TODAY) -> Invoice:
    """An open invoice of one untaxed line."""
    issued = due - timedelta(days=DUE_DAYS)
    seller, _ = SellerProfile.objects.get_or_create(
        fingerprint="tests", defaults={"details": {"name": "Demo ISP"}}
    )
    invoice = Invoice.objects.create(
        kind=InvoiceKind.INVOICE,
        state=InvoiceState.DRAFT,
        number_year=issued.year,
        customer_id=customer.pk,
        seller=seller,
        issue_date=issued,
        due_date=due,
        currency=customer.currency,
        subtotal_minor=minor,
        tax_minor=0,
        total_minor=minor,
        buyer={"name": customer.name},
    )
    _explain(invoice, minor)
    _finish(invoice, minor)
    return invoice


def _explain(invoice: Invoice, minor: int) -> None:
    InvoiceLine.objects.create(
        invoice=invoice,
        number=1,
        description="Home 20",
        unit_price=Decimal(minor) / 100,
        amount_minor=minor,
        tax_class="none",
        tax_percent=Decimal(0),
    )
    InvoiceTax.objects.create(
        invoice=invoice,
        tax_class="none",
        label="none",
        percent=Decimal(0),
        base_minor=minor,
        amount_minor=0,
    )


def _finish(invoice: Invoice, minor: int) -> None:
    kind, issued = SeriesKind.INVOICE, invoice.issue_date
    number = billing.take_numbers(kind=kind, year=issued.year)
    reference = billing.reference_of(kind=kind, year=issued.year, number=number)
    Invoice.objects.filter(pk=invoice.pk).update(
        number=number, reference=reference, state=InvoiceState.OPEN
    )
    billing.post(
        source_kind="invoice",
        source_id=invoice.pk,
        postings=invoice_postings(
            customer_id=invoice.customer_id,
            subtotal_minor=minor,
            tax_minor=0,
            currency=invoice.currency,
        ),
        occurred_date=issued,
        now=NOON,
    )
    invoice.refresh_from_db()


def pay(customer, minor: int, *, now: datetime = NOON, **facts) -> Payment:
    """Cash over the counter."""
    return billing.record_payment(
        customer_id=customer.pk,
        amount=Money(minor, facts.pop("currency", customer.currency)),
        **{"method": "cash", "actor": SYSTEM, "now": now, **facts},
    )


def state_of(invoice: Invoice) -> tuple[str, int]:
    """State and what is still open, as stored."""
    invoice.refresh_from_db()
    return invoice.state, invoice.open_minor


def balance_of(customer) -> int:
    """What the ledger says the customer owes."""
    row = CustomerBalance.objects.filter(customer_id=customer.pk).first()
    return row.balance_minor if row else 0


def broken_invariants() -> dict[str, list]:
    """The cash invariants that do not hold, with the offending rows."""
    from django.db import connection

    from apps.billing.selectors.cash_invariants import INVARIANTS

    found = {}
    for invariant in INVARIANTS:
        with connection.cursor() as cursor:
            cursor.execute(invariant.sql)
            if rows := cursor.fetchall():
                found[invariant.name] = rows
    return found
