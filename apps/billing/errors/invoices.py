from __future__ import annotations

from dotmac.core.errors import Conflict, InvalidInput


class PostedDifferently(Conflict):
    """The same source was posted before with other entries."""

    code = "posted_differently"
    title = "This event is in the ledger already, with other amounts."


class AlreadyReversed(Conflict):
    code = "already_reversed"
    title = "This ledger transaction was reversed already."


class InvoiceNotCreditable(Conflict):
    """A draft, a credit note or a void invoice takes no credit note."""

    code = "invoice_not_creditable"
    title = "A credit note can only be written against an issued invoice."


class CreditExceedsRest(Conflict):
    """The credit asked for is more than what is left of the invoice or line."""

    code = "credit_exceeds_rest"
    title = "The credit is more than what is left of the invoice."


class CreditNothing(InvalidInput):
    code = "credit_nothing"
    title = "A credit note needs an amount above zero."


class CreditUnclear(InvalidInput):
    code = "credit_unclear"
    title = "Say one of: everything, an amount, or amounts by line."


class UnknownLine(InvalidInput):
    code = "unknown_line"
    title = "The line does not belong to this invoice."


class BillingDayAhead(InvalidInput):
    """Bills are dated: a day after the business date is not billed yet."""

    code = "billing_day_ahead"
    title = "Billing cannot run for a day that has not come."


class RunInProgress(Conflict):
    """Runs follow one another; the open one is finished first."""

    code = "run_in_progress"
    title = "A bill run of another day is still going."


class TaxPercentRefused(InvalidInput):
    code = "tax_percent_refused"
    title = "A rate lies between 0 and 100 percent and has at most six digits."


class TaxRateBackdated(Conflict):
    code = "tax_rate_backdated"
    title = "A later rate of this tax class exists already."
