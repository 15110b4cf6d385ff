-- Nonsense in Acct-Session-Time, and late packets of sessions that ran for months.

CREATE OR REPLACE FUNCTION radius_find_older(p radius_packet)
RETURNS network_sessionlive LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r network_sessionlive;
BEGIN
    SELECT * INTO r FROM network_sessionlive s
     WHERE s.session_key = p.session_key AND s.started_at <= p.at + interval '5 seconds'
     ORDER BY s.started_at DESC, s.generation DESC LIMIT 1 FOR NO KEY UPDATE;
    IF FOUND THEN
        RETURN r;
    END IF;
    SELECT * INTO r FROM network_sessionhistory s
     WHERE s.session_key = p.session_key -- Long sessions too: a late packet tells how long ago its session began.
       AND s.started_at > least(p.began - interval '2 days', now() - interval '45 days')
       AND s.started_at <= p.at + interval '5 seconds'
     ORDER BY s.started_at DESC, s.generation DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF NOT radius_begins_anew(r, p) THEN
        DELETE FROM network_sessionhistory s WHERE s.id = r.id AND s.started_at = r.started_at;
        INSERT INTO network_sessionlive SELECT (r).*;
    END IF;
    RETURN r;
END $$;

CREATE OR REPLACE FUNCTION radius_accounting(
    p_status text, p_login text, p_nas inet, p_session text, p_address text,
    p_mac text, p_port text, p_class text, p_event text, p_delay text,
    p_seconds text, p_in text, p_in_giga text, p_out text, p_out_giga text, p_cause text
) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p radius_packet;
BEGIN
    SELECT n.id INTO p.nas_id FROM network_nas n WHERE n.address = p_nas AND n.enabled;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    p.kind := p_status;
    p.at := radius_event_time(p_event, p_delay);
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
    RETURN NEXT radius_account_packet(p);
END $$;
