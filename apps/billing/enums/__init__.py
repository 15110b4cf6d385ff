from apps.billing.enums.invoices import (
    Account,
    AccountKind,
    InvoiceKind,
    InvoiceState,
    ParkReason,
    SeriesKind,
)

__all__ = [
    "Account",
    "AccountKind",
    "InvoiceKind",
    "InvoiceState",
    "ParkReason",
    "SeriesKind",
]
