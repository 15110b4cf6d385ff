-- What belongs to a customer changes its owner in the transaction of a merge, or of
-- its undoing, and at no other time. catalog's guard asks this function.

CREATE FUNCTION identity_is_merging(from_id bigint, to_id bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM identity_customermerge m
         WHERE m.moving_xid = pg_current_xact_id()::text::bigint
           AND (m.duplicate_id, m.survivor_id)
               IN ((from_id, to_id), (to_id, from_id)))
$$;
REVOKE ALL ON FUNCTION identity_is_merging(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_is_merging(bigint, bigint) TO {app_role};

-- As in 0005_lifecycle.sql, and: undoing a merge brings both back to what they were.
CREATE OR REPLACE FUNCTION identity_refuse_customer_turn() RETURNS trigger
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
    ) AND NOT EXISTS (
        SELECT FROM identity_customermerge m
         WHERE m.moving_xid = pg_current_xact_id()::text::bigint
           AND m.undone_at IS NOT NULL
           AND ((m.duplicate_id = NEW.id AND m.duplicate_state = NEW.state)
             OR (m.survivor_id = NEW.id AND m.survivor_state = NEW.state))
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
