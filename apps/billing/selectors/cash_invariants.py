"""What must always be true of payments, allocations and dunning."""

from __future__ import annotations

from dotmac.core.invariants import Invariant

INVARIANTS = (
    Invariant(
        name="billing.payment_allocated_is_sum",
        says="What a payment has allocated is the sum of its allocations.",
        sql="""
            SELECT p.id, p.reference, p.allocated_minor, coalesce(sum(a.amount_minor), 0)
              FROM billing_payment p
              LEFT JOIN billing_paymentallocation a
                     ON a.payment_id = p.id AND a.released_at IS NULL
             GROUP BY p.id HAVING p.allocated_minor <> coalesce(sum(a.amount_minor), 0)
        """,
    ),
    Invariant(
        name="billing.invoice_allocated_is_sum",
        says="What an invoice has allocated is the sum of the allocations to it.",
        sql="""
            SELECT i.id, i.reference, i.allocated_minor, coalesce(sum(a.amount_minor), 0)
              FROM billing_invoice i
              LEFT JOIN billing_paymentallocation a
                     ON a.invoice_id = i.id AND a.released_at IS NULL
             GROUP BY i.id HAVING i.allocated_minor <> coalesce(sum(a.amount_minor), 0)
        """,
    ),
    Invariant(
        name="billing.allocation_within_customer",
        says="A payment pays invoices of its own customer and currency only.",
        sql="""
            SELECT a.id, p.reference, i.reference
              FROM billing_paymentallocation a
              JOIN billing_payment p ON p.id = a.payment_id
              JOIN billing_invoice i ON i.id = a.invoice_id
             WHERE (p.customer_id, p.currency) <> (i.customer_id, i.currency)
                OR i.kind <> 'invoice'
        """,
    ),
    Invariant(
        name="billing.payment_is_posted_once",
        says="Each payment received is in the ledger, with its amount, and no other is.",
        sql="""
            SELECT p.id, p.reference, p.state, p.amount_minor, posted.minor
              FROM billing_payment p
              LEFT JOIN (
                    SELECT t.source_id, -sum(e.amount_minor) AS minor
                      FROM billing_ledgertransaction t
                      JOIN billing_ledgerentry e ON e.transaction_id = t.id
                     WHERE t.source_kind IN ('payment', 'payment_reversal')
                       AND e.customer_id IS NOT NULL
                     GROUP BY t.source_id) posted ON posted.source_id = p.id
             WHERE coalesce(posted.minor, 0) <>
                   CASE WHEN p.state = 'succeeded' THEN p.amount_minor ELSE 0 END
        """,
    ),
    Invariant(
        name="billing.credit_does_not_wait_beside_debt",
        says="No customer has credit from a payment and an open invoice at once.",
        sql="""
            SELECT DISTINCT p.customer_id, p.currency
              FROM billing_payment p
              JOIN billing_invoice i ON i.customer_id = p.customer_id
                   AND i.currency = p.currency AND i.kind = 'invoice' AND i.state = 'open'
             WHERE p.state = 'succeeded' AND p.amount_minor > p.allocated_minor
               AND i.issued_at < now() - interval '1 hour'
               AND p.updated_at < now() - interval '1 hour'
        """,
    ),
    Invariant(
        name="billing.balance_is_debt_less_credit",
        says="What a customer owes by the ledger is its open invoices less its credit.",
        sql="""
            SELECT b.customer_id, b.currency, b.balance_minor,
                   coalesce(debt.minor, 0) - coalesce(credit.minor, 0) AS expected
              FROM billing_customerbalance b
              LEFT JOIN (
                    SELECT customer_id, currency,
                           sum(total_minor - allocated_minor - credited_minor) AS minor
                      FROM billing_invoice
                     WHERE kind = 'invoice' AND state IN ('open', 'uncollectible')
                     GROUP BY 1, 2) debt USING (customer_id, currency)
              LEFT JOIN (
                    SELECT customer_id, currency,
                           sum(amount_minor - allocated_minor) AS minor
                      FROM billing_payment WHERE state = 'succeeded'
                     GROUP BY 1, 2) credit USING (customer_id, currency)
             WHERE b.balance_minor <> coalesce(debt.minor, 0) - coalesce(credit.minor, 0)
        """,
    ),
    Invariant(
        name="billing.cut_off_customer_is_held",
        says="Each active service of a customer that dunning cut off is held.",
        sql="""
            SELECT s.id, s.reference, a.customer_id
              FROM billing_dunningaction a
              JOIN catalog_service s ON s.customer_id = a.customer_id
                   AND s.state = 'active' AND s.activated_at < now() - interval '2 hours'
             WHERE a.cuts_off AND a.ended_at IS NULL
               AND NOT EXISTS (
                    SELECT FROM network_accesshold h
                     WHERE h.account_id = s.access_id AND h.lifted_at IS NULL
                       AND h.reason = 'non_payment')
        """,
    ),
)
