"""Paying: a form, the gateway's own page, and a clear answer on return."""

from __future__ import annotations

import secrets
import time
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apps.billing import operations, selectors
from apps.billing.enums import PaymentState
from apps.billing.errors import CheckoutOpening, GatewaySilent
from apps.billing.models import CheckoutIntent, Invoice, Payment
from apps.billing.portal.bills import bills_of
from apps.identity import selectors as identity
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.money import Money, MoneyError
from dotmac.core.portal import PortalPage, PortalPageRequest, register_page

DIGITS_MAX = 18
KEY_DIGITS = 32
OPENING_TRIES_MAX = 40
OPENING_WAIT_S = 0.3
# Statuses of the gateway that mean: the customer has not finished the page.
NOT_FINISHED = frozenset({"abandoned", "unknown"})


@register_page
class Pay(PortalPage):
    """How much, and off to the gateway's page."""

    path, name, title = "pay", "pay", _("Pay")
    template, menu = "billing/portal/pay.html", "bills"

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        page.require("billing.start_checkout")
        standing = selectors.standing_of(page.customer_id, day=page.today)
        invoice = _named_invoice(page, page.form or page.query)
        why = selectors.why_suspended(page.customer_id)
        # Somebody cut off is asked for what reconnects, others for all they owe.
        due = why.overdue if why else standing.owed
        due = invoice.open_amount if invoice else due
        return {
            "invoice": invoice,
            "standing": standing,
            "amount": page.form.get("amount", due.plain() if due else ""),
            "currency": standing.owed.currency,
            # A key of its own for each form shown: sending it twice pays once.
            "key": secrets.token_hex(KEY_DIGITS // 2),
            "pending": selectors.pending_payments_of(page.customer_id)[:3],
            "why": why,
        }

    def submit(self, page: PortalPageRequest, **_path: Any) -> HttpResponseBase:
        page.require("billing.start_checkout")
        customer = identity.customer_snapshot(page.customer_id)
        invoice = _named_invoice(page, page.form)
        payment = operations.start_checkout(
            customer_id=page.customer_id,
            amount=_amount(page, customer.currency),
            key=_key(page),
            invoice_id=invoice.pk if invoice else None,
            actor=page.actor,
            now=page.now,
        )
        intent = _open(payment, customer.email, page)
        return HttpResponseRedirect(intent.page_url)


@register_page
class Return(PortalPage):
    """Back from the gateway: was it paid? We ask the gateway, not the address."""

    path, name, title = "pay/return", "pay-return", _("Your payment")
    template, menu = "billing/portal/returned.html", "bills"
    only_shows = False

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        page.require("billing.start_checkout")
        reference = page.query.get("reference") or page.query.get("trxref", "")
        payment = selectors.find_payment(provider_ref=reference)
        if payment is None or payment.customer_id != page.customer_id:
            raise NotFound
        payment = operations.confirm_checkout(reference=reference, now=page.now)
        assert payment is not None
        intent = selectors.intent_of(payment.pk)
        assert intent is not None
        outcome = _outcome(payment, intent)
        return {
            "payment": payment,
            "intent": intent,
            "outcome": outcome,
            "waits": outcome == "waiting",
            "allocations": selectors.allocations_of([payment.pk])[payment.pk],
            "standing": selectors.standing_of(page.customer_id, day=page.today),
            "why": selectors.why_suspended(page.customer_id),
        }


def _outcome(payment: Payment, intent: CheckoutIntent) -> str:
    """paid, declined, parked, left (the page was not finished) or waiting."""
    if payment.state == PaymentState.SUCCEEDED:
        return "paid"
    if intent.parked_for:
        return "parked"
    if payment.state == PaymentState.FAILED:
        return "declined"
    return "left" if intent.provider_status in NOT_FINISHED else "waiting"


def _open(payment: Payment, email: str, page: PortalPageRequest) -> CheckoutIntent:
    """The gateway's page. The form sent twice waits for the first one's page."""
    return_url = settings.BASE_URL + reverse("portal:pay-return")
    for _attempt in range(OPENING_TRIES_MAX):
        try:
            return operations.open_checkout(
                payment_id=payment.pk, email=email, return_url=return_url, now=page.now
            )
        except CheckoutOpening:
            time.sleep(OPENING_WAIT_S)
    raise GatewaySilent


def _named_invoice(page: PortalPageRequest, values: Any) -> Invoice | None:
    """The bill that the form or the link names, if it is the customer's and open."""
    text = values.get("invoice", "")
    if not text.isdecimal() or len(text) > DIGITS_MAX:
        return None
    return bills_of(page).open().filter(pk=int(text)).first()


def _amount(page: PortalPageRequest, currency: str) -> Money:
    text = page.form.get("amount", "").strip().replace(",", "")
    try:
        return Money.of(text, currency)
    except MoneyError as error:
        raise InvalidInput(
            _t("Write an amount such as 12500.00."), field="amount"
        ) from error


def _key(page: PortalPageRequest) -> str:
    text = page.form.get("key", "")
    if len(text) != KEY_DIGITS or not set(text) <= set("0123456789abcdef"):
        raise InvalidInput(_t("Send the form again, please."), field="key")
    return text
