"""The bill run's writer against bulk_create with the same rating."""

import time
from datetime import date

import pytest
from django.db import transaction

from apps.billing import selectors
from apps.billing.models import Invoice
from apps.billing.operations.sellers import current_seller_id
from apps.billing.operations.writing import Issue, write_invoices
from apps.billing.selectors import due_date_of
from tests.billing import world
from tests.billing.oracle import issued_bills
from tests.performance.bulk_billing import write_by_bulk_create

pytestmark = [pytest.mark.django_db, pytest.mark.performance]

DAY = date(2026, 11, 20)
SERVICES = 2_000
ROUNDS = 3


def issue() -> Issue:
    return Issue(
        run_id=None,
        seller_id=current_seller_id(),
        issue_date=DAY,
        due_date=due_date_of(DAY),
        now=world.noon(DAY),
    )


@pytest.fixture
def bills():
    world.vat()
    plans = [world.plan(f"{n}500.25") for n in range(1, 6)]
    for n in range(SERVICES):
        world.service(world.customer(), plans[n % 5], start=date(2026, 11, 1 + n % 20))
    found, parked = selectors.rate_range(day=DAY, after_id=0, until_id=2**62)
    assert (len(found), parked) == (SERVICES, [])
    return found


def written(writer, bills) -> tuple[float, list[tuple[int, int, int, int]]]:
    """CPU seconds of the client, and what stands afterwards; rolled back."""
    facts = issue()
    started = time.process_time()
    with transaction.atomic():
        writer(issue=facts, bills=bills)
        spent = time.process_time() - started
        stands = issued_bills()
        assert Invoice.objects.count() == len(bills)
        transaction.set_rollback(True)
    return spent, stands


def test_copy_writes_the_same_for_a_third_of_the_client_s_work(bills):
    copied, bulk = [], []
    for _ in range(ROUNDS):
        spent, by_copy = written(write_invoices, bills)
        copied.append(spent)
        spent, by_bulk = written(write_by_bulk_create, bills)
        bulk.append(spent)
        assert by_copy == by_bulk
    assert min(bulk) >= 3 * min(copied), (copied, bulk)
