-- radius_authorize() asks four others, each of which answers one question:
-- who asks, who is meant, may he in, and with what.

-- The open account that a request means; all NULL when there is none.
CREATE FUNCTION radius_find_account(r radius_request, n network_nas) RETURNS radius_subject
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s radius_subject;
BEGIN
    SELECT acc.id, 'login', acc.secret, acc.mac_lock, acc.expires_at,
           coalesce(acc.sessions_max, profile.sessions_max), profile.interim_s,
           pool.framed_pool, st.effect, st.state, profile
      INTO s
      FROM network_accessaccount acc
      JOIN network_rateprofile profile ON profile.id = acc.profile_id
      LEFT JOIN network_addresspool pool ON pool.id = acc.pool_id
     CROSS JOIN LATERAL network_access_state(acc.id, now()) st
     WHERE acc.login = r.login AND acc.closed_at IS NULL AND acc.kind = 'radius';
    RETURN s;
END $$;

-- Why the account is refused, whatever the password; '' when it is not.
CREATE FUNCTION radius_refusal(s radius_subject, r radius_request, n network_nas)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF s.effect = 'reject' THEN
        RETURN 'hold';
    ELSIF s.mac_lock <> '' AND s.mac_lock <> r.mac THEN
        RETURN 'mac';
    -- The platform's own NAS only tries passwords: it opens no session.
    ELSIF s.sessions_max > 0 AND n.address <> '127.0.0.2'
          AND radius_open_sessions(s.account_id, s.interim_s, r.mac) >= s.sessions_max THEN
        RETURN 'sessions';
    END IF;
    RETURN '';
END $$;

-- What the NAS is told about an account that is let in, in the order of the wire.
CREATE FUNCTION radius_reply(s radius_subject, r radius_request, n network_nas)
RETURNS radius_pair[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    pairs radius_pair[];
BEGIN
    pairs := ARRAY[
        ('Class', s.account_id::text, ':=')::radius_pair,
        ('Acct-Interim-Interval', s.interim_s::text, ':=')::radius_pair
    ] || ARRAY(SELECT (rate.attribute, rate.value, ':=')::radius_pair
                 FROM radius_rate(n.vendor, s.profile, s.effect <> 'accept') rate);
    IF s.effect = 'walled_garden' THEN
        RETURN pairs || ARRAY[
            ('Framed-Pool', radius_pairvalue(n.walled_pool), ':=')::radius_pair,
            ('Session-Timeout', '600', ':=')::radius_pair
        ];
    END IF;
    pairs := pairs || ARRAY(SELECT (held.attribute, held.value, ':=')::radius_pair
                              FROM radius_addresses(s.account_id, s.framed_pool) held);
    -- Exact expiry without a CoA: the NAS ends the session itself.
    IF s.expires_at IS NOT NULL THEN
        pairs := pairs || ('Session-Timeout', least(2147483647,
            greatest(1, ceil(extract(epoch FROM s.expires_at - now()))))::bigint::text,
            ':=')::radius_pair;
    END IF;
    RETURN pairs;
END $$;

-- Everything that is needed to answer one Access-Request, in rlm_sql's rows.
--   no row           unknown user
--   Tmp-String-0     a NAS that we do not know: no answer
--   Auth-Type        Reject; Tmp-String-1 has the reason, which stays inside
--   else             Cleartext-Password for the server, the rest for the NAS
DROP FUNCTION radius_authorize(text, inet, text);
CREATE FUNCTION radius_authorize(
    p_login text, p_nas inet, p_mac text DEFAULT '', p_port text DEFAULT '',
    p_circuit text DEFAULT '', p_remote text DEFAULT '', p_called text DEFAULT '',
    p_kind text DEFAULT '', p_client text DEFAULT '')
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    n network_nas;
    r radius_request;
    s radius_subject;
    pair radius_pair;
    refused text;
BEGIN
    id := 1; username := ''; op := ':=';
    n := radius_nas_of(p_nas, p_client);
    IF n.id IS NULL THEN
        attribute := 'Tmp-String-0'; value := 'ignore'; RETURN NEXT;
        RETURN;
    END IF;
    r := (p_login, p_nas, radius_mac(p_mac), coalesce(p_mac, ''), coalesce(p_port, ''),
          coalesce(p_circuit, ''), coalesce(p_remote, ''), coalesce(p_called, ''),
          coalesce(p_kind, ''), coalesce(p_client, ''))::radius_request;
    s := radius_find_account(r, n);
    IF s.account_id IS NULL THEN
        RETURN;
    END IF;
    refused := radius_refusal(s, r, n);
    IF refused <> '' THEN
        attribute := 'Auth-Type'; value := 'Reject'; RETURN NEXT;
        attribute := 'Tmp-String-1'; value := refused; RETURN NEXT;
        RETURN;
    END IF;
    attribute := 'Cleartext-Password';
    value := radius_pairvalue(
        dotmac_unseal(s.secret, 'network_accessaccount.secret:' || s.account_id));
    RETURN NEXT;
    attribute := 'Tmp-String-1'; value := s.state; RETURN NEXT;
    FOREACH pair IN ARRAY radius_reply(s, r, n) LOOP
        attribute := pair.attribute; value := pair.value; op := pair.op;
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION radius_find_account, radius_refusal, radius_reply,
    radius_authorize FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_authorize TO {radius_role};
