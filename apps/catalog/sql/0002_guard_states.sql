-- The database's last word on how states move and prices stand.

CREATE FUNCTION catalog_refuse_service_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('pending', 'provisioning'),
        ('provisioning', 'active'),
        ('provisioning', 'pending'),
        ('pending', 'terminated'),
        ('active', 'terminated')
    ) THEN
        RAISE EXCEPTION 'service %: % does not become %',
            OLD.reference, OLD.state, NEW.state
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'catalog_service_transition';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER catalog_service_transition
    BEFORE UPDATE OF state ON catalog_service
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION catalog_refuse_service_transition();

CREATE FUNCTION catalog_refuse_service_history() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'service %: customer, reference and dates once set stay',
        OLD.reference
        USING ERRCODE = 'check_violation',
              CONSTRAINT = 'catalog_service_history';
END $$;

CREATE TRIGGER catalog_service_history
    BEFORE UPDATE ON catalog_service
    FOR EACH ROW WHEN (
        OLD.customer_id <> NEW.customer_id
        OR OLD.reference <> NEW.reference
        OR (OLD.active_from_date IS NOT NULL
            AND NEW.active_from_date IS DISTINCT FROM OLD.active_from_date)
        OR (OLD.ends_date IS NOT NULL
            AND NEW.ends_date IS DISTINCT FROM OLD.ends_date)
    )
    EXECUTE FUNCTION catalog_refuse_service_history();

CREATE FUNCTION catalog_refuse_order_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('draft', 'accepted'),
        ('draft', 'cancelled'),
        ('accepted', 'fulfilling'),
        ('accepted', 'cancelled'),
        ('fulfilling', 'fulfilled'),
        ('fulfilling', 'accepted'),
        ('fulfilling', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'order %: % does not become %',
            OLD.reference, OLD.state, NEW.state
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'catalog_order_transition';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER catalog_order_transition
    BEFORE UPDATE OF state ON catalog_order
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION catalog_refuse_order_transition();

CREATE FUNCTION catalog_refuse_price_edit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'price %: a price is superseded, never edited', OLD.id
        USING ERRCODE = 'check_violation',
              CONSTRAINT = 'catalog_planprice_superseded';
END $$;

CREATE TRIGGER catalog_planprice_superseded
    BEFORE UPDATE ON catalog_planprice
    FOR EACH ROW WHEN (
        OLD.plan_id <> NEW.plan_id
        OR OLD.currency <> NEW.currency
        OR OLD.amount <> NEW.amount
        OR OLD.valid_from <> NEW.valid_from
        OR (OLD.valid_to IS NOT NULL AND NEW.valid_to IS DISTINCT FROM OLD.valid_to)
    )
    EXECUTE FUNCTION catalog_refuse_price_edit();

CREATE TRIGGER catalog_planprice_kept
    BEFORE DELETE ON catalog_planprice
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_price_edit();
