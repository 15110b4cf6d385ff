"""Staff screens of billing: bills, payments, dunning."""

from apps.billing.console import (
    cash_hub,
    dunning,
    dunning_policy,
    hub,
    invoices,
    ledger,
    payments,
    runs,
)

__all__ = [
    "cash_hub",
    "dunning",
    "dunning_policy",
    "hub",
    "invoices",
    "ledger",
    "payments",
    "runs",
]
