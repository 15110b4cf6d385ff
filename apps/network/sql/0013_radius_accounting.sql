-- Packets tell more: when they reached us, IPv6, the line and who was called.

-- When a packet reached us: now, or when the server that kept it for a while says
-- (seconds since 1970). It is our own clock, but what stands in a file may be
-- anything: never later than now, never more than a month ago.
CREATE FUNCTION radius_receipt_time(p_received text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    told timestamptz;
BEGIN
    IF coalesce(p_received, '') ~ '^[0-9]{1,10}$' THEN
        told := to_timestamp(p_received::bigint);
        IF told > now() - interval '31 days' AND told <= now() THEN
            RETURN told;
        END IF;
    END IF;
    RETURN now();
END $$;

-- An IPv6 address or prefix as a packet has it; NULL when it is none. Nonsense
-- costs the address, never the packet. Bits beyond a prefix go with the cast to cidr.
CREATE FUNCTION radius_ipv6(p_text text) RETURNS inet
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- The block below is a subtransaction: not for those who have no IPv6.
    IF coalesce(p_text, '') = '' THEN
        RETURN NULL;
    END IF;
    BEGIN
        RETURN CASE WHEN family(p_text::inet) = 6 THEN p_text::inet END;
    EXCEPTION WHEN data_exception THEN
        RETURN NULL;
    END;
END $$;

-- The first packet of a generation, whichever kind it is.
CREATE OR REPLACE FUNCTION radius_open_session(p radius_packet)
RETURNS network_sessionlive LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r network_sessionlive;
    last_generation int;
    overtaken boolean;
BEGIN
    SELECT coalesce(max(known.generation), 0), coalesce(bool_or(known.started_at > p.at), false)
      INTO last_generation, overtaken
      FROM (SELECT s.generation, s.started_at FROM network_sessionlive s
             WHERE s.session_key = p.session_key
            UNION ALL
            SELECT h.generation, NULL FROM network_sessionhistory h
             WHERE h.session_key = p.session_key
               AND h.started_at > now() - interval '45 days') known;
    INSERT INTO network_sessionlive (
        session_key, generation, account_id, nas_id, login, acct_session_id,
        framed_address, mac, nas_port, started_at, seen_at, stopped_at, seconds,
        octets_in, octets_out, cause, presumed_ended, start_received, heard_at,
        framed_ipv6, framed_ipv6_prefix, delegated_prefix, circuit, called)
    VALUES (
        p.session_key, last_generation + 1, p.account_id, p.nas_id, p.login, p.session,
        p.address, p.mac, p.port, p.began, p.at,
        CASE WHEN p.kind = 'Stop' OR overtaken THEN p.at END, p.seconds,
        p.octets_in, p.octets_out,
        CASE WHEN p.kind = 'Stop' THEN p.cause WHEN overtaken THEN 'superseded' ELSE '' END,
        false, p.kind = 'Start', p.heard_at,
        p.framed_ipv6, p.framed_ipv6_prefix, p.delegated_prefix, p.circuit, p.called)
    RETURNING * INTO r;
    RETURN r;
END $$;

-- A packet of a generation that is known. Touches no indexed column unless it
-- opens, closes or dates the session, so that an interim's update is HOT.
CREATE OR REPLACE FUNCTION radius_update_session(r network_sessionlive, p radius_packet)
RETURNS network_sessionlive LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    stop boolean := p.kind = 'Stop';
    told boolean := radius_end_was_told(r.stopped_at, r.cause);
    reopened boolean := r.presumed_ended AND p.kind = 'Interim-Update' AND p.at > r.stopped_at;
    newest boolean := p.at >= r.seen_at;
BEGIN
    UPDATE network_sessionlive s SET
        account_id = coalesce(s.account_id, p.account_id),
        framed_address = CASE WHEN newest THEN coalesce(p.address, s.framed_address)
                              ELSE coalesce(s.framed_address, p.address) END,
        mac = CASE WHEN (newest AND p.mac <> '') OR s.mac = '' THEN p.mac ELSE s.mac END,
        nas_port = CASE WHEN (newest AND p.port <> '') OR s.nas_port = '' THEN p.port ELSE s.nas_port END,
        started_at = CASE
            WHEN p.kind = 'Start' AND NOT s.start_received THEN p.at
            WHEN p.kind = 'Start' OR NOT s.start_received THEN least(s.started_at, p.began)
            ELSE s.started_at END,
        start_received = s.start_received OR p.kind = 'Start',
        seen_at = greatest(s.seen_at, p.at),
        stopped_at = CASE
            WHEN stop AND told THEN least(s.stopped_at, p.at)
            WHEN stop THEN p.at
            WHEN reopened THEN NULL
            WHEN s.cause = 'superseded' THEN greatest(s.stopped_at, p.at)
            ELSE s.stopped_at END,
        presumed_ended = s.presumed_ended AND NOT stop AND NOT reopened,
        cause = CASE
            WHEN stop AND (NOT told OR p.at < s.stopped_at OR s.cause = '') THEN p.cause
            WHEN reopened THEN ''
            ELSE s.cause END,
        seconds = greatest(s.seconds, p.seconds),
        octets_in = greatest(s.octets_in, p.octets_in),
        octets_out = greatest(s.octets_out, p.octets_out),
        heard_at = greatest(s.heard_at, p.heard_at),
        framed_ipv6 = CASE WHEN newest THEN coalesce(p.framed_ipv6, s.framed_ipv6)
                           ELSE coalesce(s.framed_ipv6, p.framed_ipv6) END,
        framed_ipv6_prefix = CASE
            WHEN newest THEN coalesce(p.framed_ipv6_prefix, s.framed_ipv6_prefix)
            ELSE coalesce(s.framed_ipv6_prefix, p.framed_ipv6_prefix) END,
        delegated_prefix = CASE
            WHEN newest THEN coalesce(p.delegated_prefix, s.delegated_prefix)
            ELSE coalesce(s.delegated_prefix, p.delegated_prefix) END,
        circuit = CASE WHEN (newest AND p.circuit <> '') OR s.circuit = '' THEN p.circuit
                       ELSE s.circuit END,
        called = CASE WHEN (newest AND p.called <> '') OR s.called = '' THEN p.called
                      ELSE s.called END
     WHERE s.id = r.id
    RETURNING * INTO r;
    RETURN r;
END $$;

-- The entry. No row: nothing that we answer (an unknown NAS, no session id).
-- Numbers come as text, since an absent attribute expands to ''.
DROP FUNCTION radius_accounting(text, text, inet, text, text, text, text, text, text, text,
    text, text, text, text, text, text);
CREATE FUNCTION radius_accounting(
    p_status text, p_login text, p_nas inet, p_session text, p_address text,
    p_mac text, p_port text, p_class text, p_event text, p_delay text,
    p_seconds text, p_in text, p_in_giga text, p_out text, p_out_giga text, p_cause text,
    p_received text DEFAULT '', p_ipv6 text DEFAULT '', p_prefix text DEFAULT '',
    p_delegated text DEFAULT '', p_circuit text DEFAULT '', p_called text DEFAULT '',
    p_client text DEFAULT ''
) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p radius_packet;
BEGIN
    p.nas_id := (radius_nas_of(p_nas, p_client)).id;
    IF p.nas_id IS NULL THEN
        RETURN;
    END IF;
    p.kind := p_status;
    p.at := radius_event_time(p_event, p_delay);
    p.heard_at := radius_receipt_time(p_received);
    IF p_status IN ('Accounting-On', 'Accounting-Off') THEN
        PERFORM radius_restart_nas(p.nas_id, p.at);
        RETURN NEXT lower(p_status);
        RETURN;
    END IF;
    IF p_status NOT IN ('Start', 'Interim-Update', 'Stop') OR coalesce(p_session, '') = '' THEN
        RETURN NEXT 'ignored';
        RETURN;
    END IF;
    p.login := left(coalesce(p_login, ''), 253);
    p.session := left(p_session, 253);
    p.session_key := md5(concat_ws(E'\x1f', host(p_nas), p.session, p.login))::uuid;
    p.account_id := CASE WHEN p_class ~ '^[0-9]{1,18}$' THEN p_class::bigint END;
    p.address := nullif(p_address, '')::inet;
    p.mac := coalesce(nullif(radius_mac(p_mac), ''), left(p_mac, 64), '');
    p.port := left(coalesce(p_port, ''), 253);
    p.seconds := least(coalesce(nullif(p_seconds, '')::bigint, 0), 2147483647);
    p.has_seconds := p_seconds <> '';
    p.timed := coalesce(p_event, '') <> '' OR coalesce(nullif(p_delay, '')::bigint, 0) > 0;
    -- A year at most: nonsense must not need partitions of the last century.
    p.began := p.at - make_interval(
        secs => CASE WHEN p_status = 'Start' THEN 0 ELSE least(p.seconds, 31536000) END);
    p.octets_in := radius_octets(p_in, p_in_giga);
    p.octets_out := radius_octets(p_out, p_out_giga);
    p.cause := left(coalesce(p_cause, ''), 64);
    p.framed_ipv6 := set_masklen(radius_ipv6(p_ipv6), 128);
    p.framed_ipv6_prefix := radius_ipv6(p_prefix)::cidr;
    p.delegated_prefix := radius_ipv6(p_delegated)::cidr;
    p.circuit := left(coalesce(p_circuit, ''), 253);
    p.called := left(coalesce(p_called, ''), 253);
    RETURN NEXT radius_account_packet(p);
END $$;

REVOKE ALL ON FUNCTION radius_receipt_time, radius_ipv6, radius_accounting FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_accounting TO {radius_role};
