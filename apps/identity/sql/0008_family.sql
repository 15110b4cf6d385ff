-- Parents and children among customers are trees: no circle, at most eight deep.

CREATE FUNCTION identity_refuse_family() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    above bigint := NEW.parent_id;
    steps int := 0;
BEGIN
    -- Two who hang each other below themselves at once must see one another.
    PERFORM pg_advisory_xact_lock(hashtextextended('identity.customer.parent', 0));
    WHILE above IS NOT NULL LOOP
        steps := steps + 1;
        IF above = NEW.id OR steps > 8 THEN
            RAISE EXCEPTION 'customer %: the parent hangs below it, or too deep',
                NEW.reference
                USING ERRCODE = 'check_violation',
                      CONSTRAINT = 'identity_customer_family';
        END IF;
        SELECT parent_id INTO above FROM identity_customer WHERE id = above;
    END LOOP;
    RETURN NEW;
END $$;

CREATE TRIGGER identity_customer_family
    BEFORE INSERT OR UPDATE OF parent_id ON identity_customer
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
    EXECUTE FUNCTION identity_refuse_family();
