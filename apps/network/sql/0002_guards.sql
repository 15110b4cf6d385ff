-- What the ORM cannot say about the network's tables.

INSERT INTO network_vrf (name) VALUES ('default');

-- Interims change only unindexed columns; room on the page keeps them there (HOT).
ALTER TABLE network_sessionlive SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE network_usagehour SET (fillfactor = 70);

-- Closed sessions, by month of start. Filled from the live table in batches.
CREATE TABLE network_sessionhistory (
    LIKE network_sessionlive INCLUDING DEFAULTS INCLUDING CONSTRAINTS
) PARTITION BY RANGE (started_at);
ALTER TABLE network_sessionhistory ALTER COLUMN id DROP IDENTITY IF EXISTS;
ALTER TABLE network_sessionhistory ADD PRIMARY KEY (id, started_at);
CREATE INDEX network_sessionhistory_key ON network_sessionhistory (session_key, generation);
CREATE INDEX network_sessionhistory_account ON network_sessionhistory (account_id, started_at);
CREATE INDEX network_sessionhistory_address ON network_sessionhistory (framed_address, started_at);

-- Makes the partitions of all months from p_from to p_to; repeating is harmless.
-- The application's role owns no table, so the owner's rights are lent here.
CREATE FUNCTION network_ensure_session_partitions(p_from date, p_to date) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_month date := date_trunc('month', p_from);
    v_made integer := 0;
    v_name text;
BEGIN
    IF p_to > p_from + interval '10 years' THEN
        RAISE EXCEPTION 'At most ten years of partitions at a time.';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('network_sessionhistory'));
    WHILE v_month <= p_to LOOP
        v_name := 'network_sessionhistory_' || to_char(v_month, 'YYYYMM');
        IF to_regclass('public.' || v_name) IS NULL THEN
            -- Months begin at midnight UTC, whatever the session's time zone is.
            EXECUTE format(
                'CREATE TABLE public.%I PARTITION OF public.network_sessionhistory FOR VALUES FROM (%L) TO (%L)',
                v_name,
                v_month::timestamp AT TIME ZONE 'UTC',
                (v_month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            v_made := v_made + 1;
        END IF;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN v_made;
END $$;
REVOKE EXECUTE ON FUNCTION network_ensure_session_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_ensure_session_partitions TO {app_role};
SELECT network_ensure_session_partitions(
    (CURRENT_DATE - interval '3 months')::date, (CURRENT_DATE + interval '3 months')::date);

-- The one place that says what an account may do at an instant: the API's and the
-- console's state, and what RADIUS answers. The strictest of the open holds wins.
-- One plain SELECT without settings, so that callers inline and plan it themselves.
CREATE FUNCTION network_access_state(p_account_id bigint, p_at timestamptz)
RETURNS TABLE (state text, effect text, reasons text[])
LANGUAGE sql STABLE AS $$
    SELECT
        CASE
            WHEN a.closed_at IS NOT NULL THEN 'closed'
            WHEN h.strictness = 3 THEN 'rejected'
            WHEN h.strictness = 2 THEN 'walled_garden'
            WHEN a.expires_at <= p_at THEN 'expired'
            WHEN h.strictness = 1 THEN 'throttled'
            ELSE 'open'
        END,
        CASE
            WHEN a.closed_at IS NOT NULL OR h.strictness = 3 THEN 'reject'
            WHEN h.strictness = 2 OR a.expires_at <= p_at THEN 'walled_garden'
            WHEN h.strictness = 1 THEN 'throttle'
            ELSE 'accept'
        END,
        h.reasons
    FROM network_accessaccount a
    CROSS JOIN LATERAL (
        SELECT max(CASE o.effect WHEN 'reject' THEN 3 WHEN 'walled_garden' THEN 2 ELSE 1 END) AS strictness,
               coalesce(array_agg(o.reason::text ORDER BY o.placed_at, o.id), '{}') AS reasons
        FROM network_accesshold o
        WHERE o.account_id = a.id AND o.lifted_at IS NULL
    ) h
    WHERE a.id = p_account_id
$$;
REVOKE EXECUTE ON FUNCTION network_access_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_access_state TO {app_role};

-- An address lies in its prefix, and the three keys agree about VRF and pool. Taking
-- an address ends the rest of its tenancy before.
CREATE FUNCTION network_addressassignment_check() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.released_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    -- The shares keep prefix and account as they are until this commits.
    PERFORM FROM network_prefix p
      WHERE p.id = NEW.prefix_id AND p.vrf_id = NEW.vrf_id AND p.kind = 'network'
        AND p.pool_id = NEW.pool_id AND NEW.address <<= p.cidr
      FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Address % does not lie in its prefix.', NEW.address
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_addressassignment_in_prefix',
                  TABLE = 'network_addressassignment';
    END IF;
    PERFORM FROM network_accessaccount a WHERE a.id = NEW.account_id AND a.closed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A closed account holds no address.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_addressassignment_account_open',
                  TABLE = 'network_addressassignment';
    END IF;
    UPDATE network_addressassignment SET reusable = false
      WHERE prefix_id = NEW.prefix_id AND address = NEW.address AND reusable;
    RETURN NEW;
END $$;
CREATE TRIGGER network_addressassignment_check BEFORE INSERT ON network_addressassignment
    FOR EACH ROW EXECUTE FUNCTION network_addressassignment_check();

-- Who held what, where and from when is history and never changes; a tenancy ends
-- once, and then the address rests as long as its pool says.
CREATE FUNCTION network_addressassignment_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.vrf_id, NEW.pool_id, NEW.prefix_id, NEW.address, NEW.account_id, NEW.assigned_at)
       IS DISTINCT FROM (OLD.vrf_id, OLD.pool_id, OLD.prefix_id, OLD.address, OLD.account_id, OLD.assigned_at)
       OR (OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at) THEN
        RAISE EXCEPTION 'Who held an address is history and does not change.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_addressassignment_history',
                  TABLE = 'network_addressassignment';
    END IF;
    IF OLD.released_at IS NULL AND NEW.released_at IS NOT NULL THEN
        SELECT NEW.released_at + make_interval(secs => o.quarantine_s), true
          INTO NEW.quarantined_until, NEW.reusable
          FROM network_addresspool o WHERE o.id = NEW.pool_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER network_addressassignment_keep BEFORE UPDATE ON network_addressassignment
    FOR EACH ROW EXECUTE FUNCTION network_addressassignment_keep();

CREATE FUNCTION network_addressassignment_stay() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Who held an address is history and is not deleted.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'network_addressassignment_history',
              TABLE = 'network_addressassignment';
END $$;
CREATE TRIGGER network_addressassignment_stay BEFORE DELETE ON network_addressassignment
    FOR EACH ROW EXECUTE FUNCTION network_addressassignment_stay();
CREATE TRIGGER network_addressassignment_no_truncate BEFORE TRUNCATE ON network_addressassignment
    FOR EACH STATEMENT EXECUTE FUNCTION network_addressassignment_stay();

-- A prefix that has tenants keeps its range, its VRF and its kind.
CREATE FUNCTION network_prefix_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM network_addressassignment s WHERE s.prefix_id = OLD.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Addresses of % were given out; it cannot be changed.', OLD.cidr
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_prefix_has_tenants',
                  TABLE = 'network_prefix';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER network_prefix_keep BEFORE UPDATE OF cidr, vrf_id, kind, pool_id ON network_prefix
    FOR EACH ROW
    WHEN ((OLD.cidr, OLD.vrf_id, OLD.kind, OLD.pool_id) IS DISTINCT FROM (NEW.cidr, NEW.vrf_id, NEW.kind, NEW.pool_id))
    EXECUTE FUNCTION network_prefix_keep();

-- A prefix lies in the VRF of its pool, and its gateway in it.
CREATE FUNCTION network_prefix_check() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.gateway IS NOT NULL AND NOT NEW.gateway << NEW.cidr AND NOT NEW.gateway = host(NEW.cidr)::inet THEN
        RAISE EXCEPTION 'The gateway does not lie in the prefix.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_prefix_gateway_inside',
                  TABLE = 'network_prefix';
    END IF;
    IF NEW.pool_id IS NOT NULL THEN
        PERFORM FROM network_addresspool o WHERE o.id = NEW.pool_id AND o.vrf_id = NEW.vrf_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'The pool belongs to another VRF.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'network_prefix_pool_in_vrf',
                      TABLE = 'network_prefix';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER network_prefix_check BEFORE INSERT OR UPDATE ON network_prefix
    FOR EACH ROW EXECUTE FUNCTION network_prefix_check();

-- A pool that has prefixes keeps its VRF and the size of what it gives out.
CREATE FUNCTION network_addresspool_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM network_prefix p WHERE p.pool_id = OLD.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The pool has prefixes; its VRF and length stay.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_addresspool_has_prefixes',
                  TABLE = 'network_addresspool';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER network_addresspool_keep BEFORE UPDATE OF vrf_id, delegated_length ON network_addresspool
    FOR EACH ROW
    WHEN ((OLD.vrf_id, OLD.delegated_length) IS DISTINCT FROM (NEW.vrf_id, NEW.delegated_length))
    EXECUTE FUNCTION network_addresspool_keep();

-- An account that closes has given its addresses back.
CREATE FUNCTION network_accessaccount_close_check() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM network_addressassignment s
      WHERE s.account_id = NEW.id AND s.released_at IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The account still holds an address.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_accessaccount_closed_holds_nothing',
                  TABLE = 'network_accessaccount';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER network_accessaccount_close_check BEFORE UPDATE OF closed_at ON network_accessaccount
    FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL)
    EXECUTE FUNCTION network_accessaccount_close_check();

-- A VLAN id lies in the range of its group.
CREATE FUNCTION network_vlan_check() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM network_vlangroup g WHERE g.id = NEW.group_id AND NEW.vid BETWEEN g.vid_min AND g.vid_max;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'VLAN id % lies outside its group.', NEW.vid
            USING ERRCODE = 'check_violation', CONSTRAINT = 'network_vlan_in_group', TABLE = 'network_vlan';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER network_vlan_check BEFORE INSERT OR UPDATE ON network_vlan
    FOR EACH ROW EXECUTE FUNCTION network_vlan_check();
