"""Guards of the ledger, invoices, payments and dunning."""

from tools.faults.guard import Body, Code, Guard, Kind, Sql

GUARDS = (
    Guard(
        app="billing",
        name="customer-before-a-payment",
        kind=Kind.LOCK,
        keeps="one payment is undone once, however many undo it",
        changes=(
            Code(
                "apps/billing/operations/payments.py",
                """    lock_customer(owner[0])
    return Payment.objects.locked().get(""",
                """    return Payment.objects.get(""",
            ),
        ),
        tests=("tests/races/test_cash.py::test_a_reversal_is_done_once_by_twenty",),
    ),
    Guard(
        app="billing",
        name="customer-before-credit",
        kind=Kind.LOCK,
        keeps="credit that waits is allocated once",
        changes=(
            Code(
                "apps/billing/operations/allocation.py",
                """    held = lock_customers(holders)
    list(Invoice.objects.open().filter(customer_id__in=held).locked().values("pk"))
    list(credit.filter(customer_id__in=held).locked().values("pk"))
""",
                "    held = holders\n",
            ),
        ),
        tests=("tests/races/test_cash.py::test_credit_is_allocated_once_by_many",),
    ),
    Guard(
        app="billing",
        name="entries-sum-to-zero",
        kind=Kind.CONSTRAINT,
        keeps="no ledger transaction takes more than it gives",
        changes=(
            Body(
                "billing_post_ledger_entries",
                "bool_and(c.sum_minor = 0) AS balanced",
                "true AS balanced",
            ),
        ),
        tests=(
            "tests/promises/test_ledger_guards.py::"
            "test_copy_is_judged_like_any_insert",
        ),
    ),
    Guard(
        app="billing",
        name="entries-are-append-only",
        kind=Kind.CONSTRAINT,
        keeps="a posting is never changed, by the owner of the tables neither",
        changes=(
            Sql("DROP TRIGGER billing_ledgerentry_append_only ON billing_ledgerentry"),
        ),
        tests=(
            "tests/promises/test_ledger_guards.py::"
            "test_each_attack_is_refused_for_its_reason[owner]",
        ),
    ),
    Guard(
        app="billing",
        name="month-billed-once",
        kind=Kind.CONSTRAINT,
        keeps="a service is never billed twice for one month",
        changes=(
            Sql(
                "ALTER TABLE billing_billedperiod"
                " DROP CONSTRAINT billing_billedperiod_once"
            ),
        ),
        tests=(
            "tests/promises/test_ledger_guards.py::test_each_attack_is_refused_for_its_reason[owner]",
        ),
    ),
    Guard(
        app="billing",
        name="bills-within-scope",
        kind=Kind.FILTER,
        keeps="customers see their own bills only",
        changes=(
            Code(
                "apps/billing/selectors/invoices.py",
                "    return identity.of_visible_customers(rows, actor, permission)",
                "    return rows",
            ),
        ),
        tests=("tests/billing/test_api_bills.py::test_customers_see_their_own_only",),
    ),
    Guard(
        app="billing",
        name="payments-within-scope",
        kind=Kind.FILTER,
        keeps="payments of others are not found",
        changes=(
            Code(
                "apps/billing/selectors/payments.py",
                "    return identity.of_visible_customers(rows, actor, permission)",
                "    return rows",
            ),
        ),
        tests=("tests/billing/test_api_payments.py::test_keeps_strangers_out",),
    ),
    Guard(
        app="billing",
        name="payment-of-a-gateway",
        kind=Kind.CHECK,
        keeps="what a gateway settled is not undone by hand",
        changes=(
            Code(
                "apps/billing/operations/payments.py",
                "if payment.provider or payment.state != PaymentState.SUCCEEDED:",
                "if payment.state != PaymentState.SUCCEEDED:",
            ),
        ),
        tests=(
            "tests/billing/test_checkout.py::"
            "test_cannot_undo_a_gateways_payment_by_hand",
        ),
    ),
    Guard(
        app="billing",
        name="credit-within-the-rest",
        kind=Kind.CHECK,
        keeps="a credit note takes no more than is left of its invoice",
        changes=(
            Code(
                "apps/billing/operations/credit_notes.py",
                "if amount.amount_minor > rest:",
                "if False:",
            ),
        ),
        tests=(
            "tests/billing/test_credit_notes.py::test_is_refused_and_changes_nothing",
        ),
    ),
    Guard(
        app="billing",
        name="signature-of-a-webhook",
        kind=Kind.SIGNATURE,
        keeps="a message with a wrong signature settles nothing",
        changes=(
            Code(
                "apps/billing/gateways/paystack.py",
                "if not hmac.compare_digest(sign(body)",
                "if False and not hmac.compare_digest(sign(body)",
            ),
        ),
        tests=(
            "tests/billing/test_api_payments.py::test_refuses_other_webhooks",
            "tests/billing/test_checkout.py::"
            "test_keeps_nothing_of_a_message_with_a_wrong_signature",
        ),
    ),
)
