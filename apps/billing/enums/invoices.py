"""Words of invoices, the ledger and bill runs. The states are fixed by the design."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class InvoiceKind(TextChoices):
    INVOICE = "invoice", _("Invoice")
    CREDIT_NOTE = "credit_note", _("Credit note")


class InvoiceState(TextChoices):
    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    UNCOLLECTIBLE = "uncollectible", _("Uncollectible")
    VOID = "void", _("Void")


class AccountKind(TextChoices):
    ASSET = "asset", _("Asset")
    LIABILITY = "liability", _("Liability")
    INCOME = "income", _("Income")
    EXPENSE = "expense", _("Expense")


class Account(IntegerChoices):
    """The chart of accounts: the number is the primary key of LedgerAccount."""

    CASH = 1010, _("Cash in hand")
    BANK = 1020, _("Bank")
    GATEWAY_CLEARING = 1030, _("Payment gateways, on the way to the bank")
    RECEIVABLE = 1100, _("Receivable from customers")
    TAX_PAYABLE = 2200, _("Tax collected, owed to the state")
    INTERNET_INCOME = 4000, _("Income from Internet services")
    GATEWAY_FEES = 5010, _("Fees of payment gateways")


class SeriesKind(TextChoices):
    """Which documents draw numbers without gaps."""

    INVOICE = "invoice", "INV"
    CREDIT_NOTE = "credit_note", "CN"


class ParkReason(TextChoices):
    """Why a bill run left a service aside instead of guessing."""

    NO_PRICE = "no_price", _("The plan has no price in the customer's currency.")
    OTHER_CURRENCY = "other_currency", _("The price is in another currency.")
    NO_TAX_RATE = "no_tax_rate", _("The tax class has no rate on that day.")
