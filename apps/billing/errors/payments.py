"""Refusals of payments, checkouts, webhooks and dunning."""

from __future__ import annotations

from dotmac.core.errors import (
    AuthenticationRefused,
    Conflict,
    InvalidInput,
    NotFound,
    Unavailable,
)


class UnknownCustomer(InvalidInput):
    code = "unknown_customer"
    title = "There is no such customer."


class AmountNotPositive(InvalidInput):
    code = "amount_not_positive"
    title = "A payment is greater than zero."


class AmountTooLarge(InvalidInput):
    code = "amount_too_large"
    title = "The amount is larger than one payment may be."


class OtherCurrency(InvalidInput):
    code = "other_currency"
    title = "The customer pays in another currency."


class UnknownInvoice(InvalidInput):
    """Missing, a credit note, or another customer's: the answer is the same."""

    code = "unknown_invoice"
    title = "This customer has no such invoice."


class InvoiceNotPayable(Conflict):
    code = "invoice_not_payable"
    title = "The invoice takes no payment: it is void or not issued."


class UnknownMethod(InvalidInput):
    code = "unknown_method"
    title = "Payments of this method cannot be recorded by hand."


class ReceivedAhead(InvalidInput):
    code = "received_date_ahead"
    title = "A payment cannot have been received on a day that has not come."


class UnknownPayment(NotFound):
    code = "unknown_payment"
    title = "There is no such payment."


class PaymentNotReversible(Conflict):
    """Pending, failed, or a gateway's: only a recorded payment is reversed."""

    code = "payment_not_reversible"
    title = "Only a payment that was recorded by hand can be reversed."


class PaymentNotParked(Conflict):
    code = "payment_not_parked"
    title = "No money is parked for this payment."


class ReasonNeeded(InvalidInput):
    code = "reason_needed"
    title = "Say why."


class CheckoutKeyReused(Conflict):
    code = "checkout_key_reused"
    title = "This payment was started before, with other values."


class TooManyCheckouts(Conflict):
    code = "too_many_checkouts"
    title = "Too many payments are under way. Finish one of them, or try later."


class EmailNeeded(Conflict):
    code = "email_needed"
    title = "Paying on line needs an e-mail address on the account."


class GatewaySilent(Unavailable):
    code = "gateway_unavailable"
    title = "The payment gateway does not answer. You were not charged."


class CheckoutOpening(Conflict):
    code = "checkout_opening"
    title = "The payment page is being opened. Nothing was charged yet."


class CheckoutRefused(Conflict):
    code = "gateway_refused"
    title = "The payment gateway refused to start the payment. You were not charged."


class WebhookRefused(AuthenticationRefused):
    code = "webhook_refused"
    title = "The message is not from the payment gateway."


class NothingOverdue(Conflict):
    code = "nothing_overdue"
    title = "The customer has nothing overdue."


class PromiseDateWrong(InvalidInput):
    code = "promise_date_wrong"
    title = "A promise is for today or later, and not too far ahead."


class DunningDayAhead(InvalidInput):
    code = "dunning_day_ahead"
    title = "Dunning cannot run for a day that has not come."


class PolicyWrong(InvalidInput):
    """`fault` names the part: steps, cut_off_weekdays, cut_off_to_hour, ignore_below."""

    code = "policy_wrong"
    title = "The policy makes no sense: steps come later and later, the cut-off last."
