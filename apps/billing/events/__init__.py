from apps.billing.events.invoices import (
    BillingRunFinished,
    BillingRunStarted,
    CreditNoteIssued,
    InvoicesIssued,
    TaxRateSet,
)

__all__ = [
    "BillingRunFinished",
    "BillingRunStarted",
    "CreditNoteIssued",
    "InvoicesIssued",
    "TaxRateSet",
]
