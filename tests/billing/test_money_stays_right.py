"""After bills, credits and reversals the books…"""

from datetime import date
from typing import Any

import pytest

from apps.billing import operations, selectors
from apps.billing.errors import AlreadyReversed, PostedDifferently
from apps.billing.models import Invoice, LedgerTransaction
from apps.billing.operations.ledger import _postings_of
from apps.ops.operations.integrity import _evaluate
from dotmac.core import participants
from dotmac.core.invariants import all_invariants
from dotmac.core.money import Money
from dotmac.core.refs import SubjectRef
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


def broken():
    return {name: sample for name, sample in findings().items() if sample}


def findings():
    """What check_integrity finds, inside the test's own transaction."""
    return {
        one.name: _evaluate(one).sample
        for one in all_invariants()
        if one.name.startswith("billing.")
    }


@pytest.fixture
def busy():
    world.vat()
    for n in range(5):
        world.service(
            world.customer(), world.plan(f"{n * 1000}.37"), start=date(2026, 9, 3 + n)
        )
    world.bill(date(2026, 11, 20), chunk_size=2)
    for invoice in Invoice.objects.filter(total_minor__gt=200_000):
        operations.issue_credit_note(
            invoice_id=invoice.pk,
            reason="test",
            amount=Money(100_001, "NGN"),
            actor=world.ACTOR,
            now=world.noon(date(2026, 11, 21)),
        )


def test_fulfil_every_invariant(busy):
    assert broken() == {}
    assert len(findings()) >= 14


def test_are_reversed_once_by_their_mirror(busy):
    original = LedgerTransaction.objects.filter(source_kind="invoice").first()
    assert original is not None
    facts: Any = {
        "transaction_id": original.pk,
        "source_kind": "correction",
        "source_id": 1,
        "occurred_date": date(2026, 11, 22),
        "now": world.noon(date(2026, 11, 22)),
    }
    mirror = operations.reverse(**facts)
    assert operations.reverse(**facts) == mirror
    assert mirror.reverses == original
    found = broken()
    # The invoice was not corrected, only its posting: exactly that shows.
    assert set(found) <= {"billing.balance_is_debt_less_credit"}
    with pytest.raises(AlreadyReversed):
        operations.reverse(**{**facts, "source_id": 2})


def test_keep_a_customer_with_money_history(busy):
    owner = Invoice.objects.latest("pk").customer_id
    subject = SubjectRef("identity", "customer", owner)
    assert {"There are invoices.", "There are entries in the ledger."} <= set(
        participants.objections_to_delete(subject)
    )
    titles = [e.title for e in participants.timeline_of(subject, limit=10)[0]]
    assert any(title.startswith("Invoice INV-2026-") for title in titles)
    nobody = SubjectRef("identity", "customer", world.customer().pk)
    assert participants.objections_to_delete(nobody) == []


def test_know_what_is_owed_by_age():
    world.vat("0")
    plan = world.plan("100")
    for start in (date(2026, 7, 1), date(2026, 10, 1), date(2026, 11, 1)):
        world.service(world.customer(), plan, start=start)
        world.bill(start)

    (ages,) = selectors.receivables_by_age(today=date(2026, 11, 20))

    assert ages.days_over_90_minor == 10_000  # July, due on the 15th
    assert ages.days_31_60_minor == 3 * 10_000 + 10_000  # August to October, and one
    assert ages.days_1_30_minor == 3 * 10_000  # November of all three
    assert (ages.not_due_minor, ages.credit_minor) == (0, 0)
    assert ages.total_minor == sum(row.open_minor for row in Invoice.objects.open())
    assert selectors.balance_of(world.customer().pk) == Money.zero("NGN")


def test_answer_a_repeated_posting_and_refuse_another(busy):
    posted = LedgerTransaction.objects.filter(source_kind="invoice").first()
    assert posted is not None
    facts: Any = {
        "source_kind": "invoice",
        "source_id": posted.source_id,
        "occurred_date": date(2026, 11, 20),
        "now": world.noon(date(2026, 11, 20)),
    }
    postings = _postings_of(posted)
    assert operations.post(postings=postings, **facts) == posted
    with pytest.raises(PostedDifferently):
        operations.post(postings=postings[::-1][:2], **facts)
