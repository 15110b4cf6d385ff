-- A login that nothing is special about, decided by a statement for each table. Each reads
-- by a unique key, and what ends a packet's way here comes first: eight of them cost three
-- quarters of one that joins all. docs/radius.md, "Plain packets".
CREATE OR REPLACE FUNCTION radius_access_request(
    p_login text, p_nas inet, p_mac text, p_port_id text, p_port text, p_circuit text,
    p_remote text, p_called text, p_kind text, p_client text)
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_login text := encode(decode(p_login, 'base64'), 'escape');
    v_nas bigint;
    v_vendor text;
    v_account bigint;
    v_secret bytea;
    v_profile bigint;
    v_pool bigint;
    v_own_max int;
    v_sessions_max int;
    v_interim int;
    v_address inet;
    v_hold bigint;
    v_effect text;
    v_reason text;
    v_pairs radius_pair[];
BEGIN
    <<plain>>
    BEGIN
        -- Anything that was escaped is no plain ASCII.
        EXIT plain WHEN strpos(v_login, '\') > 0 OR p_client LIKE 'tls %';
        -- Nothing is to be proved of the NAS, or said of how decisions are kept.
        SELECT n.id, n.vendor INTO v_nas, v_vendor
          FROM network_nas n
         WHERE n.address = p_nas AND n.enabled AND n.secret_awaits IS NULL
           AND n.decisions_sample_of = 1 AND (n.decisions_read_until < now()) IS NOT TRUE;
        EXIT plain WHEN NOT FOUND;
        SELECT acc.id, acc.secret, acc.profile_id, acc.pool_id, acc.sessions_max
          INTO v_account, v_secret, v_profile, v_pool, v_own_max
          FROM network_accessaccount acc
         WHERE acc.login = v_login AND acc.closed_at IS NULL AND acc.kind = 'radius'
           AND acc.mac_lock = '' AND acc.expires_at IS NULL AND acc.vlan_id IS NULL;
        EXIT plain WHEN NOT FOUND;
        SELECT o.id, o.effect, o.reason INTO v_hold, v_effect, v_reason
          FROM network_accesshold o
         WHERE o.account_id = v_account AND o.lifted_at IS NULL;
        EXIT plain WHEN v_effect <> 'throttle';
        SELECT p.interim_s, p.sessions_max, reply.pairs
          INTO v_interim, v_sessions_max, v_pairs
          FROM network_rateprofile p
          JOIN network_profilereply reply
            ON reply.profile_id = p.id AND reply.vendor = v_vendor
           AND reply.state = CASE WHEN v_hold IS NULL THEN 'open' ELSE 'throttled' END
         WHERE p.id = v_profile AND p.idle_s = 0
           AND coalesce(v_own_max, p.sessions_max) = p.sessions_max;
        EXIT plain WHEN NOT FOUND;
        -- The NAS gives what is not held, and is told from which of its pools.
        IF v_pool IS NOT NULL THEN
            SELECT u.address INTO v_address
              FROM network_addresspool pool
              LEFT JOIN network_addressassignment u
                ON u.account_id = v_account AND u.pool_id = pool.id
               AND u.released_at IS NULL
             WHERE pool.id = v_pool AND pool.with_v6_id IS NULL
               AND CASE WHEN u.id IS NULL THEN pool.framed_pool = ''
                   ELSE pool.use = 'address' AND family(u.address) = 4
                        AND masklen(u.address) = 32 END;
            EXIT plain WHEN NOT FOUND;
        END IF;
        -- Of what there must not be, one statement asks: none of it is read as a rule.
        PERFORM WHERE EXISTS (
               SELECT FROM network_addressassignment u
                WHERE u.account_id = v_account AND u.released_at IS NULL
                  AND u.pool_id IS DISTINCT FROM v_pool)
            OR EXISTS (SELECT FROM network_nasattribute own WHERE own.nas_id = v_nas)
            OR (v_hold IS NOT NULL AND EXISTS (
               SELECT FROM network_accesshold o
                WHERE o.account_id = v_account AND o.lifted_at IS NULL
                  AND o.id <> v_hold))
            OR (v_sessions_max > 0 AND EXISTS (
               SELECT FROM network_sessionlive s
                WHERE s.account_id = v_account AND radius_is_open(s.stopped_at)));
        EXIT plain WHEN FOUND;

        id := 1; username := ''; op := ':=';
        attribute := 'Cleartext-Password';
        value := radius_pairvalue(
            dotmac_unseal(v_secret, 'network_accessaccount.secret:' || v_account::text));
        RETURN NEXT;
        attribute := 'Tmp-String-1';
        value := CASE WHEN v_hold IS NULL THEN 'open' ELSE 'throttled:' || v_reason END;
        RETURN NEXT;
        attribute := 'Class'; value := v_account; RETURN NEXT;
        attribute := 'Acct-Interim-Interval'; value := v_interim; RETURN NEXT;
        IF v_address IS NOT NULL THEN
            attribute := 'Framed-IP-Address'; value := host(v_address); RETURN NEXT;
        END IF;
        FOREACH attribute, value, op IN ARRAY v_pairs LOOP
            RETURN NEXT;
        END LOOP;
        RETURN;
    END plain;
    RETURN QUERY SELECT * FROM radius_authorize(
        radius_text(p_login), p_nas, radius_text(p_mac),
        coalesce(nullif(radius_text(p_port_id), ''), p_port), radius_text(p_circuit),
        radius_text(p_remote), radius_text(p_called), p_kind, p_client);
END $$;
