"""What billing can do, in the order of the life of money."""

from apps.billing.operations.allocation import (
    allocate_credit,
    release_allocations,
)
from apps.billing.operations.checkout import (
    accept_webhook,
    confirm_checkout,
    open_checkout,
    settle_payment,
    start_checkout,
    verify_pending_payments,
)
from apps.billing.operations.credit_notes import (
    issue_credit_note,
)
from apps.billing.operations.dunning import (
    DunningReport,
    promise_to_pay,
    review_customer,
    run_dunning,
    withdraw_promise,
)
from apps.billing.operations.dunning_policy import set_dunning_policy
from apps.billing.operations.ledger import (
    post,
    reverse,
)
from apps.billing.operations.merging import (
    judge_again,
    move_money,
    objections_to_merge,
)
from apps.billing.operations.numbers import (
    reference_of,
    take_numbers,
)
from apps.billing.operations.parked import dismiss_parked, take_parked
from apps.billing.operations.payments import (
    record_payment,
    reverse_payment,
)
from apps.billing.operations.personal import erase_words
from apps.billing.operations.receipts import (
    send_receipt,
)
from apps.billing.operations.runs import (
    bill_next_chunk,
    finish_run,
    run_billing,
    start_run,
)
from apps.billing.operations.taxes import (
    set_tax_rate,
)
from apps.billing.operations.writing import (
    write_invoices,
)

__all__ = [
    "DunningReport",
    "accept_webhook",
    "allocate_credit",
    "bill_next_chunk",
    "confirm_checkout",
    "dismiss_parked",
    "erase_words",
    "finish_run",
    "issue_credit_note",
    "judge_again",
    "move_money",
    "objections_to_merge",
    "open_checkout",
    "post",
    "promise_to_pay",
    "record_payment",
    "reference_of",
    "release_allocations",
    "reverse",
    "reverse_payment",
    "review_customer",
    "run_billing",
    "run_dunning",
    "send_receipt",
    "set_dunning_policy",
    "set_tax_rate",
    "settle_payment",
    "start_checkout",
    "start_run",
    "take_numbers",
    "take_parked",
    "verify_pending_payments",
    "withdraw_promise",
    "write_invoices",
]
