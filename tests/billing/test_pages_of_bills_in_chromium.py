"""Billing's screens in a real browser: quiet, at home, no wider than the phone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.billing import operations
from apps.billing.models import BillingRun, Invoice
from apps.ops import selectors as ops_selectors
from dotmac.core.money import Money
from tests.billing import world as bills
from tests.browser import chromium, site, visit, walk

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]


@pytest.fixture
def ada(site):
    """Ada's cookies over invoices in several states, a run, a parked service."""
    from tests.sessions import enter
    from tests.world import World

    world = World()
    bills.vat()
    today = ops_selectors.business_date(now=timezone.now())
    start = (today.replace(day=1) - timedelta(days=40)).replace(day=1)
    chidi = world.chidi.customer
    bills.service(chidi, bills.plan("12500", name="Home Fibre 20 Mbit/s"), start=start)
    bills.service(chidi, bills.plan("3999.99", name="Public address"), start=today)
    bills.service(world.dayo.customer, bills.plan(None), start=today)
    bills.bill(start)
    bills.bill(today)
    operations.issue_credit_note(
        invoice_id=Invoice.objects.earliest("pk").pk,
        reason="Three days without service",
        amount=Money(107_500, "NGN"),
        actor=bills.ACTOR,
        now=timezone.now(),
    )
    return {"sessionid": enter(world.ada).cookies["sessionid"].value}


def addresses():
    invoice = Invoice.objects.earliest("pk")
    note = Invoice.objects.credit_notes().get()
    run = BillingRun.objects.latest("pk")
    return [
        "/console/invoices",
        f"/console/invoices/{invoice.pk}",
        f"/console/invoices/{invoice.pk}?tab=ledger",
        f"/console/invoices/{invoice.pk}/credit",
        f"/console/invoices/{note.pk}",
        "/console/billing-runs",
        "/console/billing-runs/new",
        f"/console/billing-runs/{run.pk}",
        "/console/ledger",
        "/console/tax-rates",
        "/console/tax-rates/new",
        f"/console/customers/{invoice.customer_id}",
        f"/console/customers/{invoice.customer_id}?tab=billing",
        f"/console/customers/{invoice.customer_id}?tab=ledger",
    ]


def test_each_screen_is_quiet_and_fits(visit, ada):
    assert walk(visit(ada), addresses()) == {}


def test_a_run_is_previewed_in_the_page(visit, ada):
    visitor = visit(ada)
    visitor.open("/console/billing-runs/new")
    visitor.page.get_by_role("button", name="Preview").click()
    visitor.page.get_by_text("What it would bill").wait_for()
    assert visitor.faults() == []
