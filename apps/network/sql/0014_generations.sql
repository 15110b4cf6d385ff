-- To which generation of a session a packet belongs. docs/radius.md, "Sessions".

-- Does the packet open a new generation after this row? Without a clock in the
-- packet, a repetition may come up to a minute late.
CREATE OR REPLACE FUNCTION radius_begins_anew(r network_sessionlive, p radius_packet)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    slack interval := CASE WHEN p.timed THEN interval '5 seconds' ELSE interval '1 minute' END;
    -- The NAS rebooted after the row's last word and before this packet.
    rebooted boolean := r.stopped_at IS NOT NULL AND r.cause = 'nas-restart'
        AND coalesce(r.heard_at <= p.rebooted_at AND p.heard_at > p.rebooted_at, false);
    repeats boolean;
    began timestamptz;
BEGIN
    IF p.kind = 'Start' THEN
        IF rebooted THEN
            RETURN NOT (p.timed AND r.start_received AND p.at = r.started_at);
        ELSIF r.start_received AND (r.stopped_at IS NULL OR r.presumed_ended) THEN
            -- The Start that we had, again: soon after it, and with its address.
            repeats := p.at <= r.started_at + slack
                AND (p.timed OR p.address IS NULL OR r.framed_address IS NULL
                     OR p.address = r.framed_address);
            RETURN NOT repeats AND (p.at > r.seen_at OR p.at = r.seen_at AND NOT p.timed);
        ELSIF r.stopped_at IS NULL THEN
            RETURN false;
        END IF;
        -- Later than the end. Only a Start that we have not had yet may be late.
        RETURN p.at > r.stopped_at
            + CASE WHEN p.timed OR r.start_received THEN interval '0' ELSE slack END;
    END IF;
    IF NOT p.has_seconds THEN
        RETURN false;
    END IF;
    began := p.sent_at - (p.at - p.began);  -- by our clock
    IF rebooted THEN
        RETURN p.seconds < r.seconds
            OR (began > r.heard_at + interval '2 seconds'
                AND began > p.rebooted_at - interval '5 seconds');
    ELSIF r.stopped_at IS NULL OR r.presumed_ended THEN
        -- A NAS's clock that was set forward also moves the beginning. Time on line
        -- that went back does not lie, nor does our clock.
        RETURN p.began > coalesce(r.stopped_at, r.seen_at) + slack
           AND (p.seconds < r.seconds OR began > r.heard_at + interval '1 minute');
    END IF;
    RETURN p.began > r.stopped_at + slack;
END $$;

-- The packet as it is to be taken. One that says an hour ago or more, was not told
-- to have waited, and is older than the key's newest session without belonging to an
-- older one: the clock went back (a box that booted with a saved clock), so that the
-- session is dated by ours.
CREATE FUNCTION radius_believed(p radius_packet) RETURNS radius_packet
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest timestamptz;
    older network_sessionlive;
    lasted interval := p.at - p.began;
BEGIN
    SELECT max(s.started_at) INTO newest FROM network_sessionlive s
     WHERE s.session_key = p.session_key;
    IF newest IS NULL OR p.at >= newest - interval '5 seconds' THEN
        RETURN p;
    END IF;
    older := radius_find_older(p);
    IF older.id IS NULL OR radius_begins_anew(older, p) THEN
        p.at := date_trunc('second', p.sent_at);
        p.began := p.at - lasted;
        p.timed := false;
    END IF;
    RETURN p;
END $$;

-- The row that a packet belongs to, locked; NULL when it begins a new one. The
-- latest generation comes first, an older one where the packet is older than it.
-- A row that was archived already comes back when the packet belongs to it. A row
-- that its NAS's reboot ended comes as such, written down or not.
CREATE OR REPLACE FUNCTION radius_find_session(p radius_packet)
RETURNS network_sessionlive LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r network_sessionlive;
    is_open boolean;
    anew boolean;
    overtaken boolean := false;
BEGIN
    SELECT * INTO r FROM network_sessionlive s WHERE s.session_key = p.session_key
     ORDER BY s.started_at DESC, s.generation DESC LIMIT 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        r := radius_find_older(p);
    ELSIF r.start_received AND p.at < r.started_at - interval '5 seconds' THEN
        r := radius_find_older(p);
        overtaken := true;
    END IF;
    IF r.id IS NULL THEN
        RETURN NULL;
    END IF;
    is_open := r.stopped_at IS NULL;
    IF is_open AND r.heard_at <= p.rebooted_at THEN
        r.stopped_at := r.seen_at;
        r.cause := 'nas-restart';
        r.presumed_ended := true;
    END IF;
    anew := radius_begins_anew(r, p);
    IF anew AND is_open THEN
        UPDATE network_sessionlive s
           SET stopped_at = s.seen_at, cause = coalesce(nullif(r.cause, ''), 'superseded')
         WHERE s.id = r.id;
    END IF;
    -- Where a newer one is known, no late interim opens an older one again: a session
    -- has one open row at most.
    r.presumed_ended := r.presumed_ended AND NOT overtaken;
    RETURN CASE WHEN anew THEN NULL ELSE r END;
END $$;

-- Whose session it is. Our Class comes first: the NAS hands back what it got with
-- the Accept, while the login may be one that many share (the outer identity of an
-- EAP method). docs/radius.md, "Whose session".
CREATE FUNCTION radius_account_of(p radius_packet) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT acc.id FROM network_accessaccount acc
     WHERE (acc.login = p.login AND acc.closed_at IS NULL) OR acc.id = p.account_id
     ORDER BY acc.closed_at IS NULL DESC, (acc.id = p.account_id) IS TRUE DESC LIMIT 1
$$;

-- One packet that is about a session.
CREATE OR REPLACE FUNCTION radius_account_packet(p radius_packet)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    old network_sessionlive;
    new network_sessionlive;
BEGIN
    -- Packets of one session come one after the other, the first two as well.
    PERFORM pg_advisory_xact_lock(hashtextextended(p.session_key::text, 1));
    IF p.timed AND p.at < p.sent_at - interval '1 hour' THEN
        p := radius_believed(p);
    END IF;
    old := radius_find_session(p);
    IF old.id IS NULL OR old.account_id IS NULL THEN
        p.account_id := radius_account_of(p);
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
    PERFORM radius_add_usage(new.account_id, new.octets_in - coalesce(old.octets_in, 0),
        new.octets_out - coalesce(old.octets_out, 0), p.heard_at);
    IF p.kind = 'Start' AND new.stopped_at IS NULL AND new.account_id IS NOT NULL THEN
        PERFORM radius_check_sessions(new.account_id);
    END IF;
    RETURN lower(p.kind);
END $$;

REVOKE ALL ON FUNCTION radius_believed, radius_account_of FROM PUBLIC;
