"""A credit note…"""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from apps.billing import operations, selectors
from apps.billing.enums import SeriesKind
from apps.billing.errors import (
    CreditExceedsRest,
    CreditNothing,
    CreditUnclear,
    InvoiceNotCreditable,
    OtherCurrency,
    UnknownInvoice,
    UnknownLine,
)
from apps.billing.models import Invoice, InvoiceLine, InvoiceTax, LedgerEntry
from dotmac.core.db import violated_constraint
from dotmac.core.errors import PreconditionFailed
from dotmac.core.money import Money
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

DAY = date(2026, 11, 20)


@pytest.fixture
def invoice():
    """6,666.67 net and 500.00 VAT, of one service from the 15th."""
    world.vat()
    world.service(world.customer(), world.plan("12500"), start=date(2026, 11, 15))
    world.bill(DAY)
    return Invoice.objects.get()


def ngn(text):
    return Money.of(text, "NGN")


def credit(invoice, day=date(2026, 11, 22), **what):
    return operations.issue_credit_note(
        invoice_id=invoice.pk,
        reason="Outage",
        actor=world.ACTOR,
        now=world.noon(day),
        **what,
    )


def test_in_full_voids_the_invoice_and_its_debt(invoice):
    note = credit(invoice, full=True)

    invoice.refresh_from_db()
    assert (invoice.state, invoice.credited_minor) == ("void", 716_667)
    assert (note.reference, note.kind, note.state) == (
        "CN-2026-000001",
        "credit_note",
        "paid",
    )
    assert (note.subtotal_minor, note.tax_minor) == (666_667, 50_000)
    assert note.credits_invoice_id == invoice.pk
    assert note.buyer == invoice.buyer
    assert selectors.balance_of(invoice.customer_id) == Money.zero("NGN")
    posted = LedgerEntry.objects.filter(transaction__source_kind="credit_note")
    assert {e.account_id: e.amount_minor for e in posted} == {
        1100: -716_667,
        2200: 50_000,
        4000: 666_667,
    }


def test_by_amount_shares_net_and_tax(invoice):
    note = credit(invoice, amount=ngn("1075.00"))
    invoice.refresh_from_db()
    assert (note.subtotal_minor, note.tax_minor) == (100_000, 7_500)
    assert (invoice.state, invoice.open_minor) == ("open", 609_167)
    assert selectors.balance_of(invoice.customer_id) == ngn("6091.67")


def test_notes_sum_to_the_invoice_and_the_last_takes_the_remainder(invoice):
    line = InvoiceLine.objects.get(invoice=invoice)
    taxes = [
        credit(invoice, lines={line.pk: ngn(net)}).tax_minor
        for net in ("2222.22", "2222.22", "2222.23")
    ]
    assert taxes == [16_667, 16_666, 16_667]
    invoice.refresh_from_db()
    assert invoice.state == "void"
    with pytest.raises(InvoiceNotCreditable):
        credit(invoice, full=True)


def test_mixes_ways_and_full_takes_what_is_left(invoice):
    line = InvoiceLine.objects.get(invoice=invoice)
    credit(invoice, amount=ngn("0.01"))
    credit(invoice, lines={line.pk: ngn("3333.33")})
    credit(invoice, full=True)
    notes = Invoice.objects.credit_notes()
    assert sum(note.total_minor for note in notes) == invoice.total_minor
    groups = InvoiceTax.objects.filter(invoice__in=notes)
    assert sum(group.amount_minor for group in groups) == invoice.tax_minor
    assert [note.number for note in notes.order_by("pk")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        ({}, CreditUnclear),
        ({"full": True, "amount": ngn("1")}, CreditUnclear),
        ({"amount": ngn("7166.68")}, CreditExceedsRest),
        ({"amount": ngn("0")}, CreditNothing),
        ({"amount": ngn("-5")}, CreditNothing),
        ({"amount": Money.of("5", "USD")}, OtherCurrency),
        ({"lines": {}}, CreditNothing),
        ({"lines": {0: ngn("1")}}, UnknownLine),
        ({"full": True, "if_credited": ngn("1")}, PreconditionFailed),
    ],
)
def test_is_refused_and_changes_nothing(invoice, what, refusal):
    with pytest.raises(refusal):
        credit(invoice, **what)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.credited_minor) == ("open", 0)
    assert Invoice.objects.credit_notes().exists() is False


@pytest.mark.parametrize(
    ("net", "refusal"),
    [
        (ngn("6666.68"), CreditExceedsRest),
        (ngn("-1"), CreditNothing),
        (Money.of("1", "USD"), OtherCurrency),
    ],
)
def test_refuses_more_than_a_line_has(invoice, net, refusal):
    line = InvoiceLine.objects.get(invoice=invoice)
    with pytest.raises(refusal):
        credit(invoice, lines={line.pk: net})


def test_credits_invoices_only(invoice):
    note = credit(invoice, amount=ngn("1"))
    with pytest.raises(InvoiceNotCreditable):
        credit(note, full=True)
    with pytest.raises(UnknownInvoice):
        operations.issue_credit_note(
            invoice_id=0,
            reason="",
            full=True,
            actor=world.ACTOR,
            now=world.noon(DAY),
        )


def test_of_several_lines_and_rates_reduces_each():
    world.vat()
    world.vat("0", slug="exempt", label="Exempt")
    chidi = world.customer()
    world.service(chidi, world.plan("1000"), start=date(2026, 11, 1))
    world.service(
        chidi, world.plan("333.33", tax_class="exempt"), start=date(2026, 11, 1)
    )
    world.bill(DAY)
    invoice = Invoice.objects.get()
    assert invoice.total_minor == 107_500 + 33_333

    credit(invoice, amount=ngn("700.07"))
    credit(invoice, full=True)

    for line in InvoiceLine.objects.filter(invoice=invoice):
        parts = InvoiceLine.objects.filter(credits_line=line)
        assert sum(part.amount_minor for part in parts) == line.amount_minor


def test_cannot_be_forged_past_what_is_left(invoice):
    """As a program that bypasses the operation would try."""
    forged = Invoice.objects.create(
        kind="credit_note",
        state="draft",
        number_year=2026,
        customer_id=invoice.customer_id,
        seller_id=invoice.seller_id,
        credits_invoice=invoice,
        issue_date=DAY,
        due_date=DAY,
        currency="NGN",
        subtotal_minor=700_000,
        tax_minor=0,
        total_minor=700_000,
        buyer={},
    )
    line = InvoiceLine.objects.get(invoice=invoice)
    group = {"tax_class": "standard"}
    InvoiceLine.objects.create(
        invoice=forged,
        number=1,
        description="x",
        unit_price=1,
        amount_minor=700_000,
        tax_percent=line.tax_percent,
        credits_line=line,
        **group,
    )
    InvoiceTax.objects.create(
        invoice=forged,
        label="VAT",
        percent=line.tax_percent,
        base_minor=700_000,
        amount_minor=0,
        **group,
    )
    first = operations.take_numbers(kind=SeriesKind.CREDIT_NOTE, year=2026)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Invoice.objects.filter(pk=forged.pk).update(
            number=first, reference=f"CN-2026-{first:06d}", state="paid"
        )
    assert violated_constraint(caught.value) == "billing_invoice_credit_within_rest"
