"""Words of payments, gateways and dunning. The payment states are fixed."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PaymentState(TextChoices):
    PENDING = "pending", _("Pending")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    REFUNDED = "refunded", _("Refunded")


class PaymentMethod(TextChoices):
    CASH = "cash", _("Cash")
    BANK_TRANSFER = "bank_transfer", _("Bank transfer")
    POS = "pos", _("Card terminal")
    CHEQUE = "cheque", _("Cheque")
    PAYSTACK = "paystack", _("Paystack")


# What staff may record by hand; a gateway's payments come from the gateway.
MANUAL_METHODS = (
    PaymentMethod.CASH,
    PaymentMethod.BANK_TRANSFER,
    PaymentMethod.POS,
    PaymentMethod.CHEQUE,
)


class Provider(TextChoices):
    PAYSTACK = "paystack", "Paystack"


class NoticeOutcome(TextChoices):
    """What we did with a genuine message of a gateway."""

    SETTLED = "settled", _("Settled the payment")
    ALREADY = "already", _("The payment was settled before")
    FAILED = "failed", _("The payment failed")
    UNDECIDED = "undecided", _("Nothing is decided yet")
    PARKED = "parked", _("Parked: it does not fit the payment")
    UNKNOWN_REFERENCE = "unknown_reference", _("No payment has this reference")
    IGNORED = "ignored", _("Of no interest here")


class ParkedFor(TextChoices):
    """Why money that arrived is not taken for the payment that was asked."""

    NONE = "", ""
    OTHER_AMOUNT = "other_amount", _("The gateway charged another amount.")
    OTHER_CURRENCY = "other_currency", _("The gateway charged another currency.")


class DunningStepKind(TextChoices):
    REMIND = "remind", _("Reminder")
    WALLED_GARDEN = "walled_garden", _("Walled garden")


class DunningOutcome(TextChoices):
    TAKEN = "taken", _("Taken")
    SKIPPED = "skipped", _("Skipped: a later step was due as well")


class CutOffEnd(TextChoices):
    """Why a cut-off of dunning ended."""

    NONE = "", ""
    PAID = "paid", _("Nothing is overdue any more")
    PROMISE = "promise", _("A promise to pay runs")
