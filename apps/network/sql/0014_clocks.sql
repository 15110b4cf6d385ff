-- Two clocks. The NAS's clock orders the packets of one session (`at`, `seen_at`);
-- whether a session lives is judged by ours alone (`sent_at`, `heard_at`), since a
-- clock that is wrong by a day must end nothing. docs/radius.md, "Clocks".

ALTER TYPE radius_packet
    ADD ATTRIBUTE sent_at timestamptz,      -- when it was sent, by our clock
    ADD ATTRIBUTE rebooted_at timestamptz;  -- when its NAS did, by our clock

-- Is a session open? For the statements of packets, which find their rows by account
-- or key. `stopped_at IS NULL` are the words of an index on the NAS, and a planner that
-- has no figures yet, in the middle of the first storm, reads all of that instead.
CREATE FUNCTION radius_is_open(p_stopped_at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(p_stopped_at, 'infinity') = 'infinity' $$;

-- When it happened: the NAS's clock where it is believable, else when it was sent.
DROP FUNCTION radius_event_time(text, text);
CREATE FUNCTION radius_event_time(p_event text, p_received timestamptz, p_sent timestamptz)
RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    told timestamptz;
BEGIN
    IF coalesce(p_event, '') ~ '^[0-9]{1,10}$' THEN
        told := to_timestamp(p_event::bigint);
        -- A clock that lost its battery says 1970; one that runs ahead must not
        -- make a session look younger than the packets that follow.
        IF told > p_received - interval '31 days' THEN
            RETURN least(told, date_trunc('second', p_received));
        END IF;
    END IF;
    RETURN date_trunc('second', p_sent);
END $$;

-- Accounting-On and Accounting-Off: no session of the NAS lives that we last heard
-- of before. One row, however many sessions: a box with 50,000 of them must get its
-- answer. Who looks at a session compares; close_restarted_sessions() writes it down.
-- Never by the clock of a box that has just booted; what it said is kept beside, to
-- know late packets from before by.
DROP FUNCTION radius_restart_nas(bigint, timestamptz);
CREATE FUNCTION radius_restart_nas(p_nas bigint, p_sent timestamptz, p_told timestamptz)
RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE network_nas SET rebooted_at = p_sent, rebooted_told_at = p_told
     WHERE id = p_nas AND (rebooted_at IS NULL OR rebooted_at <= p_sent)
$$;

-- Sessions of an account that count: heard of in three interim intervals, and since
-- their NAS rebooted. A session of the same device is the one that is being replaced.
CREATE OR REPLACE FUNCTION radius_open_sessions(p_account bigint, p_interim int, p_mac text)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*) FROM network_sessionlive s
             WHERE s.account_id = p_account AND radius_is_open(s.stopped_at)
               AND s.heard_at > now() - make_interval(secs => 3 * p_interim)
               AND NOT EXISTS (SELECT FROM network_nas n
                                WHERE n.id = s.nas_id AND n.rebooted_at >= s.heard_at)
               AND (p_mac = '' OR s.mac <> p_mac));
END $$;

-- What is new since the row's last state, to the hour of receipt on the operator's
-- clock: the hour in which it first reached us, wherever it waited since. The row's
-- lock makes it exactly once.
DROP FUNCTION radius_add_usage(bigint, bigint, bigint);
CREATE FUNCTION radius_add_usage(
    p_account bigint, p_in bigint, p_out bigint, p_heard timestamptz)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    zone text := coalesce(nullif(current_setting('dotmac.time_zone', true), ''), 'UTC');
BEGIN
    IF p_account IS NULL OR (p_in <= 0 AND p_out <= 0) THEN
        RETURN;
    END IF;
    INSERT INTO network_usagehour AS u (account_id, hour_at, octets_in, octets_out)
    VALUES (p_account, date_trunc('hour', p_heard, zone), p_in, p_out)
    ON CONFLICT (account_id, hour_at) DO UPDATE
       SET octets_in = u.octets_in + excluded.octets_in,
           octets_out = u.octets_out + excluded.octets_out;
END $$;

-- When a session began, by our clock: a NAS's clock that is hours behind must not
-- make its newest session the account's oldest.
CREATE FUNCTION radius_began(s network_sessionlive) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT s.started_at + CASE WHEN s.heard_at - s.seen_at > interval '1 hour'
                               THEN s.heard_at - s.seen_at ELSE interval '0' END
$$;

-- After a Start: the account's newest sessions stay, older ones beyond the limit
-- go. Two logins that raced were both let in, and neither saw the other: the
-- account's lock makes the second Start see the first. A session that a hold
-- placed meanwhile refuses goes too.
CREATE OR REPLACE FUNCTION radius_check_sessions(p_account bigint)
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
              WHERE ranked.account_id = p_account AND radius_is_open(ranked.stopped_at)
                AND ranked.heard_at > now() - make_interval(secs => 3 * a.interim_s)
                AND NOT EXISTS (SELECT FROM network_nas n
                     WHERE n.id = ranked.nas_id AND n.rebooted_at >= ranked.heard_at)
              ORDER BY radius_began(ranked) DESC, ranked.id DESC
             OFFSET CASE WHEN a.effect = 'reject' THEN 0 ELSE a.sessions_max END) extra(s);
END $$;

REVOKE ALL ON FUNCTION radius_is_open, radius_event_time, radius_restart_nas, radius_add_usage,
    radius_began FROM PUBLIC;
