-- Counters of 32 bits whose overflows the NAS does not tell (no gigawords). Only where
-- network_nas.counts_32_bits says so: docs/radius.md, "Counters of 32 bits".

-- The least number not below the counter's last value that ends in these 32 bits. What
-- is larger than 32 bits came with gigawords and needs no help; a Stop without counters
-- has zeros, which say nothing.
CREATE FUNCTION radius_above(p_told bigint, p_last bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_told = 0 OR p_told >= p_last OR p_told >= 4294967296 THEN p_told
                ELSE p_last + ((p_told - p_last) & 4294967295) END
$$;

-- The packet with its counters above those of the row, where they fell below while the
-- time on line grew: each such fall is one overflow. A packet that repeats, or comes
-- late, has no more time on line than the row and stays as it is. The NAS is looked at
-- only now, since a counter that falls is rare.
CREATE FUNCTION radius_unwrapped(p radius_packet, p_seconds int, p_in bigint, p_out bigint)
RETURNS radius_packet LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT p.has_seconds OR p.seconds <= p_seconds OR NOT EXISTS (
        SELECT FROM network_nas n WHERE n.id = p.nas_id AND n.counts_32_bits) THEN
        RETURN p;
    END IF;
    p.octets_in := radius_above(p.octets_in, p_in);
    p.octets_out := radius_above(p.octets_out, p_out);
    RETURN p;
END $$;

-- As in 0015, with the two lines about counters that fell.
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
    p.octets_in := greatest(v_in, p.octets_in);
    p.octets_out := greatest(v_out, p.octets_out);
    UPDATE network_sessionlive s SET
        seen_at = p.at,
        heard_at = greatest(s.heard_at, p.heard_at),
        seconds = p.seconds,
        octets_in = p.octets_in,
        octets_out = p.octets_out,
        framed_address = coalesce(p.address, s.framed_address),
        mac = coalesce(nullif(p.mac, ''), s.mac),
        nas_port = coalesce(nullif(p.port, ''), s.nas_port),
        framed_ipv6 = coalesce(p.framed_ipv6, s.framed_ipv6),
        framed_ipv6_prefix = coalesce(p.framed_ipv6_prefix, s.framed_ipv6_prefix),
        delegated_prefix = coalesce(p.delegated_prefix, s.delegated_prefix),
        circuit = coalesce(nullif(p.circuit, ''), s.circuit),
        called = coalesce(nullif(p.called, ''), s.called)
     WHERE s.id = v_id AND radius_is_open(s.stopped_at);
    -- A job may just have closed it.
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM radius_add_usage(v_account, p.octets_in - v_in, p.octets_out - v_out, p.heard_at);
    RETURN true;
END $$;

-- One packet that is about a session.
CREATE OR REPLACE FUNCTION radius_account_packet(p radius_packet)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    old network_sessionlive;
    new network_sessionlive;
    opens boolean;
BEGIN
    -- Packets of one session come one after the other, the first two as well.
    PERFORM pg_advisory_xact_lock(hashtextextended(p.session_key::text, 1));
    IF p.kind = 'Interim-Update' AND p.has_seconds AND radius_go_on(p) THEN
        RETURN 'interim-update';
    END IF;
    IF p.timed AND p.at < p.sent_at - interval '1 hour' THEN
        p := radius_believed(p);
    END IF;
    old := radius_find_session(p);
    IF old.id IS NULL OR old.account_id IS NULL THEN
        p.account_id := radius_account_of(p);
    END IF;
    -- A ghost that was none counts against the limit again.
    opens := p.kind = 'Start' OR (p.kind = 'Interim-Update' AND old.presumed_ended);
    IF opens AND coalesce(old.account_id, p.account_id) IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(
            hashtextextended(coalesce(old.account_id, p.account_id)::text, 2));
    END IF;
    IF p.octets_in < old.octets_in OR p.octets_out < old.octets_out THEN
        p := radius_unwrapped(p, old.seconds, old.octets_in, old.octets_out);
    END IF;
    IF old.id IS NULL THEN
        new := radius_open_session(p);
    ELSE
        new := radius_update_session(old, p);
    END IF;
    PERFORM radius_add_usage(new.account_id, new.octets_in - coalesce(old.octets_in, 0),
        new.octets_out - coalesce(old.octets_out, 0), p.heard_at);
    IF opens AND new.stopped_at IS NULL AND new.account_id IS NOT NULL THEN
        IF p.kind = 'Start' THEN
            PERFORM radius_close_ghosts(new);
        END IF;
        PERFORM radius_check_sessions(new.account_id);
    END IF;
    RETURN lower(p.kind);
END $$;

REVOKE ALL ON FUNCTION radius_unwrapped, radius_above FROM PUBLIC;
