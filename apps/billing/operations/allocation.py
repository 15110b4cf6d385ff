"""Which money pays which invoice. The trigger of PaymentAllocation moves the sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from apps.billing import events
from apps.billing.enums import InvoiceState
from apps.billing.models import Invoice, Payment, PaymentAllocation
from apps.billing.operations.locks import lock_customer, lock_customers
from apps.billing.rules.allocation import Debt, Held, allocate, release
from apps.ops import operations as ops
from dotmac.core.actors import Actor

DEBTS_MAX = 1000
CUSTOMERS_MAX = 5000


def allocate_payment(payment: Payment, *, now: datetime) -> int:
    """Pay the named invoice first, then the oldest; returns what was allocated.

    Part of an operation that holds the customer. At most DEBTS_MAX invoices are
    paid; what is left stays as credit, and the next allocation goes on.
    """
    rows = Invoice.objects.locked().filter(
        customer_id=payment.customer_id, currency=payment.currency
    )
    debts = [_debt(row) for row in rows.open()[:DEBTS_MAX]]
    if payment.invoice_id and payment.invoice_id not in {d.invoice_id for d in debts}:
        named = rows.filter(
            pk=payment.invoice_id, state=InvoiceState.UNCOLLECTIBLE
        ).first()
        debts += [_debt(named)] if named else []
    shares = allocate(
        amount_minor=payment.credit_minor, debts=debts, named=payment.invoice_id
    )
    _write(
        [
            PaymentAllocation(
                payment=payment,
                invoice_id=share.invoice_id,
                amount_minor=share.amount_minor,
                allocated_at=now,
            )
            for share in shares
        ]
    )
    payment.refresh_from_db()
    return sum(share.amount_minor for share in shares)


@transaction.atomic
def allocate_credit(*, customer_ids: Sequence[int], actor: Actor, now: datetime) -> int:
    """Let credit that waits pay open invoices: oldest money, oldest debt.

    One statement for all customers given (at most CUSTOMERS_MAX), by running
    sums. Returns the number of allocations. Repeating it is harmless.
    """
    assert len(customer_ids) <= CUSTOMERS_MAX
    credit = Payment.objects.with_credit().filter(customer_id__in=list(customer_ids))
    holders = sorted(set(credit.values_list("customer_id", flat=True)))
    if not holders:
        return 0
    held = lock_customers(holders)
    list(Invoice.objects.open().filter(customer_id__in=held).locked().values("pk"))
    list(credit.filter(customer_id__in=held).locked().values("pk"))

    with connection.cursor() as cursor:
        cursor.execute(_ALLOCATE_CREDIT, {"customers": held, "now": now})
        rows = cursor.fetchall()
    totals = _totals(rows)
    ops.emit_many(
        [
            events.CreditAllocated(
                occurred_at=now,
                of_customer_id=customer_id,
                amount_minor=minor,
                currency=currency,
            )
            for (customer_id, currency), minor in sorted(totals.items())
        ],
        actor=actor,
    )
    return len(rows)


# Two running sums, one over the money and one over the debts of each customer,
# cut each other into the pieces that go from a payment to an invoice.
_ALLOCATE_CREDIT = """
    WITH money AS (
        SELECT id, customer_id, currency, amount_minor - allocated_minor AS minor,
               sum(amount_minor - allocated_minor) OVER w AS upto
          FROM billing_payment
         WHERE customer_id = ANY(%(customers)s) AND state = 'succeeded'
           AND amount_minor > allocated_minor
        WINDOW w AS (PARTITION BY customer_id, currency ORDER BY received_date, id)),
    debt AS (
        SELECT id, customer_id, currency,
               total_minor - allocated_minor - credited_minor AS minor,
               sum(total_minor - allocated_minor - credited_minor) OVER w AS upto
          FROM billing_invoice
         WHERE customer_id = ANY(%(customers)s) AND kind = 'invoice' AND state = 'open'
        WINDOW w AS (PARTITION BY customer_id, currency ORDER BY due_date, id)),
    piece AS (
        SELECT money.id AS payment_id, debt.id AS invoice_id, customer_id, currency,
               least(money.upto, debt.upto)
               - greatest(money.upto - money.minor, debt.upto - debt.minor) AS minor
          FROM money JOIN debt USING (customer_id, currency)),
    written AS (
        INSERT INTO billing_paymentallocation
               (payment_id, invoice_id, amount_minor, allocated_at)
        SELECT payment_id, invoice_id, minor, %(now)s FROM piece WHERE minor > 0
         ORDER BY payment_id, invoice_id)
    SELECT customer_id, currency, minor::bigint FROM piece WHERE minor > 0
"""


@transaction.atomic
def release_allocations(*, invoice_id: int, amount_minor: int, now: datetime) -> int:
    """Give so much of what payments paid on an invoice back to them as credit.

    For credit notes on paid invoices and for reversals: the latest payment gives
    first. Returns what was released: less than asked where less was paid.
    """
    assert amount_minor >= 0
    owner = Invoice.objects.filter(pk=invoice_id).values_list("customer_id", flat=True)
    lock_customer(owner[0])
    list(Invoice.objects.locked().filter(pk=invoice_id).values("pk"))
    rows = PaymentAllocation.objects.filter(
        invoice_id=invoice_id, released_at__isnull=True
    )
    payments = {row.payment_id for row in rows}
    list(Payment.objects.locked().filter(pk__in=payments).values("pk"))
    held = [
        Held(
            allocation_id=row.pk,
            payment_id=row.payment_id,
            amount_minor=row.amount_minor,
        )
        for row in rows
    ]
    amount = min(amount_minor, sum(part.amount_minor for part in held))
    given = release(amount_minor=amount, held=held)

    rows.filter(pk__in=[part.allocation_id for part, _ in given]).update(
        released_at=now
    )
    _write(
        [
            PaymentAllocation(
                payment_id=part.payment_id,
                invoice_id=invoice_id,
                amount_minor=part.amount_minor - back,
                allocated_at=now,
            )
            for part, back in given
            if part.amount_minor > back
        ]
    )
    return amount


def release_payment(payment: Payment, *, now: datetime) -> int:
    """Take the payment back from every invoice. Part of an operation."""
    rows = PaymentAllocation.objects.filter(payment=payment, released_at__isnull=True)
    invoices = sorted(set(rows.values_list("invoice_id", flat=True)))
    list(Invoice.objects.locked().filter(pk__in=invoices).values("pk"))
    released = rows.update(released_at=now)
    payment.refresh_from_db()
    return released


def _write(rows: list[PaymentAllocation]) -> None:
    if rows:
        PaymentAllocation.objects.bulk_create(rows, batch_size=DEBTS_MAX)


def _debt(invoice: Invoice) -> Debt:
    return Debt(
        invoice_id=invoice.pk, due_date=invoice.due_date, open_minor=invoice.open_minor
    )


def _totals(rows: list[tuple[int, str, int]]) -> dict[tuple[int, str], int]:
    totals: dict[tuple[int, str], int] = {}
    for customer_id, currency, minor in rows:
        key = (customer_id, currency)
        totals[key] = totals.get(key, 0) + minor
    return totals
