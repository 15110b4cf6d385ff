"""What must never be false about bills and books. See docs/money.md 9."""

from dotmac.core.invariants import Invariant

BOOK_INVARIANTS = (
    Invariant(
        name="billing.ledger_sums_to_zero",
        says="All entries of a currency sum to zero.",
        sql="""
            SELECT currency, sum(amount_minor) AS off_minor FROM billing_ledgerentry
            GROUP BY currency HAVING sum(amount_minor) <> 0
        """,
    ),
    Invariant(
        name="billing.transactions_balance",
        says="Each ledger transaction has entries and sums to zero per currency.",
        sql="""
            SELECT t.id, e.currency, coalesce(sum(e.amount_minor), 0) AS off_minor
            FROM billing_ledgertransaction t
            LEFT JOIN billing_ledgerentry e ON e.transaction_id = t.id
            GROUP BY t.id, e.currency
            HAVING e.currency IS NULL OR sum(e.amount_minor) <> 0
        """,
    ),
    Invariant(
        name="billing.balances_equal_entries",
        says="A customer's balance is the sum of their receivable entries.",
        sql="""
            SELECT customer_id, currency, b.minor AS balance_minor, e.minor AS entries_minor
            FROM (SELECT customer_id, currency, balance_minor AS minor
                  FROM billing_customerbalance) b
            FULL JOIN (SELECT customer_id, currency, sum(amount_minor) AS minor
                       FROM billing_ledgerentry WHERE customer_id IS NOT NULL
                       GROUP BY 1, 2) e USING (customer_id, currency)
            WHERE coalesce(b.minor, 0) <> coalesce(e.minor, 0)
        """,
    ),
    Invariant(
        name="billing.accounts_fit",
        says="Receivable entries name a customer and no other entry does.",
        sql="""
            SELECT e.id, e.account_id, e.customer_id FROM billing_ledgerentry e
            LEFT JOIN billing_ledgeraccount a ON a.code = e.account_id
            WHERE a.per_customer IS DISTINCT FROM (e.customer_id IS NOT NULL)
        """,
    ),
    Invariant(
        name="billing.reversals_mirror",
        says="A reversal has the entries of its original with the signs turned.",
        sql="""
            SELECT r.id, r.reverses_id FROM billing_ledgertransaction r
            WHERE r.reverses_id IS NOT NULL AND EXISTS (
                SELECT account_id, customer_id, currency, sum(amount_minor)
                FROM billing_ledgerentry WHERE transaction_id IN (r.id, r.reverses_id)
                GROUP BY 1, 2, 3 HAVING sum(amount_minor) <> 0)
        """,
    ),
)

INVOICE_INVARIANTS = (
    Invariant(
        name="billing.numbers_have_no_gaps",
        says="Each series of numbers runs from 1 without gaps up to what it gave.",
        sql="""
            SELECT coalesce(i.kind, s.kind) AS kind, coalesce(i.year, s.year) AS year,
                   i.found, i.least, i.most, s.next_value
            FROM (SELECT kind, number_year AS year, count(*) AS found,
                         min(number) AS least, max(number) AS most
                  FROM billing_invoice WHERE number IS NOT NULL GROUP BY 1, 2) i
            FULL JOIN billing_numberseries s ON s.kind = i.kind AND s.year = i.year
            WHERE (coalesce(i.found, 0), coalesce(i.most, 0))
                  IS DISTINCT FROM (coalesce(s.next_value, 1) - 1,
                                    coalesce(s.next_value, 1) - 1)
               OR coalesce(i.least, 1) <> 1
        """,
    ),
    Invariant(
        name="billing.no_drafts_remain",
        says="A draft lives only inside the transaction that writes it.",
        sql="SELECT id, customer_id, created_at FROM billing_invoice WHERE state = 'draft'",
    ),
    Invariant(
        name="billing.invoices_add_up",
        says="Lines sum to the subtotal, taxes to the tax, tax bases to the subtotal.",
        sql="""
            SELECT i.id, i.reference, i.subtotal_minor, l.minor AS lines_minor,
                   i.tax_minor, t.minor AS taxes_minor, t.base AS bases_minor
            FROM billing_invoice i
            LEFT JOIN (SELECT invoice_id, sum(amount_minor) AS minor
                       FROM billing_invoiceline GROUP BY 1) l ON l.invoice_id = i.id
            LEFT JOIN (SELECT invoice_id, sum(amount_minor) AS minor,
                              sum(base_minor) AS base
                       FROM billing_invoicetax GROUP BY 1) t ON t.invoice_id = i.id
            WHERE coalesce(l.minor, 0) <> i.subtotal_minor
               OR coalesce(t.minor, 0) <> i.tax_minor
               OR coalesce(t.base, 0) <> i.subtotal_minor
        """,
    ),
    Invariant(
        name="billing.invoices_stand_in_the_ledger",
        says="Each issued document is posted once, with its own amounts.",
        sql="""
            SELECT i.id, i.reference, i.total_minor, p.minor AS posted_minor
            FROM billing_invoice i
            LEFT JOIN (
                SELECT t.source_kind, t.source_id, e.currency, sum(e.amount_minor) AS minor
                FROM billing_ledgertransaction t
                JOIN billing_ledgerentry e ON e.transaction_id = t.id
                WHERE t.source_kind IN ('invoice', 'credit_note') AND e.account_id = 1100
                GROUP BY 1, 2, 3
            ) p ON p.source_kind = i.kind AND p.source_id = i.id
               AND p.currency = i.currency
            WHERE i.state <> 'draft' AND coalesce(p.minor, 0) <>
                  CASE i.kind WHEN 'invoice' THEN i.total_minor ELSE -i.total_minor END
        """,
    ),
    # These keys are checked by triggers alone (decision 0007), hence this second look.
    Invariant(
        name="billing.parts_have_their_whole",
        says="A line, tax or claim has its invoice, an entry its transaction and customer.",
        sql="""
            SELECT p.part, p.id, p.belongs_to FROM (
                SELECT 'line' AS part, id, invoice_id AS belongs_to FROM billing_invoiceline
                UNION ALL SELECT 'tax', id, invoice_id FROM billing_invoicetax
                UNION ALL SELECT 'claim', id, invoice_id FROM billing_billedperiod) p
            WHERE NOT EXISTS (SELECT FROM billing_invoice i WHERE i.id = p.belongs_to)
            UNION ALL
            SELECT 'entry', e.id, e.transaction_id FROM billing_ledgerentry e
            WHERE NOT EXISTS (
                SELECT FROM billing_ledgertransaction t WHERE t.id = e.transaction_id)
            UNION ALL
            SELECT 'entry of a customer', e.id, e.customer_id FROM billing_ledgerentry e
            WHERE e.customer_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM identity_customer c WHERE c.id = e.customer_id)
        """,
    ),
    Invariant(
        name="billing.credited_equals_credit_notes",
        says="What an invoice says was credited is the sum of its credit notes.",
        sql="""
            SELECT i.id, i.reference, i.credited_minor, c.minor AS notes_minor
            FROM billing_invoice i
            LEFT JOIN (SELECT credits_invoice_id, sum(total_minor) AS minor
                       FROM billing_invoice WHERE state = 'paid'
                       GROUP BY 1) c ON c.credits_invoice_id = i.id
            WHERE i.credited_minor <> coalesce(c.minor, 0)
        """,
    ),
    Invariant(
        name="billing.allocated_within_total",
        says="No invoice has more paid and credited than it asks for.",
        sql="""
            SELECT id, reference, total_minor, allocated_minor, credited_minor
            FROM billing_invoice WHERE allocated_minor + credited_minor > total_minor
        """,
    ),
    Invariant(
        name="billing.credit_within_lines",
        says="No line is credited beyond its amount.",
        sql="""
            SELECT o.id, o.amount_minor, sum(l.amount_minor) AS credited_minor
            FROM billing_invoiceline l JOIN billing_invoiceline o ON o.id = l.credits_line_id
            GROUP BY o.id HAVING sum(l.amount_minor) > o.amount_minor
        """,
    ),
    Invariant(
        name="billing.months_have_their_line",
        says="A claimed month has a line on the invoice that claimed it, and the other way round.",
        sql="""
            SELECT service_id, month, b.invoice_id AS claimed_by, l.invoice_id AS billed_by
            FROM (SELECT service_id, period_start AS month, invoice_id
                  FROM billing_billedperiod) b
            FULL JOIN (SELECT DISTINCT l.service_id,
                              date_trunc('month', l.period_start)::date AS month, l.invoice_id
                       FROM billing_invoiceline l
                       WHERE l.service_id IS NOT NULL AND l.credits_line_id IS NULL) l
                USING (service_id, month)
            WHERE b.invoice_id IS DISTINCT FROM l.invoice_id
        """,
    ),
    Invariant(
        name="billing.finished_runs_are_whole",
        says="A finished run has no chunk left unless cancelled, and its chunks counted its invoices.",
        sql="""
            SELECT r.id, r.day, c.counted, c.waiting, i.found
            FROM billing_billingrun r JOIN ops_job j ON j.id = r.job_id
            LEFT JOIN (SELECT run_id, sum(invoices_count) AS counted,
                              count(*) FILTER (WHERE done_at IS NULL) AS waiting
                       FROM billing_billingchunk GROUP BY 1) c ON c.run_id = r.id
            LEFT JOIN (SELECT run_id, count(*) AS found FROM billing_invoice
                       WHERE run_id IS NOT NULL GROUP BY 1) i ON i.run_id = r.id
            WHERE r.finished_at IS NOT NULL AND (
                coalesce(c.waiting, 0) > 0 AND j.state <> 'cancelled'
                OR coalesce(c.counted, 0) <> coalesce(i.found, 0))
        """,
    ),
)
