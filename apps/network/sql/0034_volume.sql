-- What passes in one session at most, for vendors whose equipment ends it itself.

-- The speed of the moment, and all else that follows from a profile and a state.
CREATE OR REPLACE FUNCTION radius_words_of(s radius_subject) RETURNS radius_words
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    w radius_words;
    p network_rateprofile := s.profile;
    is_open boolean := s.effect = 'accept';
    up bigint := CASE WHEN is_open THEN p.up_kbps ELSE p.throttled_up_kbps END;
    down bigint := CASE WHEN is_open THEN p.down_kbps ELSE p.throttled_down_kbps END;
    burst boolean := is_open AND p.burst_s > 0 AND p.burst_down_kbps > 0;
    v_policy text := CASE WHEN is_open THEN p.policy ELSE p.throttled_policy END;
BEGIN
    w.flags := CASE s.effect WHEN 'accept' THEN 1 WHEN 'walled_garden' THEN 4 ELSE 2 END
        | CASE WHEN burst THEN 8 ELSE 0 END
        | CASE WHEN p.priority > 0 THEN 16 ELSE 0 END
        | CASE WHEN p.priority BETWEEN 1 AND 3 THEN 32 ELSE 0 END
        | CASE WHEN p.priority > 5 THEN 64 ELSE 0 END
        | CASE WHEN s.sessions_max > 0 THEN 128 ELSE 0 END
        | CASE WHEN v_policy <> '' THEN 256 ELSE 0 END
        | CASE WHEN p.session_mb > 0 THEN 524288 ELSE 0 END;
    w.words := ARRAY[
        up::text, down::text, (up * 1000)::text, (down * 1000)::text,
        -- Bits a second in 32 bits: a faster line is told the fastest that they say.
        least(up * 1000, 4294967295)::text, least(down * 1000, 4294967295)::text,
        -- What passes in one and a half seconds, and twice that.
        (up * 375 / 2)::text, (down * 375 / 2)::text, (up * 375)::text, (down * 375)::text,
        CASE WHEN burst THEN p.burst_up_kbps ELSE 0 END::text,
        CASE WHEN burst THEN p.burst_down_kbps ELSE 0 END::text,
        CASE WHEN NOT burst THEN 0 ELSE coalesce(nullif(p.burst_threshold_up_kbps, 0), up) END::text,
        CASE WHEN NOT burst THEN 0 ELSE coalesce(nullif(p.burst_threshold_down_kbps, 0), down) END::text,
        CASE WHEN burst THEN p.burst_s ELSE 0 END::text,
        CASE WHEN burst THEN least(p.burst_up_kbps * 1000::bigint, 4294967295) ELSE 0 END::text,
        CASE WHEN burst THEN least(p.burst_down_kbps * 1000::bigint, 4294967295) ELSE 0 END::text,
        p.priority::text, s.sessions_max::text, v_policy,
        -- Those of the line: radius_line_words().
        '', '', '', '', '', '', '', '', '', '',
        -- In two halves of 32 bits, as counters travel (RFC 2869, 5.1).
        (p.session_mb * 1000000::bigint & 4294967295)::text,
        (p.session_mb * 1000000::bigint >> 32)::text
    ];
    RETURN w;
END $$;
