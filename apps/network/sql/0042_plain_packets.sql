-- The packets that come most, each in as few statements as it can be: a login that
-- nothing is special about, a Start into silence, an interim or a Stop that only
-- counts on. Whatever is not certain here is decided by radius_authorize() and
-- radius_accounting(), which know all cases; a plain packet gets from them the same
-- answer and the same rows. docs/radius.md, "Plain packets".

-- What the servers ask of an Access-Request: octets in base64, as they came.
CREATE FUNCTION radius_access_request(
    p_login text, p_nas inet, p_mac text, p_port_id text, p_port text, p_circuit text,
    p_remote text, p_called text, p_kind text, p_client text)
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_login text := encode(decode(p_login, 'base64'), 'escape');
    v_account bigint;
    v_secret bytea;
    v_interim int;
    v_state text;
    v_address inet;
    v_pairs radius_pair[];
    pair radius_pair;
BEGIN
    -- Anything that was escaped is no plain ASCII.
    IF strpos(v_login, '\') = 0 THEN
        SELECT acc.id, acc.secret, profile.interim_s, reply.state, reply.pairs, held.address
          INTO v_account, v_secret, v_interim, v_state, v_pairs, v_address
          FROM network_nas nas
          JOIN network_accessaccount acc ON acc.login = v_login AND acc.closed_at IS NULL
          JOIN network_rateprofile profile ON profile.id = acc.profile_id
          JOIN network_profilereply reply
            ON reply.profile_id = acc.profile_id AND reply.vendor = nas.vendor
           AND reply.state = (
               SELECT CASE coalesce(max(CASE o.effect WHEN 'throttle' THEN 1 ELSE 2 END), 0)
                      WHEN 0 THEN 'open' WHEN 1 THEN 'throttled' END
                 FROM network_accesshold o
                WHERE o.account_id = acc.id AND o.lifted_at IS NULL)
          LEFT JOIN network_addresspool pool ON pool.id = acc.pool_id
         CROSS JOIN LATERAL (
               SELECT count(*) AS units, min(u.address) AS address,
                      coalesce(bool_and((
                          u.pool_id = acc.pool_id AND pool.use = 'address'
                          AND family(u.address) = 4 AND masklen(u.address) = 32) IS TRUE),
                          true) AS plain
                 FROM network_addressassignment u
                WHERE u.account_id = acc.id AND u.released_at IS NULL) held
         WHERE nas.address = p_nas AND nas.enabled AND acc.kind = 'radius'
           -- Nothing is to be proved of the NAS, or said of how decisions are kept.
           AND nas.secret_awaits IS NULL AND p_client NOT LIKE 'tls %'
           AND nas.decisions_sample_of = 1
           AND (nas.decisions_read_until < now()) IS NOT TRUE
           AND acc.mac_lock = '' AND acc.expires_at IS NULL AND acc.vlan_id IS NULL
           AND coalesce(acc.sessions_max, profile.sessions_max) = profile.sessions_max
           AND profile.idle_s = 0 AND held.plain AND held.units <= 1
           -- The NAS gives what is not held, and is told from which of its pools.
           AND pool.with_v6_id IS NULL
           AND (held.units = 1 OR coalesce(pool.framed_pool, '') = '')
           AND NOT EXISTS (SELECT FROM network_nasattribute own WHERE own.nas_id = nas.id)
           AND (profile.sessions_max = 0 OR NOT EXISTS (
               SELECT FROM network_sessionlive s
                WHERE s.account_id = acc.id AND radius_is_open(s.stopped_at)));
    END IF;
    IF v_account IS NULL THEN
        RETURN QUERY SELECT * FROM radius_authorize(
            radius_text(p_login), p_nas, radius_text(p_mac),
            coalesce(nullif(radius_text(p_port_id), ''), p_port), radius_text(p_circuit),
            radius_text(p_remote), radius_text(p_called), p_kind, p_client);
        RETURN;
    END IF;
    id := 1; username := ''; op := ':=';
    attribute := 'Cleartext-Password';
    value := radius_pairvalue(
        dotmac_unseal(v_secret, 'network_accessaccount.secret:' || v_account));
    RETURN NEXT;
    attribute := 'Tmp-String-1';
    value := CASE v_state WHEN 'open' THEN 'open'
             ELSE radius_named(v_account, v_state, 'throttle') END;
    RETURN NEXT;
    attribute := 'Class'; value := v_account; RETURN NEXT;
    attribute := 'Acct-Interim-Interval'; value := v_interim; RETURN NEXT;
    IF v_address IS NOT NULL THEN
        attribute := 'Framed-IP-Address'; value := host(v_address); RETURN NEXT;
    END IF;
    FOREACH pair IN ARRAY v_pairs LOOP
        attribute := pair.attribute; value := pair.value; op := pair.op;
        RETURN NEXT;
    END LOOP;
END $$;

-- A Start of an account that is nowhere on line, under a name that no session had:
-- nothing to replace, to end or to count. False: look closer.
CREATE FUNCTION radius_begins(
    p_login text, p_nas inet, p_session text, p_address text, p_mac text, p_port text,
    p_class text, p_at timestamptz, p_timed boolean)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_nas bigint;
    v_account bigint;
    v_key uuid;
    v_locked text;
BEGIN
    SELECT n.id, acc.id INTO v_nas, v_account
      FROM network_nas n
      JOIN network_accessaccount acc ON acc.login = p_login AND acc.closed_at IS NULL
     WHERE n.address = p_nas AND n.enabled AND p_class IN ('', acc.id::text)
       AND n.secret_awaits IS NULL
       AND (n.rebooted_at IS NULL
            OR (n.rebooted_at < now()
                AND NOT coalesce(p_timed AND p_at < n.rebooted_told_at, false)))
       AND NOT EXISTS (
           SELECT FROM network_accesshold o
            WHERE o.account_id = acc.id AND o.lifted_at IS NULL AND o.effect = 'reject');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_key := md5(concat_ws(E'\x1f', v_nas::text, p_session, p_login))::uuid;
    -- As radius_account_packet() does, in this order; an assignment runs no query.
    v_locked := pg_advisory_xact_lock(hashtextextended(v_key::text, 1));
    v_locked := pg_advisory_xact_lock(hashtextextended(v_account::text, 2));
    INSERT INTO network_sessionlive (
        session_key, generation, account_id, nas_id, login, acct_session_id,
        framed_address, mac, nas_port, started_at, seen_at, start_received, heard_at)
    SELECT v_key, 1, v_account, v_nas, p_login, p_session, nullif(p_address, '')::inet,
           p_mac, p_port, p_at, p_at, true, now()
     WHERE NOT EXISTS (SELECT FROM network_sessionlive s WHERE s.session_key = v_key)
       AND NOT EXISTS (
           SELECT FROM network_sessionlive s
            WHERE s.account_id = v_account AND radius_is_open(s.stopped_at))
       AND NOT EXISTS (
           SELECT FROM network_sessionhistory h
            WHERE h.session_key = v_key AND h.started_at > now() - interval '45 days');
    RETURN FOUND;
END $$;

-- An interim or a Stop that says nothing new of the newest session of its name but how
-- far it is: the row is found, locked as every packet of a session is, and must then be
-- as it was found. False: look closer. Keys are unique, so that there is one way to plan.
CREATE FUNCTION radius_goes_on(
    p_login text, p_nas inet, p_session text, p_address text, p_mac text, p_port text,
    p_at timestamptz, p_timed boolean, p_seconds int, p_in bigint, p_out bigint,
    p_stops boolean, p_cause text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_began timestamptz := p_at - make_interval(secs => least(p_seconds, 31536000));
    v_key uuid;
    v_locked text;
    v_id bigint;
    v_account bigint;
    v_in bigint;
    v_out bigint;
    v_heard timestamptz;
BEGIN
    SELECT s.session_key, s.id, s.account_id, s.octets_in, s.octets_out, s.heard_at
      INTO v_key, v_id, v_account, v_in, v_out, v_heard
      FROM network_nas n
     CROSS JOIN LATERAL (
           SELECT * FROM network_sessionlive l
            WHERE l.session_key =
                  md5(concat_ws(E'\x1f', n.id::text, p_session, p_login))::uuid
            ORDER BY l.generation DESC LIMIT 1) s
     WHERE n.address = p_nas AND n.enabled AND n.secret_awaits IS NULL
       -- What fell there is an overflow.
       AND (NOT n.counts_32_bits OR (p_in >= s.octets_in AND p_out >= s.octets_out))
       AND (n.rebooted_at IS NULL
            OR (n.rebooted_at < least(now(), s.heard_at)
                AND NOT coalesce(p_timed AND p_at < n.rebooted_told_at, false)))
       AND radius_is_open(s.stopped_at) AND s.account_id IS NOT NULL
       AND s.seen_at <= p_at AND s.seconds <= p_seconds
       AND v_began <= s.seen_at + interval '5 seconds'
       AND (s.start_received OR s.started_at <= v_began)
       AND p_mac IN ('', s.mac) AND p_port IN ('', s.nas_port)
       AND p_address IN ('', host(s.framed_address));
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_locked := pg_advisory_xact_lock(hashtextextended(v_key::text, 1));
    UPDATE network_sessionlive s SET
        seen_at = p_at, heard_at = greatest(v_heard, now()), seconds = p_seconds,
        octets_in = greatest(v_in, p_in), octets_out = greatest(v_out, p_out),
        stopped_at = CASE WHEN p_stops THEN p_at END,
        cause = CASE WHEN p_stops THEN p_cause ELSE s.cause END
     WHERE s.id = v_id AND radius_is_open(s.stopped_at) AND s.heard_at = v_heard
       AND s.octets_in = v_in AND s.octets_out = v_out
       AND s.seen_at <= p_at AND s.seconds <= p_seconds;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM radius_add_usage(
        v_account, greatest(p_in - v_in, 0), greatest(p_out - v_out, 0), now());
    RETURN true;
END $$;

-- What the servers ask of an Accounting-Request: octets in base64, numbers as text,
-- '' for what is absent.
CREATE FUNCTION radius_accounting_request(
    p_status text, p_login text, p_nas inet, p_session text, p_address text,
    p_mac text, p_port_id text, p_port text, p_class text, p_event text, p_delay text,
    p_seconds text, p_in text, p_in_giga text, p_out text, p_out_giga text, p_cause text,
    p_received text, p_ipv6 text, p_prefix text, p_delegated text, p_circuit text,
    p_called text, p_client text)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_login text := encode(decode(p_login, 'base64'), 'escape');
    v_session text := encode(decode(p_session, 'base64'), 'escape');
    v_mac text := replace(lower(encode(decode(p_mac, 'base64'), 'escape')), '-', ':');
    v_port text := coalesce(nullif(encode(decode(p_port_id, 'base64'), 'escape'), ''), p_port);
    v_at timestamptz;
    v_plain boolean := false;
BEGIN
    -- Heard now, sent now, by a clock that is not an hour behind; told in ASCII, of an
    -- IPv4 line at most.
    IF p_received || p_ipv6 || p_prefix || p_delegated || p_circuit || p_called = ''
       AND p_delay IN ('', '0') AND v_session <> '' AND p_client NOT LIKE 'tls %'
       AND strpos(v_login || v_session || v_port || v_mac, '\') = 0
       AND (v_mac = '' OR v_mac ~ '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$')
       AND (p_event = '' OR p_event ~ '^[0-9]{10}$') THEN
        v_at := date_trunc('second', now());
        IF p_event <> '' THEN
            v_at := least(to_timestamp(p_event::bigint), v_at);
        END IF;
        IF v_at < now() - interval '1 hour' THEN
            NULL;
        ELSIF p_status = 'Start' AND p_seconds || p_in || p_out = '' THEN
            v_plain := radius_begins(
                v_login, p_nas, v_session, p_address, v_mac, v_port,
                encode(decode(p_class, 'base64'), 'escape'), v_at, p_event <> '');
        ELSIF p_status IN ('Interim-Update', 'Stop') AND p_seconds ~ '^[0-9]{1,9}$' THEN
            v_plain := radius_goes_on(
                v_login, p_nas, v_session, p_address, v_mac, v_port, v_at, p_event <> '',
                p_seconds::int, radius_octets(p_in, p_in_giga),
                radius_octets(p_out, p_out_giga), p_status = 'Stop', left(p_cause, 64));
        END IF;
    END IF;
    IF v_plain THEN
        RETURN NEXT lower(p_status);
        RETURN;
    END IF;
    RETURN QUERY SELECT radius_accounting(
        p_status, radius_text(p_login), p_nas, radius_text(p_session), p_address,
        radius_text(p_mac), coalesce(nullif(radius_text(p_port_id), ''), p_port),
        radius_text(p_class), p_event, p_delay, p_seconds, p_in, p_in_giga, p_out,
        p_out_giga, p_cause, p_received, p_ipv6, p_prefix, p_delegated,
        radius_text(p_circuit), radius_text(p_called), p_client);
END $$;

REVOKE ALL ON FUNCTION radius_access_request, radius_begins, radius_goes_on,
    radius_accounting_request FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_access_request, radius_accounting_request TO {radius_role};
