-- The guards of 0002 read a batch once where they read it five times, and take
-- over what row-by-row key checks did. Two rules keep their time linear, whatever
-- plan a session cached first: rows of the statement meet each other only in a
-- FULL JOIN, which is never a nested loop, and everything else is asked per row
-- through an index. No LIMIT 1: it makes the planner bet on an early hit, and in
-- a sound batch there is none.

-- 1. Ledger ----------------------------------------------------------------

CREATE OR REPLACE FUNCTION billing_post_ledger_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad record;
BEGIN
    -- Also the key check of transaction_id: a transaction that is not there was
    -- not posted now, and one that is there is never deleted (append only).
    SELECT min(p.transaction_id) FILTER (WHERE NOT p.balanced) AS unbalanced,
           min(p.transaction_id) FILTER (WHERE (
               SELECT t.posted_xid FROM billing_ledgertransaction t
               WHERE t.id = p.transaction_id
           ) IS DISTINCT FROM pg_current_xact_id()::text::bigint) AS posted_earlier,
           min(p.transaction_id) FILTER (WHERE p.entries <> (
               SELECT count(*) FROM billing_ledgerentry e
               WHERE e.transaction_id = p.transaction_id
           )) AS in_parts,
           min(p.transaction_id) FILTER (WHERE p.misplaced) AS misplaced
    INTO bad
    FROM (
        SELECT c.transaction_id, sum(c.entries) AS entries,
               bool_and(c.sum_minor = 0) AS balanced, bool_or(c.misplaced) AS misplaced
        FROM (
            SELECT n.transaction_id, count(*) AS entries, sum(n.amount_minor) AS sum_minor,
                   bool_or(a.per_customer IS DISTINCT FROM (n.customer_id IS NOT NULL)) AS misplaced
            FROM new_rows n LEFT JOIN billing_ledgeraccount a ON a.code = n.account_id
            GROUP BY n.transaction_id, n.currency
        ) c GROUP BY c.transaction_id
    ) p;

    IF bad.unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'The entries of ledger transaction % do not sum to zero.', bad.unbalanced
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_balanced';
    END IF;
    IF bad.posted_earlier IS NOT NULL THEN
        RAISE EXCEPTION 'Ledger transaction % was posted earlier; correct it by a reversal.', bad.posted_earlier
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_posted_now';
    END IF;
    IF bad.in_parts IS NOT NULL THEN
        RAISE EXCEPTION 'All entries of ledger transaction % are written in one statement.', bad.in_parts
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_one_statement';
    END IF;
    IF bad.misplaced IS NOT NULL THEN
        RAISE EXCEPTION 'An entry of ledger transaction % names no account of the chart, or a customer where none belongs.', bad.misplaced
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_account';
    END IF;

    -- Rows are locked in customer order, so two batches cannot deadlock. Also the
    -- key check of an entry's customer: a balance has one, and is never deleted.
    INSERT INTO billing_customerbalance AS b (customer_id, currency, balance_minor)
    SELECT customer_id, currency, sum(amount_minor) FROM new_rows
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id, currency ORDER BY customer_id, currency
    ON CONFLICT (customer_id, currency)
    DO UPDATE SET balance_minor = b.balance_minor + excluded.balance_minor;
    RETURN NULL;
END $$;

-- 2. What belongs to a draft -------------------------------------------------------

-- Lines, taxes and claims are written while their invoice is a draft. The lock
-- waits for a finalisation under way and makes the next one wait, so that no line
-- slips in beside it; what the lock returns is the row's newest version. It is also
-- the key check of invoice_id: an invoice is never deleted and keeps its key.
CREATE OR REPLACE FUNCTION billing_check_children() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    held record;
BEGIN
    SELECT count(*) AS invoices, min(i.id) FILTER (WHERE i.state <> 'draft') AS final INTO held
    FROM (
        SELECT id, state FROM billing_invoice
        WHERE id IN (SELECT invoice_id FROM new_rows) ORDER BY id FOR SHARE
    ) i;
    IF held.final IS NOT NULL THEN
        RAISE EXCEPTION 'Invoice % is final; correct it by a credit note.', held.final
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = TG_TABLE_NAME || '_draft_only';
    END IF;
    IF held.invoices <> (SELECT count(DISTINCT invoice_id) FROM new_rows) THEN
        RAISE EXCEPTION 'A row of % names an invoice that does not exist.', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = TG_TABLE_NAME || '_invoice_exists';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_billedperiod_draft_only
    AFTER INSERT ON billing_billedperiod REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_check_children();

-- 3. Invoices ------------------------------------------------------------------

-- One function judges every update: what became final must add up, what was
-- final may move its state and open amounts only, along the allowed edges.
CREATE OR REPLACE FUNCTION billing_check_invoice_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad record;
BEGIN
    SELECT bool_or(p.rekeyed) AS rekeyed,
           min(p.id) FILTER (WHERE p.was_final AND p.changed) AS changed,
           min(p.id) FILTER (WHERE p.off_edge) AS off_edge,
           min(p.id) FILTER (WHERE p.becomes_final AND p.not_a_sum) AS not_a_sum,
           min(p.id) FILTER (WHERE p.becomes_final AND p.not_given) AS not_given,
           array_agg(p.id) FILTER (WHERE p.becomes_final AND p.kind = 'credit_note') AS notes,
           min(p.id) FILTER (WHERE p.miscredited) AS miscredited
    INTO bad FROM (
        SELECT n.id, n.kind,
            o.id IS NULL OR n.id IS NULL AS rekeyed,
            o.state <> 'draft' AS was_final,
            o.state = 'draft' AND n.state <> 'draft' AS becomes_final,
            (n.kind, n.number_year, n.number, n.reference, n.customer_id, n.run_id,
             n.seller_id, n.credits_invoice_id, n.issue_date, n.due_date,
             n.period_start, n.period_end, n.currency, n.subtotal_minor, n.tax_minor,
             n.total_minor, n.buyer, n.note, n.issued_at, n.created_at
            ) IS DISTINCT FROM (
             o.kind, o.number_year, o.number, o.reference, o.customer_id, o.run_id,
             o.seller_id, o.credits_invoice_id, o.issue_date, o.due_date,
             o.period_start, o.period_end, o.currency, o.subtotal_minor, o.tax_minor,
             o.total_minor, o.buyer, o.note, o.issued_at, o.created_at) AS changed,
            o.state <> n.state AND (o.state, n.state) NOT IN (
                ('draft', 'open'), ('draft', 'paid'),
                ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
                ('paid', 'open'), ('paid', 'void'),
                ('uncollectible', 'paid'), ('uncollectible', 'void')) AS off_edge,
            n.subtotal_minor <> (
                SELECT coalesce(sum(l.amount_minor), 0) FROM billing_invoiceline l
                WHERE l.invoice_id = n.id)
            OR (n.tax_minor, n.subtotal_minor) <> (
                SELECT coalesce(sum(t.amount_minor), 0), coalesce(sum(t.base_minor), 0)
                FROM billing_invoicetax t WHERE t.invoice_id = n.id) AS not_a_sum,
            (n.number BETWEEN 1 AND (
                SELECT s.next_value - 1 FROM billing_numberseries s
                WHERE s.kind = n.kind AND s.year = n.number_year)) IS NOT TRUE AS not_given,
            n.credited_minor <> o.credited_minor AND n.credited_minor <> (
                SELECT coalesce(sum(c.total_minor), 0) FROM billing_invoice c
                WHERE c.credits_invoice_id = n.id AND c.state = 'paid') AS miscredited
        FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
    ) p;

    IF bad.rekeyed THEN
        RAISE EXCEPTION 'The key of an invoice never changes.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_key_fixed';
    END IF;
    IF bad.changed IS NOT NULL THEN
        RAISE EXCEPTION 'Invoice % is final; correct it by a credit note.', bad.changed
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_final';
    END IF;
    IF bad.off_edge IS NOT NULL THEN
        RAISE EXCEPTION 'Invoice % may not move to that state.', bad.off_edge
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_edges';
    END IF;
    IF bad.not_a_sum IS NOT NULL THEN
        RAISE EXCEPTION 'The lines and taxes of invoice % do not add up to its totals.', bad.not_a_sum
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_adds_up';
    END IF;
    IF bad.not_given IS NOT NULL THEN
        RAISE EXCEPTION 'Invoice % has a number that its series did not give.', bad.not_given
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_number_given';
    END IF;
    IF bad.notes IS NOT NULL THEN
        PERFORM billing_check_credit_notes(bad.notes);
    END IF;
    IF bad.miscredited IS NOT NULL THEN
        RAISE EXCEPTION 'The credited amount of invoice % is the sum of its credit notes.', bad.miscredited
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_credited';
    END IF;
    RETURN NULL;
END $$;

-- Its questions stand in the function above now.
DROP FUNCTION billing_check_final(bigint[]);
