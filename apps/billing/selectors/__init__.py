"""What others may ask of billing."""

from apps.billing.selectors.balances import (
    AgedReceivables,
    balance_of,
    balances_of,
    ledger_entries_visible_to,
    receivables_by_age,
)
from apps.billing.selectors.invoices import (
    InvoiceDetail,
    creditable_rest,
    find_invoice,
    invoice_detail,
    invoice_pdf,
    invoices_visible_to,
    lines_of,
    open_invoices_of,
)
from apps.billing.selectors.runs import (
    InvoicePreview,
    RunPreview,
    due_date_of,
    parked_services_of,
    preview_invoice,
    preview_run,
    rate_range,
    runs_visible_to,
)
from apps.billing.selectors.taxes import rates_on

__all__ = [
    "AgedReceivables",
    "InvoiceDetail",
    "InvoicePreview",
    "RunPreview",
    "balance_of",
    "balances_of",
    "creditable_rest",
    "due_date_of",
    "find_invoice",
    "invoice_detail",
    "invoice_pdf",
    "invoices_visible_to",
    "ledger_entries_visible_to",
    "lines_of",
    "open_invoices_of",
    "parked_services_of",
    "preview_invoice",
    "preview_run",
    "rate_range",
    "rates_on",
    "receivables_by_age",
    "runs_visible_to",
]
