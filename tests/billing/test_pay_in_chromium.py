"""Paying on a phone in a real browser, JavaScript off: bill, form, gateway, receipt."""

from __future__ import annotations

import copy
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from tests.browser import PHONE, chromium, site, visit

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]


@pytest.fixture
def shop(site, gateway, settings):
    """The site knows the gateway, and the gateway the site."""
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"] = ["'self'", gateway.url]
    settings.CONTENT_SECURITY_POLICY = policy
    settings.BASE_URL = site
    gateway.webhook_url = f"{site}/webhooks/paystack"
    return gateway


@pytest.fixture
def chidi(shop):
    """Chidi with an overdue bill, signed in."""
    from apps.ops import selectors as ops
    from tests.billing.owing import bill
    from tests.world import World

    world = World()
    today = ops.business_date(now=timezone.now())
    bill(world.chidi.customer, 1_500_000, due=today - timedelta(days=3))
    browser = world.portal(world.chidi)
    return {name: morsel.value for name, morsel in browser.cookies.items()}


def on_phone(visit, cookies):
    visitor = visit(cookies, PHONE, java_script_enabled=False)
    visitor.open("/portal/")
    return visitor


def to_gateway(page):
    page.get_by_role("link", name="Pay now").click()
    assert page.get_by_label("Amount in NGN").input_value() == "15000.00"
    page.get_by_role("button", name="Go to secure payment").click()
    page.wait_for_url("**/checkout/**")


def test_pays_and_reads_the_receipt(visit, chidi, shop):
    visitor = on_phone(visit, chidi)
    page = visitor.page
    to_gateway(page)

    assert page.get_by_text("Simulated gateway").is_visible()
    assert visitor.overflow() == ""
    page.get_by_role("button", name="Pay 15,000.00 NGN").click()
    page.wait_for_url("**/portal/pay/return**")

    assert page.get_by_role("heading", name="Paid. Thank you.").is_visible()
    assert page.get_by_text("You were charged 15,000.00 NGN.").is_visible()
    assert visitor.overflow() == ""
    page.get_by_role("link", name="Receipt").click()
    assert page.get_by_role("heading", name="Receipt PAY-").is_visible()
    page.get_by_role("link", name="All bills").click()
    assert page.get_by_text("You're all paid").is_visible()
    assert visitor.messages == []
    assert set(visitor.outside) == {urlsplit(shop.url).netloc}


def test_is_declined_then_leaves_then_pays(visit, chidi, shop):
    visitor = on_phone(visit, chidi)
    page = visitor.page
    to_gateway(page)

    page.get_by_role("button", name="Decline").click()
    page.wait_for_url("**/portal/pay/return**")
    assert page.get_by_text("You were not charged.").is_visible()

    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name="Go to secure payment").click()
    page.get_by_role("button", name="Abandon").click()
    page.wait_for_url("**/portal/pay/return**")
    assert page.get_by_role("heading", name="Not paid yet").is_visible()

    page.get_by_role("link", name="Back to the payment page").click()
    page.get_by_role("button", name="Pay 15,000.00 NGN").click()
    page.wait_for_url("**/portal/pay/return**")
    assert page.get_by_role("heading", name="Paid. Thank you.").is_visible()
    assert visitor.messages == []


def test_is_settled_by_the_webhook_when_nobody_returns(visit, chidi, shop):
    from apps.billing.models import GatewayEvent, Payment

    to_gateway(on_phone(visit, chidi).page)
    reference = Payment.objects.get().provider_ref
    shop.behaviour.webhook_copies = 3

    shop.pay(reference)
    shop.wait_for_webhooks()

    until = time.monotonic() + 10
    while Payment.objects.get().state != "succeeded" and time.monotonic() < until:
        time.sleep(0.1)
    assert Payment.objects.get().state == "succeeded"
    assert GatewayEvent.objects.get().outcome == "settled"


def test_every_page_of_bills_is_quiet_and_fits_the_phone(visit, chidi, shop):
    from apps.billing.models import Invoice
    from tests.billing.owing import pay

    invoice = Invoice.objects.select_related("customer").get()
    payment = pay(invoice.customer, 100, now=timezone.now())
    visitor = visit(chidi, PHONE)
    faults = {}
    for path in (
        "/portal/",
        "/portal/bills",
        f"/portal/bills/{invoice.pk}",
        f"/portal/payments/{payment.pk}",
        "/portal/pay",
        f"/portal/pay?invoice={invoice.pk}",
    ):
        answer = visitor.open(path)
        if found := visitor.faults() or answer.status != 200:
            faults[path] = found
        visitor.messages.clear()
    assert faults == {}
