-- Guards of payments, allocations and dunning.

-- 1. Allocations ----------------------------------------------------------------
-- The trigger moves what payments and invoices have allocated, and the state of
-- the invoices; the CHECKs of both tables then refuse too much. Nothing else
-- moves these columns.

CREATE FUNCTION billing_apply_allocations(rows_minor jsonb, moved_at timestamptz)
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE billing_payment p
       SET allocated_minor = p.allocated_minor + d.minor,
           updated_at = greatest(p.updated_at, moved_at)
      FROM (SELECT r.payment_id, sum(r.minor) AS minor
              FROM jsonb_to_recordset(rows_minor)
                   AS r(payment_id bigint, invoice_id bigint, minor bigint)
             GROUP BY r.payment_id) d
     WHERE p.id = d.payment_id;
    UPDATE billing_invoice i
       SET allocated_minor = i.allocated_minor + d.minor,
           updated_at = greatest(i.updated_at, moved_at),
           state = CASE
               WHEN i.total_minor = i.allocated_minor + d.minor + i.credited_minor
                    AND i.state IN ('open', 'uncollectible') THEN 'paid'
               WHEN i.total_minor > i.allocated_minor + d.minor + i.credited_minor
                    AND i.state = 'paid' THEN 'open'
               ELSE i.state END
      FROM (SELECT r.invoice_id, sum(r.minor) AS minor
              FROM jsonb_to_recordset(rows_minor)
                   AS r(payment_id bigint, invoice_id bigint, minor bigint)
             GROUP BY r.invoice_id) d
     WHERE i.id = d.invoice_id;
END $$;

CREATE FUNCTION billing_insert_allocations() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    bad bigint;
BEGIN
    SELECT n.id INTO bad FROM new_rows n
    LEFT JOIN billing_payment p ON p.id = n.payment_id
    LEFT JOIN billing_invoice i ON i.id = n.invoice_id
    WHERE n.released_at IS NOT NULL
       OR (p.customer_id = i.customer_id AND p.currency = i.currency
           AND i.kind = 'invoice') IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Allocation % does not join a payment to an invoice of the same customer.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_paymentallocation_same_customer';
    END IF;
    PERFORM billing_apply_allocations(
        (SELECT jsonb_agg(jsonb_build_object('payment_id', payment_id,
            'invoice_id', invoice_id, 'minor', amount_minor)) FROM new_rows),
        (SELECT max(allocated_at) FROM new_rows));
    RETURN NULL;
END $$;

CREATE TRIGGER billing_paymentallocation_insert
    AFTER INSERT ON billing_paymentallocation REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_insert_allocations();

CREATE FUNCTION billing_release_allocations() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    bad bigint;
BEGIN
    SELECT o.id INTO bad FROM old_rows o LEFT JOIN new_rows n ON n.id = o.id
    WHERE (n.payment_id, n.invoice_id, n.amount_minor, n.allocated_at)
              IS DISTINCT FROM (o.payment_id, o.invoice_id, o.amount_minor, o.allocated_at)
       OR o.released_at IS NOT NULL OR n.released_at IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Allocation % can only be released, once.', bad
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_paymentallocation_fixed';
    END IF;
    PERFORM billing_apply_allocations(
        (SELECT jsonb_agg(jsonb_build_object('payment_id', payment_id,
            'invoice_id', invoice_id, 'minor', -amount_minor)) FROM new_rows),
        (SELECT max(released_at) FROM new_rows));
    RETURN NULL;
END $$;

CREATE TRIGGER billing_paymentallocation_release
    AFTER UPDATE ON billing_paymentallocation
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION billing_release_allocations();

CREATE TRIGGER billing_paymentallocation_kept
    BEFORE DELETE OR TRUNCATE ON billing_paymentallocation
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();

-- Depth 1 is a statement of a program or a person, 2 is the allocations' trigger.
CREATE FUNCTION billing_refuse_allocated() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'What is allocated is the sum of allocations; write one of those.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = TG_TABLE_NAME || '_by_allocation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER billing_invoice_by_allocation BEFORE UPDATE ON billing_invoice
    FOR EACH ROW WHEN (OLD.allocated_minor IS DISTINCT FROM NEW.allocated_minor)
    EXECUTE FUNCTION billing_refuse_allocated();
CREATE TRIGGER billing_payment_by_allocation BEFORE UPDATE ON billing_payment
    FOR EACH ROW WHEN (OLD.allocated_minor IS DISTINCT FROM NEW.allocated_minor)
    EXECUTE FUNCTION billing_refuse_allocated();

-- 2. Payments -------------------------------------------------------------------

CREATE FUNCTION billing_check_payment() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.allocated_minor <> 0 THEN
            RAISE EXCEPTION 'A payment starts without allocations.'
                USING ERRCODE = 'integrity_constraint_violation',
                      CONSTRAINT = 'billing_payment_by_allocation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.reference, NEW.customer_id, NEW.invoice_id, NEW.method,
        NEW.currency, NEW.amount_minor, NEW.provider, NEW.provider_ref, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.reference, OLD.customer_id, OLD.invoice_id, OLD.method,
        OLD.currency, OLD.amount_minor, OLD.provider, OLD.provider_ref, OLD.created_at)
    THEN
        RAISE EXCEPTION 'Payment % keeps its amount, currency and customer.', OLD.reference
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_payment_fixed';
    END IF;
    -- A gateway may report success after it had reported failure.
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('pending', 'succeeded'), ('pending', 'failed'), ('failed', 'succeeded'),
        ('succeeded', 'failed'), ('succeeded', 'refunded')
    ) OR (OLD.reversed_at IS NOT NULL AND NEW.reversed_at IS DISTINCT FROM OLD.reversed_at)
    THEN
        RAISE EXCEPTION 'Payment % may not move to that state.', OLD.reference
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_payment_edges';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER billing_payment_check BEFORE INSERT OR UPDATE ON billing_payment
    FOR EACH ROW EXECUTE FUNCTION billing_check_payment();
CREATE TRIGGER billing_payment_kept BEFORE DELETE OR TRUNCATE ON billing_payment
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();

-- 3. Dunning --------------------------------------------------------------------

CREATE FUNCTION billing_check_dunning_action() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL
       OR to_jsonb(NEW) - 'ended_at' - 'ended_by'
          IS DISTINCT FROM to_jsonb(OLD) - 'ended_at' - 'ended_by'
    THEN
        RAISE EXCEPTION 'What dunning did stands; only a cut-off in force may end.'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'billing_dunningaction_fixed';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER billing_dunningaction_fixed BEFORE UPDATE ON billing_dunningaction
    FOR EACH ROW EXECUTE FUNCTION billing_check_dunning_action();
CREATE TRIGGER billing_dunningaction_kept BEFORE DELETE OR TRUNCATE ON billing_dunningaction
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_delete();

REVOKE DELETE, TRUNCATE ON billing_payment, billing_paymentallocation,
    billing_dunningaction FROM {app_role};
GRANT EXECUTE ON FUNCTION billing_apply_allocations(jsonb, timestamptz) TO {app_role};
