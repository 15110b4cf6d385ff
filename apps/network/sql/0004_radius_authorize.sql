-- What RADIUS asks before it lets somebody in. docs/radius.md has the design.
--
-- The functions run as their owner with a fixed search path; role radius may
-- execute them and has no right on any table, the application's role may not.

-- The live table has got this column in the step before: the same place here.
ALTER TABLE network_sessionhistory ADD COLUMN start_received boolean NOT NULL DEFAULT false;

-- Text that arrived in a packet, from its bytes in hex. Bytes that are no UTF-8
-- (or hold a zero) become their hex form, which no login can match by accident.
CREATE FUNCTION radius_text(p_hex text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_hex ~ '^([2-7][0-9a-f])*$' THEN
        RETURN convert_from(decode(p_hex, 'hex'), 'UTF8');
    END IF;
    BEGIN
        RETURN convert_from(decode(p_hex, 'hex'), 'UTF8');
    EXCEPTION WHEN data_exception THEN
        RETURN '\x' || p_hex;
    END;
END $$;

-- aa:bb:cc:dd:ee:ff from any spelling; empty when it is no MAC address.
CREATE FUNCTION radius_mac(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF coalesce(p_text, '') !~ '^[0-9A-Fa-f]{2}([-:.]?[0-9A-Fa-f]{2}){5}$' THEN
        RETURN '';
    END IF;
    RETURN regexp_replace(lower(regexp_replace(p_text, '[-:.]', '', 'g')),
                          '(..)(?=.)', '\1:', 'g');
END $$;

-- rlm_sql takes the quotes off a value that begins and ends with the same one:
-- what a person typed travels inside single quotes.
CREATE FUNCTION radius_pairvalue(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT '''' || replace(replace(p_text, '\', '\\'), '''', '\''') || ''''
$$;

-- The speed in the words that the NAS's vendor understands.
CREATE FUNCTION radius_rate(
    p_vendor text, p_profile network_rateprofile, p_throttled boolean
) RETURNS TABLE (attribute text, value text)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    up bigint := CASE WHEN p_throttled THEN p_profile.throttled_up_kbps ELSE p_profile.up_kbps END;
    down bigint := CASE WHEN p_throttled THEN p_profile.throttled_down_kbps ELSE p_profile.down_kbps END;
BEGIN
    IF p_vendor <> 'mikrotik' THEN
        -- Bits a second in 32 bits: faster lines go without this limit's detail.
        RETURN QUERY VALUES
            ('WISPr-Bandwidth-Max-Up', least(up * 1000, 4294967295)::text),
            ('WISPr-Bandwidth-Max-Down', least(down * 1000, 4294967295)::text);
        RETURN;
    END IF;
    -- rx/tx as the NAS sees it: the subscriber's upload comes first.
    attribute := 'Mikrotik-Rate-Limit';
    value := up || 'k/' || down || 'k';
    IF NOT p_throttled AND p_profile.burst_s > 0 AND p_profile.burst_down_kbps > 0 THEN
        value := concat_ws(' ', value,
            p_profile.burst_up_kbps || 'k/' || p_profile.burst_down_kbps || 'k',
            coalesce(nullif(p_profile.burst_threshold_up_kbps, 0), up) || 'k/'
                || coalesce(nullif(p_profile.burst_threshold_down_kbps, 0), down) || 'k',
            p_profile.burst_s || '/' || p_profile.burst_s);
    END IF;
    RETURN NEXT;
END $$;

-- Sessions of an account that count: those heard of in three interim intervals.
-- A session of the same device is the one that is being replaced.
CREATE FUNCTION radius_open_sessions(p_account bigint, p_interim int, p_mac text)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*) FROM network_sessionlive s
             WHERE s.account_id = p_account AND s.stopped_at IS NULL
               AND s.seen_at > now() - make_interval(secs => 3 * p_interim)
               AND (p_mac = '' OR s.mac <> p_mac));
END $$;

-- Everything that is needed to answer one Access-Request, in rlm_sql's rows.
--   no row           unknown user
--   Tmp-String-0     a NAS that we do not know: no answer
--   Auth-Type        Reject; Tmp-String-1 has the reason, which stays inside
--   else             Cleartext-Password for the server, the rest for the NAS
CREATE FUNCTION radius_authorize(p_login text, p_nas inet, p_mac text DEFAULT '')
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    n record;
    a record;
    v_mac text := radius_mac(p_mac);
    v_refused text;
BEGIN
    id := 1; username := ''; op := ':=';
    SELECT nas.vendor, nas.walled_pool, nas.address INTO n
      FROM network_nas nas WHERE nas.address = p_nas AND nas.enabled;
    IF NOT FOUND THEN
        attribute := 'Tmp-String-0'; value := 'ignore'; RETURN NEXT;
        RETURN;
    END IF;

    SELECT acc.id, acc.secret, acc.mac_lock, acc.expires_at, profile,
           coalesce(acc.sessions_max, profile.sessions_max) AS sessions_max,
           profile.interim_s AS interim_s, pool.framed_pool, st.effect, st.state
      INTO a
      FROM network_accessaccount acc
      JOIN network_rateprofile profile ON profile.id = acc.profile_id
      LEFT JOIN network_addresspool pool ON pool.id = acc.pool_id
     CROSS JOIN LATERAL network_access_state(acc.id, now()) st
     WHERE acc.login = p_login AND acc.closed_at IS NULL AND acc.kind = 'radius';
    IF NOT FOUND THEN
        RETURN;
    END IF;

    -- The platform's own NAS only tries passwords: it opens no session.
    IF a.effect = 'reject' THEN
        v_refused := 'hold';
    ELSIF a.mac_lock <> '' AND a.mac_lock <> v_mac THEN
        v_refused := 'mac';
    ELSIF a.sessions_max > 0 AND n.address <> '127.0.0.2'
          AND radius_open_sessions(a.id, a.interim_s, v_mac) >= a.sessions_max THEN
        v_refused := 'sessions';
    END IF;
    IF v_refused IS NOT NULL THEN
        attribute := 'Auth-Type'; value := 'Reject'; RETURN NEXT;
        attribute := 'Tmp-String-1'; value := v_refused; RETURN NEXT;
        RETURN;
    END IF;

    attribute := 'Cleartext-Password';
    value := radius_pairvalue(
        dotmac_unseal(a.secret, 'network_accessaccount.secret:' || a.id));
    RETURN NEXT;
    attribute := 'Tmp-String-1'; value := a.state; RETURN NEXT;
    attribute := 'Class'; value := a.id::text; RETURN NEXT;
    attribute := 'Acct-Interim-Interval'; value := a.interim_s::text; RETURN NEXT;
    RETURN QUERY SELECT id, username, r.attribute, r.value, op
        FROM radius_rate(n.vendor, a.profile, a.effect <> 'accept') r;

    IF a.effect = 'walled_garden' THEN
        attribute := 'Framed-Pool'; value := radius_pairvalue(n.walled_pool); RETURN NEXT;
        attribute := 'Session-Timeout'; value := '600'; RETURN NEXT;
        RETURN;
    END IF;

    RETURN QUERY SELECT id, username, held.attribute, held.value, op
        FROM radius_addresses(a.id, a.framed_pool) held;
    -- Exact expiry without a CoA: the NAS ends the session itself.
    IF a.expires_at IS NOT NULL THEN
        attribute := 'Session-Timeout';
        value := least(2147483647,
            greatest(1, ceil(extract(epoch FROM a.expires_at - now()))))::bigint::text;
        RETURN NEXT;
    END IF;
END $$;

-- The addresses that the account holds, else the pool that the NAS takes from.
CREATE FUNCTION radius_addresses(p_account bigint, p_framed_pool text)
RETURNS TABLE (attribute text, value text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_framed boolean := false;
    held inet;
BEGIN
    FOR held IN
        SELECT s.address FROM network_addressassignment s
         WHERE s.account_id = p_account AND s.released_at IS NULL ORDER BY s.id
    LOOP
        IF family(held) = 4 AND NOT v_framed THEN
            v_framed := true;
            attribute := 'Framed-IP-Address'; value := host(held); RETURN NEXT;
        ELSIF family(held) = 6 AND masklen(held) = 128 THEN
            attribute := 'Framed-IPv6-Address'; value := host(held); RETURN NEXT;
        ELSIF family(held) = 6 THEN
            attribute := 'Delegated-IPv6-Prefix'; value := text(network(held)); RETURN NEXT;
        END IF;
    END LOOP;
    IF NOT v_framed AND p_framed_pool <> '' THEN
        attribute := 'Framed-Pool'; value := radius_pairvalue(p_framed_pool); RETURN NEXT;
    END IF;
END $$;

-- The NAS at an address (all of them for NULL), its secret opened on the way.
CREATE FUNCTION radius_clients(p_address inet DEFAULT NULL)
RETURNS TABLE (id bigint, nasname text, shortname text, type text, secret text,
               server text, require_message_authenticator boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT n.id, host(n.address), 'nas-' || n.id, 'other',
           dotmac_unseal(n.secret, 'network_nas.secret:' || n.id), 'dotmac',
           n.require_message_authenticator
      FROM network_nas n
     WHERE n.enabled AND (p_address IS NULL OR n.address = p_address)
$$;

REVOKE ALL ON FUNCTION radius_text(text), radius_mac(text), radius_pairvalue(text),
    radius_rate(text, network_rateprofile, boolean),
    radius_open_sessions(bigint, int, text), radius_addresses(bigint, text),
    radius_authorize(text, inet, text), radius_clients(inet) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_text(text), radius_authorize(text, inet, text),
    radius_clients(inet) TO {radius_role};
