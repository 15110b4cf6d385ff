-- One call for one accounting packet. docs/radius.md tells the rules and why.
--
-- A row of network_sessionlive is one generation of a session. Within it every
-- change is commutative (greatest, least, "once real, always real"), so that any
-- order and repetition of its packets gives the same row. What decides to which
-- generation a packet belongs is when the session began, by the packet itself.

-- What one packet says, in our types.
CREATE TYPE radius_packet AS (
    kind text, session_key uuid, login text, session text, nas_id bigint,
    account_id bigint, address inet, mac text, port text,
    at timestamptz,          -- when it happened, never later than now
    began timestamptz,       -- when its session began, as far as it tells
    timed boolean,           -- the NAS told the time, so it may be old news
    has_seconds boolean,
    seconds int, octets_in bigint, octets_out bigint, cause text
);

-- The NAS's clock where it is believable, else the time of receipt less the delay.
CREATE FUNCTION radius_event_time(p_event text, p_delay text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    received timestamptz := date_trunc('second', now());
    told timestamptz;
BEGIN
    IF coalesce(p_event, '') ~ '^[0-9]{1,10}$' THEN
        told := to_timestamp(p_event::bigint);
        -- A clock that lost its battery says 1970; one that runs ahead must not
        -- make a session look younger than the packets that follow.
        IF told > received - interval '31 days' THEN
            RETURN least(told, received);
        END IF;
    END IF;
    IF coalesce(p_delay, '') ~ '^[0-9]{1,6}$' THEN
        RETURN received - make_interval(secs => p_delay::int);
    END IF;
    RETURN received;
END $$;

-- A counter of 32 bits and its overflows; capped, so that nonsense stays positive.
CREATE FUNCTION radius_octets(p_octets text, p_gigawords text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT (least(coalesce(nullif(p_gigawords, '')::bigint, 0), 2147483646) << 32)
           + coalesce(nullif(p_octets, '')::bigint, 0)
$$;

-- Causes of ends that we concluded and no Stop told. A Stop overrides them.
CREATE FUNCTION radius_end_was_told(p_stopped_at timestamptz, p_cause text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_stopped_at IS NOT NULL
       AND p_cause NOT IN ('silence', 'nas-restart', 'superseded', 'nas-denies')
$$;

-- Does the packet open a new generation after this row? Without a clock in the
-- packet, a repetition may come up to a minute late.
CREATE FUNCTION radius_begins_anew(r network_sessionlive, p radius_packet)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    slack interval := CASE WHEN p.timed THEN interval '5 seconds' ELSE interval '1 minute' END;
BEGIN
    IF p.kind = 'Start' THEN
        IF r.stopped_at IS NULL THEN
            RETURN r.start_received AND p.at > r.seen_at + slack;
        END IF;
        -- Later than the end. Only a Start that we have not had yet may be late.
        RETURN p.at > r.stopped_at
            + CASE WHEN p.timed OR r.start_received THEN interval '0' ELSE slack END;
    END IF;
    IF NOT p.has_seconds THEN
        RETURN false;
    END IF;
    IF r.stopped_at IS NULL THEN
        -- A clock that was set forward also moves the beginning; time on line
        -- that went back does not lie.
        RETURN p.began > r.seen_at + slack AND p.seconds < r.seconds;
    END IF;
    RETURN p.began > r.stopped_at + slack;
END $$;

-- The row that a packet belongs to, locked; NULL when it begins a new one. The
-- latest generation comes first, an older one where the packet is older than it.
-- A row that was archived already comes back when the packet belongs to it.
CREATE FUNCTION radius_find_session(p radius_packet)
RETURNS network_sessionlive LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r network_sessionlive;
    anew boolean;
BEGIN
    SELECT * INTO r FROM network_sessionlive s WHERE s.session_key = p.session_key
     ORDER BY s.started_at DESC, s.generation DESC LIMIT 1 FOR NO KEY UPDATE;
    IF NOT FOUND OR (r.start_received AND p.at < r.started_at - interval '5 seconds') THEN
        r := radius_find_older(p);
    END IF;
    IF r.id IS NULL THEN
        RETURN NULL;
    END IF;
    anew := radius_begins_anew(r, p);
    IF anew AND r.stopped_at IS NULL THEN
        UPDATE network_sessionlive s SET stopped_at = s.seen_at, cause = 'superseded'
         WHERE s.id = r.id;
    END IF;
    RETURN CASE WHEN anew THEN NULL ELSE r END;
END $$;

CREATE FUNCTION radius_find_older(p radius_packet)
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
     WHERE s.session_key = p.session_key AND s.started_at > now() - interval '45 days'
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

-- The first packet of a generation, whichever kind it is.
CREATE FUNCTION radius_open_session(p radius_packet)
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
        octets_in, octets_out, cause, presumed_ended, start_received)
    VALUES (
        p.session_key, last_generation + 1, p.account_id, p.nas_id, p.login, p.session,
        p.address, p.mac, p.port, p.began, p.at,
        CASE WHEN p.kind = 'Stop' OR overtaken THEN p.at END, p.seconds,
        p.octets_in, p.octets_out,
        CASE WHEN p.kind = 'Stop' THEN p.cause WHEN overtaken THEN 'superseded' ELSE '' END,
        false, p.kind = 'Start')
    RETURNING * INTO r;
    RETURN r;
END $$;

-- A packet of a generation that is known. Touches no indexed column unless it
-- opens, closes or dates the session, so that an interim's update is HOT.
CREATE FUNCTION radius_update_session(r network_sessionlive, p radius_packet)
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
        octets_out = greatest(s.octets_out, p.octets_out)
     WHERE s.id = r.id
    RETURNING * INTO r;
    RETURN r;
END $$;

-- What is new since the row's last state, to the hour of receipt on the
-- operator's clock. The row's lock makes it exactly once.
CREATE FUNCTION radius_add_usage(p_account bigint, p_in bigint, p_out bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    zone text := coalesce(nullif(current_setting('dotmac.time_zone', true), ''), 'UTC');
BEGIN
    IF p_account IS NULL OR (p_in <= 0 AND p_out <= 0) THEN
        RETURN;
    END IF;
    INSERT INTO network_usagehour AS u (account_id, hour_at, octets_in, octets_out)
    VALUES (p_account, date_trunc('hour', now(), zone), p_in, p_out)
    ON CONFLICT (account_id, hour_at) DO UPDATE
       SET octets_in = u.octets_in + excluded.octets_in,
           octets_out = u.octets_out + excluded.octets_out;
END $$;

-- Ask the NAS to end sessions. A worker sends it; docs/radius.md, "CoA".
CREATE FUNCTION radius_queue_disconnect(s network_sessionlive, p_reason text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO network_coarequest (
        account_id, nas_id, session_id, session_key, generation, login,
        acct_session_id, framed_address, kind, reason, attributes, state,
        not_before, attempts, answer, actor_label)
    VALUES (s.account_id, s.nas_id, s.id, s.session_key, s.generation, s.login,
        s.acct_session_id, s.framed_address, 'disconnect', p_reason, '{}', 'queued',
        now(), 0, '', 'RADIUS')
    ON CONFLICT DO NOTHING
$$;

-- After a Start: the account's newest sessions stay, older ones beyond the limit
-- go. Two logins that raced were both let in, and neither saw the other: the
-- account's lock makes the second Start see the first. A session that a hold
-- placed meanwhile refuses goes too.
CREATE FUNCTION radius_check_sessions(p_account bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    a record;
BEGIN
    SELECT coalesce(acc.sessions_max, profile.sessions_max) AS sessions_max,
           profile.interim_s, st.effect INTO a
      FROM network_accessaccount acc
      JOIN network_rateprofile profile ON profile.id = acc.profile_id
     CROSS JOIN LATERAL network_access_state(acc.id, now()) st
     WHERE acc.id = p_account;
    IF NOT FOUND OR (a.sessions_max = 0 AND a.effect <> 'reject') THEN
        RETURN;
    END IF;
    PERFORM radius_queue_disconnect(s, CASE WHEN a.effect = 'reject' THEN 'refused' ELSE 'sessions' END)
       FROM (SELECT ranked FROM network_sessionlive ranked
              WHERE ranked.account_id = p_account AND ranked.stopped_at IS NULL
                AND ranked.seen_at > now() - make_interval(secs => 3 * a.interim_s)
              ORDER BY ranked.started_at DESC, ranked.id DESC
             OFFSET CASE WHEN a.effect = 'reject' THEN 0 ELSE a.sessions_max END) extra(s);
END $$;

-- Accounting-On and Accounting-Off: the NAS has no session that began before.
CREATE FUNCTION radius_restart_nas(p_nas bigint, p_at timestamptz)
RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE network_nas SET rebooted_at = greatest(rebooted_at, p_at) WHERE id = p_nas;
    UPDATE network_sessionlive
       SET stopped_at = greatest(started_at, p_at), cause = 'nas-restart', presumed_ended = false
     WHERE nas_id = p_nas AND stopped_at IS NULL AND started_at <= p_at;
$$;

-- One packet that is about a session.
CREATE FUNCTION radius_account_packet(p radius_packet)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    old network_sessionlive;
    new network_sessionlive;
BEGIN
    -- Packets of one session come one after the other, the first two as well.
    PERFORM pg_advisory_xact_lock(hashtextextended(p.session_key::text, 1));
    old := radius_find_session(p);
    IF old.id IS NULL OR old.account_id IS NULL THEN
        SELECT acc.id INTO p.account_id FROM network_accessaccount acc
         WHERE (acc.login = p.login AND acc.closed_at IS NULL) OR acc.id = p.account_id
         ORDER BY (acc.login = p.login) DESC, acc.closed_at IS NULL DESC LIMIT 1;
    END IF;
    IF p.kind = 'Start' AND coalesce(old.account_id, p.account_id) IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(
            hashtextextended(coalesce(old.account_id, p.account_id)::text, 2));
    END IF;
    IF old.id IS NULL THEN
        new := radius_open_session(p);
    ELSE
        new := radius_update_session(old, p);
    END IF;
    PERFORM radius_add_usage(new.account_id,
        new.octets_in - coalesce(old.octets_in, 0), new.octets_out - coalesce(old.octets_out, 0));
    IF p.kind = 'Start' AND new.stopped_at IS NULL AND new.account_id IS NOT NULL THEN
        PERFORM radius_check_sessions(new.account_id);
    END IF;
    RETURN lower(p.kind);
END $$;

-- The entry. No row: nothing that we answer (an unknown NAS, no session id).
-- Numbers come as text, since an absent attribute expands to ''.
CREATE FUNCTION radius_accounting(
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
    p.began := p.at - make_interval(secs => CASE WHEN p_status = 'Start' THEN 0 ELSE p.seconds END);
    p.octets_in := radius_octets(p_in, p_in_giga);
    p.octets_out := radius_octets(p_out, p_out_giga);
    p.cause := left(coalesce(p_cause, ''), 64);
    RETURN NEXT radius_account_packet(p);
END $$;

REVOKE ALL ON FUNCTION radius_event_time,
    radius_octets,
    radius_end_was_told,
    radius_begins_anew,
    radius_find_session,
    radius_find_older,
    radius_open_session,
    radius_update_session,
    radius_add_usage,
    radius_queue_disconnect,
    radius_check_sessions,
    radius_restart_nas,
    radius_account_packet,
    radius_accounting FROM PUBLIC;
REVOKE ALL ON TYPE radius_packet FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_accounting TO {radius_role};
