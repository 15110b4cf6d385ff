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
from apps.billing.models.run import BillingChunk, BillingRun, ParkedService
from apps.billing.models.tax import TaxClass, TaxRate

__all__ = [
    "BilledPeriod",
    "BillingChunk",
    "BillingRun",
    "CustomerBalance",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "NumberSeries",
    "ParkedService",
    "SellerProfile",
    "TaxClass",
    "TaxRate",
]
