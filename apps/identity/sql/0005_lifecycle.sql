-- How customers' states follow one another (apps/identity/rules/lifecycle.py holds
-- the same table), and that no turn is without its line of history.

CREATE FUNCTION identity_refuse_customer_turn() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    latest record;
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('lead', 'prospect'), ('lead', 'active'), ('lead', 'closed'),
        ('prospect', 'active'), ('prospect', 'closed'),
        ('active', 'dormant'), ('active', 'closed'),
        ('dormant', 'active'), ('dormant', 'closed'),
        ('closed', 'prospect')
    ) THEN
        RAISE EXCEPTION 'customer %: % does not become %',
            OLD.reference, OLD.state, NEW.state
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'identity_customer_transition';
    END IF;
    -- The line is written first. The same turn twice in a row cannot be, so the
    -- latest line is this turn's or belongs to another.
    SELECT from_state, to_state INTO latest FROM identity_customerturn
     WHERE customer_id = NEW.id ORDER BY id DESC LIMIT 1;
    IF latest IS NULL OR (latest.from_state, latest.to_state)
                         IS DISTINCT FROM (OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'customer %: a turn needs its line of history', OLD.reference
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'identity_customer_turn_is_written';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER identity_customer_transition
    BEFORE UPDATE OF state ON identity_customer
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION identity_refuse_customer_turn();

-- A turn stays as it was written; only its reason, a free text, may be emptied.
CREATE TRIGGER identity_customerturn_stays
    BEFORE UPDATE ON identity_customerturn
    FOR EACH ROW WHEN (
        NEW.reason <> ''
        OR (NEW.id, NEW.customer_id, NEW.at, NEW.from_state, NEW.to_state,
            NEW.actor_kind, NEW.actor_id, NEW.actor_label)
           IS DISTINCT FROM
           (OLD.id, OLD.customer_id, OLD.at, OLD.from_state, OLD.to_state,
            OLD.actor_kind, OLD.actor_id, OLD.actor_label))
    EXECUTE FUNCTION dotmac_refuse_change();
CREATE TRIGGER identity_customerturn_no_truncate BEFORE TRUNCATE ON identity_customerturn
    FOR EACH STATEMENT EXECUTE FUNCTION dotmac_refuse_change();
