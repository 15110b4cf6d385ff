-- Parents and children among customers are trees: no circle, and nobody has more than
-- eight above, also not those who hang below whoever moves.

CREATE FUNCTION identity_refuse_family() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    above bigint := NEW.parent_id;
    steps int := 0;
    height int := 0;
BEGIN
    -- Two who hang each other below themselves at once must see one another.
    PERFORM pg_advisory_xact_lock(hashtextextended('identity.customer.parent', 0));
    WITH RECURSIVE below (id, depth) AS (
        SELECT c.id, 1 FROM identity_customer c WHERE c.parent_id = NEW.id
        UNION ALL
        SELECT c.id, b.depth + 1 FROM identity_customer c
          JOIN below b ON c.parent_id = b.id WHERE b.depth <= 8
    )
    SELECT coalesce(max(depth), 0) INTO height FROM below;
    WHILE above IS NOT NULL LOOP
        steps := steps + 1;
        IF above = NEW.id OR steps + height > 8 THEN
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
