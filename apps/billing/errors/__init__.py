from apps.billing.errors.invoices import (
    AlreadyReversed,
    BillingDayAhead,
    CreditExceedsRest,
    CreditNothing,
    InvoiceNotCreditable,
    PostedDifferently,
    RunInProgress,
    TaxRateBackdated,
    UnknownLine,
    UnknownTaxClass,
)

__all__ = [
    "AlreadyReversed",
    "BillingDayAhead",
    "CreditExceedsRest",
    "CreditNothing",
    "InvoiceNotCreditable",
    "PostedDifferently",
    "RunInProgress",
    "TaxRateBackdated",
    "UnknownLine",
    "UnknownTaxClass",
]
