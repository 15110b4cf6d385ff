from django.apps import AppConfig

from dotmac.core import invariants, participants, permissions
from dotmac.core.merging import Mover
from dotmac.core.personal import Keeper


class BillingConfig(AppConfig):
    name = "apps.billing"
    label = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.billing import (
            handlers,  # noqa: F401 - registers what listens
            operations,
        )
        from apps.billing.selectors import cash_history, history, personal
        from apps.billing.selectors.cash_invariants import INVARIANTS
        from apps.billing.selectors.integrity import BOOK_INVARIANTS, INVOICE_INVARIANTS

        invariants.register(*BOOK_INVARIANTS, *INVOICE_INVARIANTS)
        participants.register(
            "identity.customer",
            participants.Participant(
                app="billing",
                can_delete=history.reasons_to_keep,
                timeline=history.TIMELINE,
                keeper=Keeper(
                    export=personal.held_of,
                    objections=personal.open_money,
                    erase=operations.erase_words,
                ),
                mover=Mover(
                    objections=operations.objections_to_merge,
                    move=operations.move_money,
                    give_back=operations.judge_again,
                ),
            ),
        )
        invariants.register(*INVARIANTS)
        participants.register(
            "identity.customer",
            participants.Participant(
                app="billing.cash",
                can_delete=cash_history.reasons_to_keep_payer,
                timeline=cash_history.TIMELINE,
            ),
        )
        self._declare_permissions()

    def _declare_permissions(self) -> None:
        permissions.declare(
            "billing",
            view_invoice="See invoices and credit notes.",
            issue_credit_note="Write credit notes.",
            view_run="See bill runs and what they will bill.",
            run_billing="Start bill runs.",
            view_ledger="Read ledger entries and balances.",
            set_tax_rate="Set tax classes and their rates.",
            view_payment="See payments.",
            record_payment="Record money received.",
            reverse_payment="Undo a payment that was recorded by mistake.",
            view_dunning="See who is reminded and cut off, and why.",
            run_dunning="Start a dunning run.",
            set_dunning_policy="Change when customers are reminded and cut off.",
            promise_payment="Note until when a customer promises to pay.",
            start_checkout="Pay at the gateway.",
        )
        permissions.declare_dangerous("billing", "issue_credit_note", "reverse_payment")
        permissions.declare_whole(
            "billing",
            "view_run",
            "run_billing",
            "set_tax_rate",
            "run_dunning",
            "set_dunning_policy",
        )
        permissions.declare_amounts(
            "billing",
            "record_payment",
            "reverse_payment",
            "issue_credit_note",
            "start_checkout",
        )
