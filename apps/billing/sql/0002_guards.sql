-- Guards of the ledger and of invoices. They are statement triggers with
-- transition tables: free within noise for a bill run, and they fire for COPY,
-- bulk writes and psql alike. Functions run as the caller unless they must
-- write what the application's role may not touch. enable_seqscan = off: a plan
-- cached for a batch must not read the whole table when a session writes one row.

-- 1. Ledger ----------------------------------------------------------------

CREATE FUNCTION billing_check_ledger_transactions() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows
        WHERE posted_xid <> pg_current_xact_id()::text::bigint
    ) THEN
        RAISE EXCEPTION 'A ledger transaction carries the database transaction that wrote it.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgertransaction_posted_now';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_ledgertransaction_check
    AFTER INSERT ON billing_ledgertransaction REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_check_ledger_transactions();

-- Checks a batch of entries and moves the balances it implies. SECURITY DEFINER
-- because the application's role has no write on billing_customerbalance.
CREATE FUNCTION billing_post_ledger_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad bigint;
BEGIN
    SELECT transaction_id INTO bad FROM new_rows
    GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The entries of ledger transaction % do not sum to zero.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_balanced';
    END IF;

    SELECT n.transaction_id INTO bad
    FROM (SELECT DISTINCT transaction_id FROM new_rows) n
    LEFT JOIN billing_ledgertransaction t ON t.id = n.transaction_id
    WHERE t.posted_xid IS DISTINCT FROM pg_current_xact_id()::text::bigint LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Ledger transaction % was posted earlier; correct it by a reversal.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_posted_now';
    END IF;

    SELECT n.transaction_id INTO bad
    FROM (SELECT transaction_id, count(*) AS entries FROM new_rows GROUP BY 1) n
    WHERE n.entries <> (
        SELECT count(*) FROM billing_ledgerentry e
        WHERE e.transaction_id = n.transaction_id
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'All entries of ledger transaction % are written in one statement.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_one_statement';
    END IF;

    SELECT n.transaction_id INTO bad
    FROM new_rows n LEFT JOIN billing_ledgeraccount a ON a.code = n.account_id
    WHERE a.per_customer IS DISTINCT FROM (n.customer_id IS NOT NULL) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'An entry of ledger transaction % names no account of the chart, or a customer where none belongs.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgerentry_account';
    END IF;

    -- Rows are locked in customer order, so two batches cannot deadlock.
    INSERT INTO billing_customerbalance AS b (customer_id, currency, balance_minor)
    SELECT customer_id, currency, sum(amount_minor) FROM new_rows
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id, currency ORDER BY customer_id, currency
    ON CONFLICT (customer_id, currency)
    DO UPDATE SET balance_minor = b.balance_minor + excluded.balance_minor;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_ledgerentry_post
    AFTER INSERT ON billing_ledgerentry REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_post_ledger_entries();

-- The balance moves by postings only, for the owner as well: the depth is 1 when
-- a statement of a person fires this, and 2 when the ledger's trigger did.
CREATE FUNCTION billing_refuse_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') OR pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'A balance is the sum of ledger entries; post a transaction.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_customerbalance_by_posting';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_customerbalance_guard
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON billing_customerbalance
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_balance();

-- 2. Tables that are referred to without a key check ---------------------------

CREATE FUNCTION billing_refuse_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are never deleted.', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = TG_TABLE_NAME || '_kept';
END $$;

CREATE TRIGGER billing_ledgeraccount_kept BEFORE DELETE OR TRUNCATE ON billing_ledgeraccount
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();
CREATE TRIGGER billing_billingrun_kept BEFORE DELETE OR TRUNCATE ON billing_billingrun
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();
CREATE TRIGGER billing_sellerprofile_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_sellerprofile
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();
CREATE TRIGGER billing_numberseries_kept BEFORE DELETE OR TRUNCATE ON billing_numberseries
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();

CREATE FUNCTION billing_refuse_account_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.code, NEW.kind, NEW.per_customer) IS DISTINCT FROM (OLD.code, OLD.kind, OLD.per_customer) THEN
        RAISE EXCEPTION 'Only the name of a ledger account may change.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_ledgeraccount_fixed';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER billing_ledgeraccount_fixed BEFORE UPDATE ON billing_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_account_change();

CREATE FUNCTION billing_check_series() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.year) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.year)
        OR NEW.next_value < OLD.next_value
    THEN
        RAISE EXCEPTION 'A number series only counts up.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_numberseries_counts_up';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER billing_numberseries_counts_up BEFORE UPDATE ON billing_numberseries
    FOR EACH ROW EXECUTE FUNCTION billing_check_series();

-- 3. Invoices ------------------------------------------------------------------

CREATE FUNCTION billing_refuse_final_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows WHERE state <> 'draft') THEN
        RAISE EXCEPTION 'An invoice starts as a draft.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_starts_as_draft';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_invoice_starts_as_draft
    AFTER INSERT ON billing_invoice REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_final_insert();

-- Lines and taxes are written while their invoice is a draft. The key-share lock
-- waits for a finalisation under way (it sets the unique number), so that no
-- line slips in beside it.
CREATE FUNCTION billing_check_children() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad bigint;
BEGIN
    PERFORM FROM billing_invoice i
    WHERE i.id IN (SELECT invoice_id FROM new_rows) ORDER BY i.id FOR KEY SHARE;
    SELECT i.id INTO bad FROM billing_invoice i
    WHERE i.id IN (SELECT invoice_id FROM new_rows) AND i.state <> 'draft' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Invoice % is final; correct it by a credit note.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = TG_TABLE_NAME || '_draft_only';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_invoiceline_draft_only
    AFTER INSERT ON billing_invoiceline REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_check_children();
CREATE TRIGGER billing_invoicetax_draft_only
    AFTER INSERT ON billing_invoicetax REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_check_children();

-- One function judges every update: what became final must add up, what was
-- final may move its state and open amounts only, along the allowed edges.
CREATE FUNCTION billing_check_invoice_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad bigint;
BEGIN
    IF (SELECT count(*) FROM old_rows) <>
       (SELECT count(*) FROM old_rows o JOIN new_rows n ON n.id = o.id) THEN
        RAISE EXCEPTION 'The key of an invoice never changes.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_key_fixed';
    END IF;

    SELECT o.id INTO bad FROM old_rows o JOIN new_rows n ON n.id = o.id
    WHERE o.state <> 'draft' AND (
        n.kind, n.number_year, n.number, n.reference, n.customer_id, n.run_id,
        n.seller_id, n.credits_invoice_id, n.issue_date, n.due_date,
        n.period_start, n.period_end, n.currency, n.subtotal_minor, n.tax_minor,
        n.total_minor, n.buyer, n.note, n.issued_at, n.created_at
    ) IS DISTINCT FROM (
        o.kind, o.number_year, o.number, o.reference, o.customer_id, o.run_id,
        o.seller_id, o.credits_invoice_id, o.issue_date, o.due_date,
        o.period_start, o.period_end, o.currency, o.subtotal_minor, o.tax_minor,
        o.total_minor, o.buyer, o.note, o.issued_at, o.created_at
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Invoice % is final; correct it by a credit note.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_final';
    END IF;

    SELECT o.id INTO bad FROM old_rows o JOIN new_rows n ON n.id = o.id
    WHERE o.state <> n.state AND (o.state, n.state) NOT IN (
        ('draft', 'open'), ('draft', 'paid'),
        ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
        ('paid', 'open'), ('paid', 'void'),
        ('uncollectible', 'paid'), ('uncollectible', 'void')
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Invoice % may not move to that state.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_edges';
    END IF;

    IF EXISTS (SELECT FROM old_rows WHERE state = 'draft') THEN
        PERFORM billing_check_final(array_agg(n.id))
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE o.state = 'draft' AND n.state <> 'draft';
    END IF;

    SELECT n.id INTO bad FROM old_rows o JOIN new_rows n ON n.id = o.id
    WHERE n.credited_minor <> o.credited_minor AND n.credited_minor <> (
        SELECT coalesce(sum(c.total_minor), 0) FROM billing_invoice c
        WHERE c.credits_invoice_id = n.id AND c.state = 'paid'
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The credited amount of invoice % is the sum of its credit notes.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_credited';
    END IF;
    RETURN NULL;
END $$;

-- Called for invoices that became final in this statement.
CREATE FUNCTION billing_check_final(ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad bigint;
BEGIN
    IF ids IS NULL THEN
        RETURN;
    END IF;

    SELECT i.id INTO bad FROM billing_invoice i
    LEFT JOIN (
        SELECT invoice_id, sum(amount_minor) AS amount FROM billing_invoiceline
        WHERE invoice_id = ANY (ids) GROUP BY invoice_id
    ) l ON l.invoice_id = i.id
    LEFT JOIN (
        SELECT invoice_id, sum(amount_minor) AS amount, sum(base_minor) AS base
        FROM billing_invoicetax WHERE invoice_id = ANY (ids) GROUP BY invoice_id
    ) t ON t.invoice_id = i.id
    WHERE i.id = ANY (ids) AND (
        coalesce(l.amount, 0) <> i.subtotal_minor
        OR coalesce(t.amount, 0) <> i.tax_minor
        OR coalesce(t.base, 0) <> i.subtotal_minor
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The lines and taxes of invoice % do not add up to its totals.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_adds_up';
    END IF;

    SELECT i.id INTO bad FROM billing_invoice i
    LEFT JOIN billing_numberseries s ON s.kind = i.kind AND s.year = i.number_year
    WHERE i.id = ANY (ids)
        AND (i.number BETWEEN 1 AND s.next_value - 1) IS DISTINCT FROM true LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Invoice % has a number that its series did not give.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_number_given';
    END IF;

    IF EXISTS (
        SELECT FROM billing_invoice WHERE id = ANY (ids) AND kind = 'credit_note'
    ) THEN
        PERFORM billing_check_credit_notes(ids);
    END IF;
END $$;

-- A credit note never takes more than is left: in all, of a line, of a tax.
CREATE FUNCTION billing_check_credit_notes(ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    bad bigint;
BEGIN
    -- Two notes on one invoice queue here and then see each other.
    PERFORM FROM billing_invoice o
    WHERE o.id IN (SELECT credits_invoice_id FROM billing_invoice WHERE id = ANY (ids))
    ORDER BY o.id FOR NO KEY UPDATE;

    SELECT c.id INTO bad FROM billing_invoice c
    JOIN billing_invoice o ON o.id = c.credits_invoice_id
    WHERE c.id = ANY (ids) AND (
        o.kind <> 'invoice' OR o.state IN ('draft', 'void')
        OR o.customer_id <> c.customer_id OR o.currency <> c.currency
        OR o.total_minor < (
            SELECT sum(n.total_minor) FROM billing_invoice n
            WHERE n.credits_invoice_id = o.id AND n.state = 'paid'
        )
    ) LIMIT 1;
    IF NOT FOUND THEN
        SELECT c.id INTO bad FROM billing_invoice c
        JOIN billing_invoiceline l ON l.invoice_id = c.id
        LEFT JOIN billing_invoiceline o ON o.id = l.credits_line_id
        WHERE c.id = ANY (ids) AND c.kind = 'credit_note' AND (
            o.invoice_id IS DISTINCT FROM c.credits_invoice_id
            OR o.tax_class <> l.tax_class OR o.tax_percent <> l.tax_percent
            OR o.amount_minor < (
                SELECT sum(x.amount_minor) FROM billing_invoiceline x
                JOIN billing_invoice n ON n.id = x.invoice_id AND n.state = 'paid'
                WHERE x.credits_line_id = o.id
            )
        ) LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        SELECT c.id INTO bad FROM billing_invoice c
        JOIN billing_invoicetax t ON t.invoice_id = c.id
        LEFT JOIN billing_invoicetax o ON o.invoice_id = c.credits_invoice_id
            AND o.tax_class = t.tax_class AND o.percent = t.percent
        WHERE c.id = ANY (ids) AND c.kind = 'credit_note' AND (
            o.id IS NULL OR o.amount_minor < (
                SELECT sum(x.amount_minor) FROM billing_invoicetax x
                JOIN billing_invoice n ON n.id = x.invoice_id AND n.state = 'paid'
                WHERE n.credits_invoice_id = c.credits_invoice_id
                    AND x.tax_class = t.tax_class AND x.percent = t.percent
            )
        ) LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'Credit note % takes more than is left of its invoice.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_invoice_credit_within_rest';
    END IF;
END $$;

CREATE TRIGGER billing_invoice_update
    AFTER UPDATE ON billing_invoice REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_check_invoice_update();

CREATE TRIGGER billing_invoice_kept BEFORE DELETE OR TRUNCATE ON billing_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();

-- 4. Rights of the application's role -------------------------------------------

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON billing_customerbalance FROM {app_role};
REVOKE DELETE, TRUNCATE ON billing_invoice, billing_ledgeraccount, billing_billingrun,
    billing_sellerprofile, billing_numberseries FROM {app_role};
REVOKE ALL ON FUNCTION billing_post_ledger_entries() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION billing_check_final(bigint[]), billing_check_credit_notes(bigint[])
    TO {app_role};
