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
    customers_done,
    due_date_of,
    invoiced_customers,
    open_run,
    parked_services_of,
    preview_invoice,
    preview_run,
    rate_range,
    runs_visible_to,
    totals_text,
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
    "customers_done",
    "due_date_of",
    "find_invoice",
    "invoice_detail",
    "invoice_pdf",
    "invoiced_customers",
    "invoices_visible_to",
    "ledger_entries_visible_to",
    "lines_of",
    "open_invoices_of",
    "open_run",
    "parked_services_of",
    "preview_invoice",
    "preview_run",
    "rate_range",
    "rates_on",
    "receivables_by_age",
    "runs_visible_to",
    "totals_text",
]
