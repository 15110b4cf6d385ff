"""Bill runs, and what one would bill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db.models import QuerySet, Sum

from apps.billing.models import BillingChunk, BillingRun, Invoice, ParkedService
from apps.billing.rules.rating import Bill, Parked, rate_bill
from apps.billing.selectors.taxes import rates_on
from apps.billing.selectors.unbilled import unbilled_items
from apps.catalog import selectors as catalog
from apps.identity import selectors as identity
from apps.identity.selectors import CustomerSnapshot
from dotmac.core.actors import Actor
from dotmac.core.errors import PermissionRefused
from dotmac.core.money import Money
from dotmac.core.periods import add_months

PREVIEW_CUSTOMERS = 1000
PREVIEW_CHUNKS_MAX = 50


def runs_visible_to(
    actor: Actor, permission: str = "billing.view_run"
) -> QuerySet[BillingRun]:
    """A run spans all customers: it is seen whole or not at all."""
    rows = BillingRun.objects.select_related("job")
    return rows if actor.scope(permission).everything else rows.none()


def open_run() -> BillingRun | None:
    """The run that is not finished yet; there is at most one."""
    rows = BillingRun.objects.select_related("job")
    return rows.filter(finished_at__isnull=True).first()


def customers_done(run_id: int) -> int:
    """How many customers the finished chunks of the run hold."""
    done = BillingChunk.objects.filter(run_id=run_id, done_at__isnull=False)
    return done.aggregate(sum=Sum("customers_count"))["sum"] or 0


def invoiced_customers(*, run_id: int, after_id: int, until_id: int) -> list[int]:
    """Whom a chunk of a run billed."""
    rows = Invoice.objects.filter(
        run_id=run_id, customer_id__gt=after_id, customer_id__lte=until_id
    )
    return list(rows.order_by("customer_id").values_list("customer_id", flat=True))


def totals_text(totals_minor: Mapping[str, int]) -> str:
    """The sums for people: 1,250.00 NGN + 7.00 USD."""
    sums = [str(Money(minor, code)) for code, minor in sorted(totals_minor.items())]
    return " + ".join(sums) or "nothing"


def require_everything(actor: Actor, permission: str) -> None:
    """Runs reach all customers; raises PermissionRefused to who reaches fewer."""
    if not actor.require(permission).everything:
        raise PermissionRefused(permission=permission)


def parked_services_of(run_id: int) -> QuerySet[ParkedService]:
    rows = ParkedService.objects.filter(run_id=run_id).select_related("customer")
    return rows.order_by("pk")


def due_date_of(issue_date: date) -> date:
    """Setting INVOICE_DUE_DAYS after issue."""
    return issue_date + timedelta(days=settings.INVOICE_DUE_DAYS)


def rate_range(
    *, day: date, after_id: int, until_id: int
) -> tuple[list[tuple[CustomerSnapshot, Bill]], list[tuple[int, Parked]]]:
    """The bills of a range of customers, and what was left aside by whom.

    Reads and computes, writes nothing: bill run and previews both call it.
    """
    items = unbilled_items(day=day, after_id=after_id, until_id=until_id)
    buyers = identity.snapshots_of(items)
    rates = rates_on(day)
    bills: list[tuple[CustomerSnapshot, Bill]] = []
    parked: list[tuple[int, Parked]] = []
    for customer_id in sorted(items):
        buyer = buyers[customer_id]
        bill, left = rate_bill(
            currency=buyer.currency, items=items[customer_id], rates=rates
        )
        parked.extend((customer_id, one) for one in left)
        if bill.lines:
            bills.append((buyer, bill))
    return bills, parked


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePreview:
    """The next bill of one customer, as it would be issued on the day."""

    day: date
    due_date: date
    buyer: CustomerSnapshot
    bill: Bill
    parked: list[Parked]


def preview_invoice(*, customer_id: int, day: date) -> InvoicePreview | None:
    """What a run on the day would bill the customer, or else on the next first.

    None when neither day has anything. Nothing is written.
    """
    for candidate in (day, add_months(day.replace(day=1), 1)):
        bills, parked = rate_range(
            day=candidate, after_id=customer_id - 1, until_id=customer_id
        )
        if bills:
            buyer, bill = bills[0]
            return InvoicePreview(
                day=candidate,
                due_date=due_date_of(candidate),
                buyer=buyer,
                bill=bill,
                parked=[one for _, one in parked],
            )
    return None


@dataclass(slots=True, kw_only=True)
class RunPreview:
    """What a run on the day would come to; `complete` is False past the maximum."""

    day: date
    customers: int = 0
    invoices: int = 0
    lines: int = 0
    parked: int = 0
    complete: bool = True
    totals_minor: Counter[str] = field(default_factory=Counter)

    @property
    def totals(self) -> list[Money]:
        """Tax included, one sum a currency."""
        return [Money(minor, code) for code, minor in sorted(self.totals_minor.items())]


def preview_run(*, day: date) -> RunPreview:
    """Rate what is unbilled and count it, at most PREVIEW_CHUNKS_MAX chunks."""
    preview = RunPreview(day=day)
    bounds = catalog.customer_bounds(day=day, size=PREVIEW_CUSTOMERS)
    preview.complete = len(bounds) <= PREVIEW_CHUNKS_MAX
    after = 0
    for until, count in bounds[:PREVIEW_CHUNKS_MAX]:
        bills, parked = rate_range(day=day, after_id=after, until_id=until)
        preview.customers += count
        preview.invoices += len(bills)
        preview.parked += len(parked)
        for _, bill in bills:
            preview.lines += len(bill.lines)
            preview.totals_minor[bill.currency] += bill.total_minor
        after = until
    return preview
