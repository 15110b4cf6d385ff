"""What billing can do, in the order of the life of money."""

from apps.billing.operations.credit_notes import issue_credit_note
from apps.billing.operations.ledger import post, reverse
from apps.billing.operations.numbers import reference_of, take_numbers
from apps.billing.operations.runs import (
    bill_next_chunk,
    finish_run,
    run_billing,
    start_run,
)
from apps.billing.operations.taxes import set_tax_rate
from apps.billing.operations.writing import write_invoices

__all__ = [
    "bill_next_chunk",
    "finish_run",
    "issue_credit_note",
    "post",
    "reference_of",
    "reverse",
    "run_billing",
    "set_tax_rate",
    "start_run",
    "take_numbers",
    "write_invoices",
]
