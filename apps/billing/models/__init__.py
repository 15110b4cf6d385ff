from apps.billing.models.dunning import (
    DunningAction,
    DunningPolicy,
    DunningStep,
    NoCutOffDay,
    PromiseToPay,
)
from apps.billing.models.invoice import (
    BilledPeriod,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    SellerProfile,
)
from apps.billing.models.ledger import (
    CustomerBalance,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
)
from apps.billing.models.number import NumberSeries
from apps.billing.models.payment import (
    CheckoutIntent,
    GatewayEvent,
    Payment,
    PaymentAllocation,
)
from apps.billing.models.run import BillingChunk, BillingRun, ParkedService
from apps.billing.models.tax import TaxClass, TaxRate

__all__ = [
    "BilledPeriod",
    "BillingChunk",
    "BillingRun",
    "CheckoutIntent",
    "CustomerBalance",
    "DunningAction",
    "DunningPolicy",
    "DunningStep",
    "GatewayEvent",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "NoCutOffDay",
    "NumberSeries",
    "ParkedService",
    "Payment",
    "PaymentAllocation",
    "PromiseToPay",
    "SellerProfile",
    "TaxClass",
    "TaxRate",
]
