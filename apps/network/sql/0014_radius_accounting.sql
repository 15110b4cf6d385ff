-- The entry. No row: nothing that we answer (an unknown NAS). Numbers come as text,
-- since an absent attribute expands to ''.
CREATE OR REPLACE FUNCTION radius_accounting(
    p_status text, p_login text, p_nas inet, p_session text, p_address text,
    p_mac text, p_port text, p_class text, p_event text, p_delay text,
    p_seconds text, p_in text, p_in_giga text, p_out text, p_out_giga text, p_cause text,
    p_received text DEFAULT '', p_ipv6 text DEFAULT '', p_prefix text DEFAULT '',
    p_delegated text DEFAULT '', p_circuit text DEFAULT '', p_called text DEFAULT '',
    p_client text DEFAULT ''
) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    n network_nas := radius_nas_of(p_nas, p_client);
    p radius_packet;
BEGIN
    IF n.id IS NULL THEN
        RETURN;
    END IF;
    p.nas_id := n.id;
    p.kind := p_status;
    p.heard_at := radius_receipt_time(p_received);
    p.sent_at := p.heard_at;
    -- Who replays adds to the delay how long the packet lay in his file.
    IF p_received = '' AND p_delay ~ '^[0-9]{1,6}$' THEN
        p.sent_at := p.heard_at - make_interval(secs => p_delay::int);
    END IF;
    p.at := radius_event_time(p_event, p.heard_at, p.sent_at);
    IF p_status IN ('Accounting-On', 'Accounting-Off') THEN
        PERFORM radius_restart_nas(n.id, p.sent_at, p.at);
        RETURN NEXT lower(p_status);
        RETURN;
    END IF;
    IF p_status NOT IN ('Start', 'Interim-Update', 'Stop') OR coalesce(p_session, '') = '' THEN
        RETURN NEXT 'ignored';
        RETURN;
    END IF;
    p.timed := coalesce(p_event, '') <> '' OR p.sent_at < p.heard_at;
    IF n.rebooted_at IS NOT NULL THEN
        p.rebooted_at := n.rebooted_at;
        -- Sent before the reboot, it says of no session that it lived after it.
        IF p.sent_at <= n.rebooted_at
           OR (coalesce(p_event, '') <> '' AND p.at < n.rebooted_told_at) THEN
            p.heard_at := least(p.heard_at, n.rebooted_at);
        END IF;
    END IF;
    p.login := left(coalesce(p_login, ''), 253);
    p.session := left(p_session, 253);
    -- By the NAS, not by its address, which may change while sessions run; and by all
    -- of the names: octets that are no text take twice as many characters.
    p.session_key := md5(concat_ws(E'\x1f', n.id::text, p_session, coalesce(p_login, '')))::uuid;
    p.account_id := CASE WHEN p_class ~ '^[0-9]{1,18}$' THEN p_class::bigint END;
    p.address := nullif(p_address, '')::inet;
    p.mac := coalesce(nullif(radius_mac(p_mac), ''), left(p_mac, 64), '');
    p.port := left(coalesce(p_port, ''), 253);
    p.seconds := least(coalesce(nullif(p_seconds, '')::bigint, 0), 2147483647);
    p.has_seconds := p_seconds <> '';
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

-- Sessions that run while this is installed keep their rows: their next packets
-- have the new key. Where a NAS changed its address under a session there are two
-- rows for one key; the second one gets a generation of its own.
UPDATE network_sessionlive s SET session_key = k.key, generation = k.generation + k.most * k.turn
  FROM (SELECT keyed.id, keyed.key, keyed.generation,
               max(keyed.generation) OVER (PARTITION BY keyed.key) AS most,
               row_number() OVER (PARTITION BY keyed.key, keyed.generation
                                  ORDER BY keyed.started_at, keyed.id) - 1 AS turn
          FROM (SELECT l.*, md5(concat_ws(E'\x1f', l.nas_id::text, l.acct_session_id,
                                          l.login))::uuid AS key
                  FROM network_sessionlive l) keyed) k
 WHERE s.id = k.id;

UPDATE network_sessionlive s SET stopped_at = s.seen_at, cause = 'superseded'
 WHERE s.stopped_at IS NULL AND EXISTS (
       SELECT FROM network_sessionlive newer
        WHERE newer.session_key = s.session_key AND newer.stopped_at IS NULL
          AND (newer.started_at, newer.generation) > (s.started_at, s.generation));

-- Those in the history that a late packet may still look for.
UPDATE network_sessionhistory SET session_key =
       md5(concat_ws(E'\x1f', nas_id::text, acct_session_id, login))::uuid
 WHERE started_at > now() - interval '45 days';

UPDATE network_coarequest c SET session_key = s.session_key, generation = s.generation
  FROM network_sessionlive s WHERE s.id = c.session_id;
UPDATE network_coarequest c SET session_key = h.session_key
  FROM network_sessionhistory h
 WHERE h.id = c.session_id AND h.started_at > now() - interval '45 days';
