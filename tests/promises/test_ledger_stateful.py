"""Whatever is billed, paid, credited and undone, in any order, the books hold.

A machine of operations beside a model of a few lines: what each customer owes
is what was billed less what was credited and paid. After every step all of
billing's invariants are asked.
"""

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.billing import operations, selectors
from apps.billing.models import Invoice, Payment
from apps.ops.operations.integrity import _evaluate
from dotmac.core.errors import DomainError
from dotmac.core.invariants import all_invariants
from dotmac.core.money import Money
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration, pytest.mark.timeout(280)]

# These speak of other apps' tables, or of what an hourly task mends.
ASKED = [
    one
    for one in all_invariants()
    if one.name.startswith("billing.")
    and one.name
    not in {
        "billing.cut_off_customer_is_held",
        "billing.credit_does_not_wait_beside_debt",
    }
]


class Books(RuleBasedStateMachine):
    """One operator with three customers, day after day."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = transaction.atomic()
        self.whole.__enter__()
        self.day = date(2026, 3, 1)
        self.owed: dict[int, int] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.whole.__exit__(None, None, None)

    @initialize(percent=st.sampled_from(["0", "7.5", "33.333333"]))
    def open_shop(self, percent):
        world.vat(percent)
        self.plans = [world.plan("999.99"), world.plan("0.333333"), world.plan("12500")]
        self.customers = [world.customer() for _ in range(3)]
        self.owed = {one.pk: 0 for one in self.customers}

    @property
    def now(self):
        return world.noon(self.day)

    @rule(who=st.integers(0, 2), plan=st.integers(0, 2))
    def subscribe(self, who, plan):
        world.service(self.customers[who], self.plans[plan], start=self.day)

    @rule(days=st.integers(1, 40))
    def time_passes(self, days):
        self.day += timedelta(days=days)

    @rule(chunk=st.integers(1, 3))
    def bill(self, chunk):
        before = set(Invoice.objects.values_list("pk", flat=True))
        operations.run_billing(
            day=self.day, actor=world.ACTOR, now=self.now, chunk_size=chunk
        )
        for invoice in Invoice.objects.exclude(pk__in=before):
            self.owed[invoice.customer_id] += invoice.total_minor

    @rule(who=st.integers(0, 2), minor=st.integers(1, 3_000_000))
    def pay(self, who, minor):
        operations.record_payment(
            customer_id=self.customers[who].pk,
            amount=Money(minor, "NGN"),
            method="cash",
            actor=world.ACTOR,
            now=self.now,
        )
        self.owed[self.customers[who].pk] -= minor

    @precondition(lambda self: Payment.objects.exists())
    @rule(data=st.data())
    def undo_a_payment(self, data):
        keys = list(Payment.objects.order_by("pk").values_list("pk", flat=True))
        payment = Payment.objects.get(pk=data.draw(st.sampled_from(keys)))
        operations.reverse_payment(
            payment_id=payment.pk, reason="bounced", actor=world.ACTOR, now=self.now
        )
        if payment.reversed_at is None:
            self.owed[payment.customer_id] += payment.amount_minor

    @precondition(lambda self: Invoice.objects.invoices().exists())
    @rule(data=st.data(), gross=st.integers(1, 2_000_000), full=st.booleans())
    def credit(self, data, gross, full):
        invoices = Invoice.objects.invoices().order_by("pk")
        keys = list(invoices.values_list("pk", flat=True))
        invoice = invoices.get(pk=data.draw(st.sampled_from(keys)))
        try:
            note = operations.issue_credit_note(
                invoice_id=invoice.pk,
                reason="machine",
                full=full,
                amount=None if full else Money(gross, "NGN"),
                actor=world.ACTOR,
                now=self.now,
            )
        except DomainError:
            rest = invoice.total_minor - invoice.credited_minor
            assert rest == 0 or (not full and gross > rest)
            return
        self.owed[note.customer_id] -= note.total_minor

    @rule()
    def use_credit(self):
        operations.allocate_credit(
            customer_ids=list(self.owed), actor=world.ACTOR, now=self.now
        )

    @invariant()
    def each_owes_what_the_model_says(self):
        for customer_id, minor in self.owed.items():
            assert selectors.balance_of(customer_id) == Money(minor, "NGN")

    @invariant()
    def every_invariant_holds(self):
        broken = {one.name: rows for one in ASKED if (rows := _evaluate(one).sample)}
        assert broken == {}


def test_the_books_hold_in_any_order():
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
