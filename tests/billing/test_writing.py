"""The COPY writer…"""

from dataclasses import fields
from datetime import date

import pytest
from django.db import connection
from django.db.models import NOT_PROVIDED
from django.test.utils import CaptureQueriesContext

from apps.billing.models import (
    BilledPeriod,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerEntry,
    LedgerTransaction,
)
from apps.billing.operations import writing
from apps.billing.operations.sellers import current_seller_id
from apps.identity.selectors import CustomerSnapshot
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

TABLES = {
    Invoice: writing.INVOICE_COLUMNS,
    InvoiceLine: writing.LINE_COLUMNS,
    InvoiceTax: writing.TAX_COLUMNS,
    BilledPeriod: writing.CLAIM_COLUMNS,
    LedgerTransaction: writing.TRANSACTION_COLUMNS,
    LedgerEntry: writing.ENTRY_COLUMNS,
}
# Left out on purpose: what numbering fills in, and what only credit notes have.
LEFT_OUT = {
    Invoice: {"number", "reference", "credits_invoice"},
    InvoiceLine: {"id", "credits_line"},
    InvoiceTax: {"id"},
    BilledPeriod: {"id"},
    LedgerTransaction: {"reverses", "posted_xid"},
    LedgerEntry: {"id"},
}


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_names_every_column_of_the_model(model):
    """A new column must be written or be left out knowingly."""
    columns = set(TABLES[model])
    fields = {field.name for field in model._meta.concrete_fields}
    assert columns | LEFT_OUT[model] == fields
    assert columns & LEFT_OUT[model] == set()
    for name in LEFT_OUT[model]:
        field = model._meta.get_field(name)
        filled = field.null or field.primary_key or field.db_default is not NOT_PROVIDED
        assert filled, f"{name} would be missing"


def test_takes_the_same_statements_for_few_and_for_many():
    world.vat()
    plan = world.plan()
    current_seller_id()  # The first run of an operator writes it down.
    counts = []
    for customers in (2, 40):
        for _ in range(customers):
            world.service(world.customer(), plan, start=date(2026, 11, 1))
        run = world.operations.start_run(
            day=date(2026, 11, 1), actor=world.ACTOR, now=world.noon(date(2026, 11, 1))
        )
        with CaptureQueriesContext(connection) as queries:
            world.operations.bill_next_chunk(
                run_id=run.pk, actor=world.ACTOR, now=world.noon(date(2026, 11, 1))
            )
        counts.append(len(queries))
        world.operations.finish_run(
            run_id=run.pk, actor=world.ACTOR, now=world.noon(date(2026, 11, 1))
        )
    assert Invoice.objects.count() == 42
    assert counts[0] == counts[1]
    assert counts[0] <= 45


def test_writes_nothing_for_nobody():
    issue = writing.Issue(
        run_id=None,
        seller_id=1,
        issue_date=date(2026, 11, 1),
        due_date=date(2026, 11, 15),
        now=world.noon(date(2026, 11, 1)),
    )
    with CaptureQueriesContext(connection) as queries:
        assert writing.write_invoices(issue=issue, bills=[]) == []
    assert len(queries) == 0


def test_keeps_of_the_buyer_what_the_document_prints():
    world.vat()
    customer, day = world.customer(), date(2026, 11, 1)
    world.service(customer, world.plan(), start=day)
    now = world.noon(day)
    run = world.operations.start_run(day=day, actor=world.ACTOR, now=now)
    world.operations.bill_next_chunk(run_id=run.pk, actor=world.ACTOR, now=now)

    kept = Invoice.objects.get().buyer
    assert kept["reference"] == customer.reference
    assert set(kept) == {field.name for field in fields(CustomerSnapshot)}
