"""Runs carried by commands, tasks and events."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.billing import operations, selectors, tasks
from apps.billing.errors import TaxPercentRefused, TaxRateBackdated
from apps.billing.models import BillingChunk, BillingRun, Invoice, TaxRate
from apps.billing.tasks import bills
from apps.ops import operations as ops
from apps.ops.models import OutboxEvent
from dotmac.core.actors import Actor, ActorKind, Scope
from dotmac.core.errors import PermissionRefused
from dotmac.core.money import Money
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

FIRST = date(2026, 11, 1)
NOW = world.noon(FIRST)


@pytest.fixture
def three():
    """Three customers with a service each, and a rate."""
    world.vat()
    plan = world.plan("1000")
    owners = [world.customer() for _ in range(3)]
    for owner in owners:
        world.service(owner, plan, start=FIRST)
    return owners


def deliver_everything():
    """What the relay does, until nothing is due."""
    for key in OutboxEvent.objects.values_list("subject_key", flat=True).distinct():
        while ops.deliver_next(subject_key=key, now=world.noon(date(2027, 1, 1))):
            pass


def pay(owner, minor, day=FIRST, invoice=None):
    return operations.record_payment(
        customer_id=owner.pk,
        amount=Money(minor, "NGN"),
        method="cash",
        invoice_id=invoice.pk if invoice else None,
        actor=world.ACTOR,
        now=world.noon(day),
    )


def test_money_paid_in_advance_pays_the_new_invoice(three):
    pay(three[0], 100_000)
    world.bill(FIRST)
    assert Invoice.objects.get(customer=three[0]).state == "open"
    deliver_everything()
    invoice = Invoice.objects.get(customer=three[0])
    assert (invoice.allocated_minor, invoice.open_minor) == (100_000, 7_500)
    pay(three[0], 7_500)
    invoice.refresh_from_db()
    assert invoice.state == "paid"


def test_crediting_a_paid_invoice_gives_the_money_back_as_credit(three):
    world.bill(FIRST)
    invoice = Invoice.objects.get(customer=three[0])
    payment = pay(three[0], 107_500, invoice=invoice)

    operations.issue_credit_note(
        invoice_id=invoice.pk,
        reason="Outage",
        amount=Money(40_000, "NGN"),
        actor=world.ACTOR,
        now=NOW,
    )

    invoice.refresh_from_db()
    payment.refresh_from_db()
    assert (invoice.state, invoice.allocated_minor, invoice.credited_minor) == (
        "paid",
        67_500,
        40_000,
    )
    assert payment.credit_minor == 40_000
    assert selectors.balance_of(three[0].pk) == Money(-40_000, "NGN")

    world.bill(date(2026, 12, 1))
    deliver_everything()
    december = Invoice.objects.filter(customer=three[0]).latest("pk")
    assert (december.state, december.open_minor) == ("open", 67_500)

    operations.issue_credit_note(
        invoice_id=invoice.pk,
        reason="All of it",
        full=True,
        actor=world.ACTOR,
        now=world.noon(date(2026, 12, 1)),
    )
    deliver_everything()
    invoice.refresh_from_db()
    december.refresh_from_db()
    assert (invoice.state, december.state) == ("void", "paid")
    assert selectors.balance_of(three[0].pk) == Money.zero("NGN")


def test_crediting_half_of_a_half_paid_invoice_settles_it(three):
    world.bill(FIRST)
    invoice = Invoice.objects.get(customer=three[0])
    pay(three[0], 60_000, invoice=invoice)
    operations.issue_credit_note(
        invoice_id=invoice.pk,
        reason="x",
        amount=Money(47_500, "NGN"),
        actor=world.ACTOR,
        now=NOW,
    )
    invoice.refresh_from_db()
    assert (invoice.state, invoice.open_minor) == ("paid", 0)


def test_the_command_previews_bills_and_repeats(three):
    out = StringIO()
    world.service(three[0], world.plan(None), start=FIRST)
    call_command("run_billing", "--date=2026-11-01", "--preview", stdout=out)
    assert "3 invoices with 3 lines, 3,225.00 NGN; 1 left aside." in out.getvalue()
    assert Invoice.objects.exists() is False

    call_command("run_billing", "--date=2026-11-01", "--chunk=2", stdout=out)
    assert "Billed 2026-11-01: 3 invoices" in out.getvalue()
    assert "no price" in out.getvalue()
    call_command("run_billing", "--date=2026-11-01", stdout=out)
    assert Invoice.objects.count() == 3


def test_the_command_refuses_what_makes_no_sense(three):
    with pytest.raises(CommandError, match="has not come"):
        call_command("run_billing", "--date=2999-01-01")
    with pytest.raises(CommandError, match="between 1 and"):
        call_command("run_billing", "--date=2026-11-01", "--workers=99")


def test_an_interrupted_run_is_finished_before_another_day_begins(three):
    started = operations.start_run(day=FIRST, actor=world.ACTOR, now=NOW, chunk_size=1)
    operations.bill_next_chunk(run_id=started.pk, actor=world.ACTOR, now=NOW)
    same = operations.finish_run(run_id=started.pk, actor=world.ACTOR, now=NOW)
    assert same.finished_at is None

    world.bill(date(2026, 12, 1))

    assert BillingRun.objects.filter(finished_at__isnull=True).exists() is False
    days = BillingRun.objects.order_by("pk").values_list("day", flat=True)
    assert list(days) == [FIRST, date(2026, 12, 1)]
    assert Invoice.objects.count() == 6


def test_resuming_the_same_day_is_the_same_run(three):
    started = operations.start_run(day=FIRST, actor=world.ACTOR, now=NOW, chunk_size=1)
    assert world.bill(FIRST).pk == started.pk
    assert Invoice.objects.count() == 3


def test_a_cancelled_run_keeps_what_it_billed(three):
    run = operations.start_run(day=FIRST, actor=world.ACTOR, now=NOW, chunk_size=1)
    operations.bill_next_chunk(run_id=run.pk, actor=world.ACTOR, now=NOW)
    ops.cancel_job(job_id=run.job_id, actor=world.ACTOR, now=NOW)
    assert operations.bill_next_chunk(run_id=run.pk, actor=world.ACTOR, now=NOW) is None
    run = operations.finish_run(run_id=run.pk, actor=world.ACTOR, now=NOW)
    assert (run.job.state, run.finished_at) == ("cancelled", NOW)
    assert Invoice.objects.count() == 1
    world.bill(FIRST)
    assert Invoice.objects.count() == 3


def test_tasks_share_the_work_of_a_run(three, settings):
    run = operations.start_run(day=FIRST, actor=world.ACTOR, now=NOW, chunk_size=1)
    assert tasks.work_run(run_id=run.pk) == 3
    run.refresh_from_db()
    assert run.finished_at is not None
    assert BillingChunk.objects.waiting().exists() is False
    assert tasks.sweep_runs() == 0


def test_beat_starts_the_day_and_goes_on_with_what_is_open(three):
    run_id = tasks.run_billing()
    open_run = selectors.open_run()
    assert open_run is not None
    assert open_run.pk == run_id
    assert tasks.run_billing() == run_id
    assert tasks.sweep_runs() == 1
    assert tasks.work_run(run_id=run_id) == 1
    assert selectors.open_run() is None
    assert Invoice.objects.count() == 3


def test_a_task_hands_on_what_exceeds_its_share(three, monkeypatch):
    monkeypatch.setattr(bills, "CHUNKS_PER_TASK_MAX", 2)
    run = operations.start_run(day=FIRST, actor=world.ACTOR, now=NOW, chunk_size=1)
    assert tasks.work_run(run_id=run.pk) == 2
    assert selectors.open_run() == run
    assert tasks.work_run(run_id=run.pk) == 1


def test_previews_and_runs_need_reach_over_everybody():
    some = Actor(
        kind=ActorKind.STAFF,
        id=1,
        label="branch",
        scopes={"billing.view_run": Scope(unit_ids=frozenset({1}))},
    )
    with pytest.raises(PermissionRefused):
        selectors.require_everything(some, "billing.view_run")
    assert selectors.runs_visible_to(some).exists() is False
    selectors.require_everything(world.ACTOR, "billing.view_run")


def rate_of(percent, valid_from):
    return operations.set_tax_rate(
        slug="standard",
        name="Standard",
        label="VAT",
        percent=Decimal(percent),
        valid_from=valid_from,
        actor=world.ACTOR,
        now=NOW,
    )


def test_a_rate_ends_where_the_next_begins():
    first = rate_of("5", date(2026, 1, 1))
    assert rate_of("5", date(2026, 1, 1)) == first
    rate_of("7.5", date(2026, 11, 1))
    first.refresh_from_db()
    assert first.valid_to == date(2026, 11, 1)
    assert selectors.rates_on(date(2026, 10, 31))["standard"].percent == 5
    assert str(selectors.rates_on(FIRST)["standard"].percent) == "7.500000"
    with pytest.raises(TaxRateBackdated):
        rate_of("9", date(2026, 11, 1))
    for bad in ("-1", "100.1", "7.1234567"):
        with pytest.raises(TaxPercentRefused):
            rate_of(bad, date(2027, 1, 1))
    assert TaxRate.objects.count() == 2
