-- Sessions of long ago: whole months of the history at a time. A month in which
-- somebody was still heard of since the bound (a session of years) keeps those rows
-- and loses the others, p_limit at a time. Returns how many rows or months went; 0
-- when nothing is left to do, or when somebody reads the history so long that the
-- lock is not to be had: RADIUS must not wait behind it.
CREATE FUNCTION network_forget_sessions(p_before timestamptz, p_limit int) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    v_month regclass;
    v_kept boolean;
    v_gone bigint;
BEGIN
    IF p_before > now() - interval '31 days' THEN
        RAISE EXCEPTION 'Sessions are kept for a month at least.';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('network_sessionhistory'));
    FOR v_month IN
        SELECT i.inhrelid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'network_sessionhistory'::regclass
           AND c.relname ~ '^network_sessionhistory_[0-9]{6}$'
           AND (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')
               AT TIME ZONE 'UTC' <= p_before
         ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE heard_at >= $1)', v_month)
           INTO v_kept USING p_before;
        IF NOT v_kept THEN
            EXECUTE format('DROP TABLE %s', v_month);
            RETURN 1;
        END IF;
        EXECUTE format(
            'DELETE FROM %1$s WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM %1$s WHERE heard_at < $1 LIMIT $2))', v_month)
          USING p_before, p_limit;
        GET DIAGNOSTICS v_gone = ROW_COUNT;
        IF v_gone > 0 THEN
            RETURN v_gone;
        END IF;
    END LOOP;
    RETURN 0;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END $$;
REVOKE ALL ON FUNCTION network_forget_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_forget_sessions TO {app_role};
