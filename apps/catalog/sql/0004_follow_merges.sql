-- A service keeps its customer, but for the transaction in which identity merges two
-- customers or takes them apart again.

CREATE OR REPLACE FUNCTION catalog_refuse_service_history() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(OLD) - 'customer_id' - 'updated_at')
       = (to_jsonb(NEW) - 'customer_id' - 'updated_at')
       AND identity_is_merging(OLD.customer_id, NEW.customer_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'service %: customer, reference and dates once set stay',
        OLD.reference
        USING ERRCODE = 'check_violation',
              CONSTRAINT = 'catalog_service_history';
END $$;

-- An order had no guard of its customer until now.
CREATE FUNCTION catalog_refuse_order_history() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF identity_is_merging(OLD.customer_id, NEW.customer_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'order %: the customer stays', OLD.reference
        USING ERRCODE = 'check_violation',
              CONSTRAINT = 'catalog_order_history';
END $$;

CREATE TRIGGER catalog_order_history
    BEFORE UPDATE OF customer_id ON catalog_order
    FOR EACH ROW WHEN (OLD.customer_id <> NEW.customer_id)
    EXECUTE FUNCTION catalog_refuse_order_history();
