from apps.billing.enums.invoices import (
    Account,
    AccountKind,
    InvoiceKind,
    InvoiceState,
    ParkReason,
    SeriesKind,
)
from apps.billing.enums.payments import (
    MANUAL_METHODS,
    CutOffEnd,
    DunningOutcome,
    DunningStepKind,
    NoticeOutcome,
    ParkedFor,
    PaymentMethod,
    PaymentState,
    Provider,
)

__all__ = [
    "MANUAL_METHODS",
    "Account",
    "AccountKind",
    "CutOffEnd",
    "DunningOutcome",
    "DunningStepKind",
    "InvoiceKind",
    "InvoiceState",
    "NoticeOutcome",
    "ParkReason",
    "ParkedFor",
    "PaymentMethod",
    "PaymentState",
    "Provider",
    "SeriesKind",
]
