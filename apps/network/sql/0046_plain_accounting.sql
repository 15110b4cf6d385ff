-- Plain accounting in fewer parts, and for records that waited as well. What a packet
-- costs here is the making of its expressions, anew in each transaction: hence few
-- functions and operators, no regular expression, and nothing that is not looked at.
-- docs/radius.md, "Plain packets".

DROP FUNCTION radius_begins(text, inet, text, text, text, text, text, timestamptz, boolean);
DROP FUNCTION radius_goes_on(text, inet, text, text, text, text, timestamptz, boolean, int,
    bigint, bigint, boolean, text);

-- A Start of an account that is nowhere on line, under a name that no session had:
-- nothing to replace, to end or to count. `p_told` is `p_at` where the NAS told the time.
-- False: look closer.
CREATE FUNCTION radius_begins(
    p_login text, p_nas inet, p_session text, p_address text, p_mac text, p_port text,
    p_class text, p_at timestamptz, p_told timestamptz, p_heard timestamptz)
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
     WHERE n.address = p_nas AND n.enabled AND n.secret_awaits IS NULL
       AND (p_class = '' OR p_class = acc.id::text)
       AND (n.rebooted_at < p_heard AND (p_told >= n.rebooted_told_at) IS NOT FALSE)
           IS NOT FALSE
       AND NOT EXISTS (
           SELECT FROM network_accesshold o
            WHERE o.account_id = acc.id AND o.lifted_at IS NULL AND o.effect = 'reject');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_key := md5(concat_ws(E'\x1f', v_nas, p_session, p_login));
    -- As radius_account_packet() does, in this order; an assignment runs no query.
    v_locked := pg_advisory_xact_lock(hashtextextended(v_key::text, 1));
    v_locked := pg_advisory_xact_lock(hashtextextended(v_account::text, 2));
    INSERT INTO network_sessionlive (
        session_key, generation, account_id, nas_id, login, acct_session_id,
        framed_address, mac, nas_port, started_at, seen_at, start_received, heard_at)
    SELECT v_key, 1, v_account, v_nas, p_login, p_session, nullif(p_address, '')::inet,
           p_mac, p_port, p_at, p_at, true, p_heard
     WHERE NOT EXISTS (SELECT FROM network_sessionlive s WHERE s.session_key = v_key)
       AND NOT EXISTS (
           SELECT FROM network_sessionlive s
            WHERE s.account_id = v_account AND radius_is_open(s.stopped_at))
       -- No session began after now: months to come need not be looked into.
       AND NOT EXISTS (
           SELECT FROM network_sessionhistory h
            WHERE h.session_key = v_key AND h.started_at > now() - interval '45 days'
              AND h.started_at < now() + interval '1 day');
    RETURN FOUND;
END $$;

-- An interim or a Stop that says nothing new of the newest session of its name but how
-- far it is. One UPDATE finds the row and changes it if it is still as it was found:
-- counters that another packet has changed meanwhile are another row version. The
-- session's lock comes before the row's, as everywhere: whoever looks closer afterwards
-- would else wait for it with the row in his hand. A counter that fell may be an
-- overflow. False: look closer.
CREATE FUNCTION radius_goes_on(
    p_login text, p_nas inet, p_session text, p_address text, p_mac text, p_port text,
    p_at timestamptz, p_told timestamptz, p_heard timestamptz, p_seconds int, p_in bigint,
    p_out bigint, p_stopped timestamptz, p_cause text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_began timestamptz := p_at - make_interval(secs => least(p_seconds, 31536000));
    v_account bigint;
    v_in bigint;
    v_out bigint;
    v_done text;
BEGIN
    UPDATE network_sessionlive s SET
        seen_at = p_at, heard_at = p_heard, seconds = p_seconds, octets_in = p_in,
        octets_out = p_out, stopped_at = p_stopped, cause = coalesce(p_cause, s.cause)
      FROM network_nas n
     CROSS JOIN LATERAL (
           SELECT l.ctid, l.octets_in, l.octets_out,
                  pg_advisory_xact_lock(hashtextextended(l.session_key::text, 1))
             FROM network_sessionlive l
            WHERE l.session_key =
                  md5(concat_ws(E'\x1f', n.id, p_session, p_login))::uuid
            ORDER BY l.generation DESC LIMIT 1) was
     WHERE n.address = p_nas AND n.enabled AND n.secret_awaits IS NULL
       AND s.ctid = was.ctid
       AND s.octets_in = was.octets_in AND s.octets_out = was.octets_out
       AND (n.rebooted_at < s.heard_at AND (p_told >= n.rebooted_told_at) IS NOT FALSE)
           IS NOT FALSE
       AND radius_is_open(s.stopped_at) AND s.account_id IS NOT NULL
       AND s.seen_at <= p_at AND s.heard_at <= p_heard AND s.seconds <= p_seconds
       AND s.octets_in <= p_in AND s.octets_out <= p_out
       AND v_began <= s.seen_at + interval '5 seconds'
       AND (s.start_received OR s.started_at <= v_began)
       AND p_mac = ANY (ARRAY['', s.mac]) AND p_port = ANY (ARRAY['', s.nas_port])
       AND p_address = ANY (ARRAY['', host(s.framed_address)])
    RETURNING s.account_id, p_in - was.octets_in, p_out - was.octets_out
         INTO v_account, v_in, v_out;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_done := radius_add_usage(v_account, v_in, v_out, p_heard);
    RETURN true;
END $$;

-- As in 0042; a record that waited is judged by the hour in which it reached us.
CREATE OR REPLACE FUNCTION radius_accounting_request(
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
    v_port text := p_port;
    v_heard timestamptz := now();
    v_at timestamptz;
    v_told timestamptz;
    v_stopped timestamptz;
    v_cause text;
    v_plain boolean := false;
BEGIN
    IF p_port_id <> '' THEN
        v_port := encode(decode(p_port_id, 'base64'), 'escape');
    END IF;
    -- Sent when it reached us; told in ASCII, of an IPv4 line at most, not over TLS.
    IF '' = ALL (ARRAY[p_ipv6, p_prefix, p_delegated, p_circuit, p_called])
       AND p_delay IN ('', '0')
       AND array_to_string(ARRAY[p_client, v_login, v_session, v_port, v_mac], ' ')
           NOT LIKE ALL ('{"tls %","%\\\\%"}')
       AND v_mac LIKE ANY ('{"",__:__:__:__:__:__}')
       AND translate(v_mac, '0123456789abcdef', '') IN ('', ':::::')
       AND p_event LIKE ANY ('{"",__________}')
       AND translate(p_event || p_seconds, '0123456789', '') = '' THEN
        IF p_received <> '' THEN
            v_heard := radius_receipt_time(p_received);
        END IF;
        v_at := date_trunc('second', v_heard);
        IF p_event <> '' THEN
            v_at := least(v_at, to_timestamp(p_event::float8));
            v_told := v_at;
        END IF;
        IF v_told < v_heard - interval '1 hour' THEN
            NULL;
        ELSIF p_status = 'Start' THEN
            IF v_session <> '' AND '' = ALL (ARRAY[p_seconds, p_in, p_out]) THEN
                v_plain := radius_begins(
                    v_login, p_nas, v_session, p_address, v_mac, v_port,
                    encode(decode(p_class, 'base64'), 'escape'), v_at, v_told, v_heard);
            END IF;
        ELSIF p_status IN ('Interim-Update', 'Stop')
              AND p_seconds LIKE ANY ('{_,__,___,____,_____,______,_______,________}') THEN
            IF p_status = 'Stop' THEN
                v_stopped := v_at;
                v_cause := left(p_cause, 64);
            END IF;
            v_plain := radius_goes_on(
                v_login, p_nas, v_session, p_address, v_mac, v_port, v_at, v_told, v_heard,
                p_seconds::int, radius_octets(p_in, p_in_giga),
                radius_octets(p_out, p_out_giga), v_stopped, v_cause);
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

-- As in 0041; the row must be as it was read, whoever else has changed it.
CREATE OR REPLACE FUNCTION radius_go_on(p radius_packet) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_id bigint;
    v_account bigint;
    v_in bigint;
    v_out bigint;
    v_seconds int;
BEGIN
    SELECT s.id, s.account_id, s.octets_in, s.octets_out, s.seconds
      INTO v_id, v_account, v_in, v_out, v_seconds
      FROM network_sessionlive s
     WHERE s.session_key = p.session_key AND radius_is_open(s.stopped_at)
       AND s.account_id IS NOT NULL AND s.seen_at <= p.at AND s.seconds <= p.seconds
       AND p.began <= s.seen_at + interval '5 seconds'
       AND (s.start_received OR s.started_at <= p.began)
       AND (p.rebooted_at IS NULL OR s.heard_at > p.rebooted_at)
     ORDER BY s.generation DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p.octets_in < v_in OR p.octets_out < v_out THEN
        p := radius_unwrapped(p, v_seconds, v_in, v_out);
    END IF;
    UPDATE network_sessionlive s SET
        seen_at = p.at,
        heard_at = greatest(s.heard_at, p.heard_at),
        seconds = p.seconds,
        octets_in = greatest(v_in, p.octets_in),
        octets_out = greatest(v_out, p.octets_out),
        framed_address = coalesce(p.address, s.framed_address),
        mac = coalesce(nullif(p.mac, ''), s.mac),
        nas_port = coalesce(nullif(p.port, ''), s.nas_port),
        framed_ipv6 = coalesce(p.framed_ipv6, s.framed_ipv6),
        framed_ipv6_prefix = coalesce(p.framed_ipv6_prefix, s.framed_ipv6_prefix),
        delegated_prefix = coalesce(p.delegated_prefix, s.delegated_prefix),
        circuit = coalesce(nullif(p.circuit, ''), s.circuit),
        called = coalesce(nullif(p.called, ''), s.called)
     WHERE s.id = v_id AND radius_is_open(s.stopped_at)
       AND s.octets_in = v_in AND s.octets_out = v_out
       AND s.seen_at <= p.at AND s.seconds <= p.seconds;
    -- A job may just have closed it, a plain packet counted.
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM radius_add_usage(
        v_account, greatest(p.octets_in - v_in, 0), greatest(p.octets_out - v_out, 0),
        p.heard_at);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION radius_begins, radius_goes_on FROM PUBLIC;
