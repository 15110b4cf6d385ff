-- The speed that a running session of the account should have now, in the words of
-- its NAS: what a CoA carries. The application may read it; nothing else of RADIUS.
CREATE FUNCTION network_edge_rate(p_account_id bigint, p_nas_id bigint)
RETURNS TABLE (attribute text, value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.attribute, r.value
      FROM network_accessaccount a
      JOIN network_rateprofile p ON p.id = a.profile_id
      JOIN network_nas n ON n.id = p_nas_id
     CROSS JOIN LATERAL network_access_state(a.id, now()) s
     CROSS JOIN LATERAL radius_rate(n.vendor, p, s.effect <> 'accept') r
     WHERE a.id = p_account_id
$$;
REVOKE ALL ON FUNCTION network_edge_rate(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_edge_rate(bigint, bigint) TO {app_role};
