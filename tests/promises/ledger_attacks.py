"""Attacks on the books: statements, and the constraint that must refuse them.

%(open)s, %(void)s are invoices, %(posted)s a ledger transaction, %(customer)s its
customer; %(new)s is what the statement before returned.
"""

NEW_TRANSACTION = (
    "WITH t AS (INSERT INTO billing_ledgertransaction"
    " (source_kind, source_id, occurred_date, description)"
    " VALUES ('attack', 1, '2026-11-20', '') RETURNING id)"
    " SELECT id FROM t"
)
ENTRY = (
    "INSERT INTO billing_ledgerentry"
    " (transaction_id, account_id, customer_id, amount_minor, currency) VALUES "
)
DRAFT = (
    "INSERT INTO billing_invoice (kind, state, number_year, customer_id, seller_id,"
    " issue_date, due_date, currency, subtotal_minor, tax_minor, total_minor,"
    " allocated_minor, credited_minor, buyer, note)"
    " SELECT 'invoice', 'draft', 2026, customer_id, seller_id, '2026-11-20',"
    " '2026-11-20', 'NGN', 100, 0, 100, 0, 0, '{}', '' FROM billing_invoice"
    " WHERE id = %(open)s RETURNING id"
)
LINE = (
    "INSERT INTO billing_invoiceline (invoice_id, number, description, unit_price,"
    " amount_minor, tax_class, tax_percent, service_reference) VALUES "
)

ATTACKS = {
    "change an entry": (
        "UPDATE billing_ledgerentry SET amount_minor = amount_minor * 2",
        "billing_ledgerentry_append_only",
    ),
    "delete entries": (
        "DELETE FROM billing_ledgerentry",
        "billing_ledgerentry_append_only",
    ),
    "truncate entries": (
        "TRUNCATE billing_ledgerentry",
        "billing_ledgerentry_append_only",
    ),
    "change a transaction": (
        "UPDATE billing_ledgertransaction SET occurred_date = '2020-01-01'",
        "billing_ledgertransaction_append_only",
    ),
    "delete a transaction": (
        "DELETE FROM billing_ledgertransaction",
        "billing_ledgertransaction_append_only",
    ),
    "truncate all": (
        "TRUNCATE billing_ledgertransaction CASCADE",
        "billing_ledgertransaction_append_only",
    ),
    "post into an old transaction": (
        ENTRY
        + "(%(posted)s, 1010, NULL, 5, 'NGN'), (%(posted)s, 1020, NULL, -5, 'NGN')",
        "billing_ledgerentry_posted_now",
    ),
    "post one side": (
        (NEW_TRANSACTION, ENTRY + "(%(new)s, 1010, NULL, 5, 'NGN')"),
        "billing_ledgerentry_balanced",
    ),
    "balance one currency with another": (
        (
            NEW_TRANSACTION,
            ENTRY + "(%(new)s, 1010, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'USD')",
        ),
        "billing_ledgerentry_balanced",
    ),
    "post twice into one transaction": (
        (
            NEW_TRANSACTION,
            ENTRY + "(%(new)s, 1010, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'NGN')",
            ENTRY + "(%(new)s, 1010, NULL, 7, 'NGN'), (%(new)s, 1020, NULL, -7, 'NGN')",
        ),
        "billing_ledgerentry_one_statement",
    ),
    "owe without a customer": (
        (
            NEW_TRANSACTION,
            ENTRY + "(%(new)s, 1100, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'NGN')",
        ),
        "billing_ledgerentry_account",
    ),
    "post into a transaction that is not there": (
        ENTRY + "(999999, 1010, NULL, 5, 'NGN'), (999999, 1020, NULL, -5, 'NGN')",
        "billing_ledgerentry_posted_now",
    ),
    "income of a customer": (
        (
            NEW_TRANSACTION,
            ENTRY
            + "(%(new)s, 1100, %(customer)s, 5, 'NGN'),"
            + " (%(new)s, 4000, %(customer)s, -5, 'NGN')",
        ),
        "billing_ledgerentry_account",
    ),
    "an account that is not in the chart": (
        (
            NEW_TRANSACTION,
            ENTRY + "(%(new)s, 6666, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'NGN')",
        ),
        "billing_ledgerentry_account",
    ),
    "an entry of nothing": (
        (NEW_TRANSACTION, ENTRY + "(%(new)s, 1010, NULL, 0, 'NGN')"),
        "billing_ledgerentry_not_zero",
    ),
    "a forged birth of a transaction": (
        "INSERT INTO billing_ledgertransaction"
        " (source_kind, source_id, occurred_date, description, posted_xid)"
        " VALUES ('attack', 2, '2026-11-20', '', 1)",
        "billing_ledgertransaction_posted_now",
    ),
    "the same source again": (
        "INSERT INTO billing_ledgertransaction"
        " (source_kind, source_id, occurred_date, description)"
        " VALUES ('invoice', %(open)s, '2026-11-20', '')",
        "billing_ledgertransaction_source_once",
    ),
    "change a balance": (
        "UPDATE billing_customerbalance SET balance_minor = 0",
        "billing_customerbalance_by_posting",
    ),
    "invent a balance": (
        "INSERT INTO billing_customerbalance (customer_id, currency, balance_minor)"
        " VALUES (%(customer)s, 'USD', -1000000)",
        "billing_customerbalance_by_posting",
    ),
    "delete a balance": (
        "DELETE FROM billing_customerbalance",
        "billing_customerbalance_by_posting",
    ),
    "drop an account": (
        "DELETE FROM billing_ledgeraccount WHERE code = 4000",
        "billing_ledgeraccount_kept",
    ),
    "turn an account": (
        "UPDATE billing_ledgeraccount SET per_customer = false WHERE code = 1100",
        "billing_ledgeraccount_fixed",
    ),
    "count a series down": (
        "UPDATE billing_numberseries SET next_value = 1",
        "billing_numberseries_counts_up",
    ),
    "drop a series": ("DELETE FROM billing_numberseries", "billing_numberseries_kept"),
    "another total": (
        "UPDATE billing_invoice SET subtotal_minor = 1, tax_minor = 0, total_minor = 1"
        " WHERE id = %(open)s",
        "billing_invoice_final",
    ),
    "a total that is no sum": (
        "UPDATE billing_invoice SET total_minor = total_minor + 1 WHERE id = %(open)s",
        "billing_invoice_total",
    ),
    "another buyer": (
        'UPDATE billing_invoice SET buyer = \'{"name": "x"}\' WHERE id = %(open)s',
        "billing_invoice_final",
    ),
    "a later due date": (
        "UPDATE billing_invoice SET due_date = '2030-01-01' WHERE id = %(open)s",
        "billing_invoice_final",
    ),
    "another number": (
        "UPDATE billing_invoice SET number = 999, reference = 'INV-2026-000999'"
        " WHERE id = %(open)s",
        "billing_invoice_final",
    ),
    "a new key": (
        "UPDATE billing_invoice SET id = 999999 WHERE id = %(open)s",
        "billing_invoice_key_fixed",
    ),
    "back to draft": (
        "UPDATE billing_invoice SET state = 'draft' WHERE id = %(open)s",
        "billing_invoice_final_has_number",
    ),
    "paid without money": (
        "UPDATE billing_invoice SET state = 'paid' WHERE id = %(open)s",
        "billing_invoice_state_fits_amounts",
    ),
    "void without a credit note": (
        "UPDATE billing_invoice SET state = 'void', credited_minor = total_minor"
        " WHERE id = %(open)s",
        "billing_invoice_credited",
    ),
    "credited beyond the total": (
        "UPDATE billing_invoice SET credited_minor = total_minor + 1 WHERE id = %(open)s",
        "billing_invoice_not_overpaid",
    ),
    "open again what is void": (
        "UPDATE billing_invoice SET state = 'open', credited_minor = 0"
        " WHERE id = %(void)s",
        "billing_invoice_edges",
    ),
    "delete an invoice": (
        "DELETE FROM billing_invoice WHERE id = %(open)s",
        "billing_invoice_kept",
    ),
    "truncate invoices": ("TRUNCATE billing_invoice CASCADE", "billing_invoice_kept"),
    "one more line": (
        LINE + "(%(open)s, 99, 'x', 1, 100, 'standard', 7.5, '')",
        "billing_invoiceline_draft_only",
    ),
    "one more tax": (
        "INSERT INTO billing_invoicetax"
        " (invoice_id, tax_class, label, percent, base_minor, amount_minor)"
        " VALUES (%(open)s, 'x', 'x', 1, 0, 5)",
        "billing_invoicetax_draft_only",
    ),
    "a line of no invoice": (
        LINE + "(999999, 1, 'x', 1, 100, 'standard', 7.5, '')",
        "billing_invoiceline_invoice_exists",
    ),
    "a tax of no invoice": (
        "INSERT INTO billing_invoicetax"
        " (invoice_id, tax_class, label, percent, base_minor, amount_minor)"
        " VALUES (999999, 'x', 'x', 1, 0, 5)",
        "billing_invoicetax_invoice_exists",
    ),
    "a line of no invoice among good ones": (
        (
            DRAFT,
            LINE
            + "(%(new)s, 1, 'x', 1, 100, 'standard', 7.5, ''),"
            + " (%(new)s, 2, 'x', 1, 100, 'standard', 7.5, ''),"
            + " (999999, 1, 'x', 1, 100, 'standard', 7.5, '')",
        ),
        "billing_invoiceline_invoice_exists",
    ),
    "a month billed by no invoice": (
        "INSERT INTO billing_billedperiod (service_id, period_start, invoice_id)"
        " SELECT service_id, '2030-01-01', 999999 FROM billing_billedperiod",
        "billing_billedperiod_invoice_exists",
    ),
    "a month billed by an invoice issued before": (
        "INSERT INTO billing_billedperiod (service_id, period_start, invoice_id)"
        " SELECT service_id, '2030-01-01', %(open)s FROM billing_billedperiod",
        "billing_billedperiod_draft_only",
    ),
    "change a line": (
        "UPDATE billing_invoiceline SET amount_minor = 1",
        "billing_invoiceline_append_only",
    ),
    "delete taxes": (
        "DELETE FROM billing_invoicetax",
        "billing_invoicetax_append_only",
    ),
    "an invoice that never was a draft": (
        DRAFT.replace("'draft'", "'open'")
        .replace("buyer, note)", "buyer, note, number, reference)")
        .replace("'{}', ''", "'{}', '', 1000, 'INV-2026-001000'"),
        "billing_invoice_starts_as_draft",
    ),
    "new keys for drafts": (
        (DRAFT, DRAFT, "UPDATE billing_invoice SET id = -id WHERE state = 'draft'"),
        "billing_invoice_key_fixed",
    ),
    "a draft without lines made final": (
        (
            DRAFT,
            "UPDATE billing_numberseries SET next_value = next_value + 1",
            "UPDATE billing_invoice SET state = 'open', number = 3,"
            " reference = 'INV-2026-000003' WHERE id = %(new)s",
        ),
        "billing_invoice_adds_up",
    ),
    "a number that nobody gave": (
        (
            DRAFT.replace("100, 0, 100", "0, 0, 0"),
            "UPDATE billing_invoice SET state = 'paid', number = 77,"
            " reference = 'INV-2026-000077' WHERE id = %(new)s",
        ),
        "billing_invoice_number_given",
    ),
    "bill a month again": (
        "INSERT INTO billing_billedperiod (service_id, period_start, invoice_id)"
        " SELECT service_id, period_start, invoice_id FROM billing_billedperiod",
        "billing_billedperiod_once",
    ),
    "forget that a month was billed": (
        "DELETE FROM billing_billedperiod",
        "billing_billedperiod_append_only",
    ),
    "two rates at a time": (
        "INSERT INTO billing_taxrate (tax_class_id, label, percent, valid_from)"
        " SELECT tax_class_id, label, 50, '2026-01-01' FROM billing_taxrate",
        "billing_taxrate_one_at_a_time",
    ),
    "another seller": (
        "UPDATE billing_sellerprofile SET details = '{}'",
        "billing_sellerprofile_kept",
    ),
    "a run that is gone": ("DELETE FROM billing_billingrun", "billing_billingrun_kept"),
}
