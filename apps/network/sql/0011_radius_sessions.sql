-- How many sessions of the RADIUS server began before an instant, and so do not
-- know a key that was added at it. NULL when this database's owner may not see
-- other roles' sessions (pg_read_all_stats). Shows a number and nothing else.
CREATE FUNCTION network_radius_sessions_behind(p_instant timestamptz) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN count(*) FILTER (WHERE backend_start IS NULL) > 0 THEN NULL
        ELSE count(*) FILTER (WHERE backend_start < p_instant)
    END::integer
      FROM pg_stat_activity
     WHERE usesysid = '{radius_role}'::regrole AND datname = current_database()
$$;
REVOKE EXECUTE ON FUNCTION network_radius_sessions_behind(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_radius_sessions_behind(timestamptz) TO {app_role};
