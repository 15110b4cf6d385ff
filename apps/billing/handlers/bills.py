"""What follows when invoices were issued. Harmless to repeat."""

from __future__ import annotations

from django.utils import timezone

from apps.billing import operations, selectors
from apps.billing.events import InvoicesIssued
from dotmac.core.actors import system_actor
from dotmac.core.events import on

_ACTOR = system_actor("billing")


@on(InvoicesIssued)
def pay_from_credit(event: InvoicesIssued) -> None:
    """Money that waited as credit pays the new invoices of the chunk."""
    customers = selectors.invoiced_customers(
        run_id=event.run_id,
        after_id=event.customer_after,
        until_id=event.customer_until,
    )
    operations.allocate_credit(customer_ids=customers, actor=_ACTOR, now=timezone.now())
