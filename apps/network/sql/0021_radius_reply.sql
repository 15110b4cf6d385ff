-- What a NAS is told, in its vendor's words. The words stand in network_vendorrule,
-- which apps/network/radius/vendors/<vendor>.toml fills; docs/radius.md, "Vendors".

-- What the account holds: pairs that are the same for every vendor, and routes.
CREATE TYPE radius_held AS (
    pairs radius_pair[],
    framed text,            -- its IPv4 address, or NULL
    has_link boolean,       -- an IPv6 prefix for the line itself
    has_delegated boolean,
    has_stateful boolean,   -- an IPv6 address
    routes_v4 text[],
    routes_v6 text[]
);

-- What a rule's template and conditions refer to; rules/vendors.py has the names,
-- in this order. A template is one of format(): %3$s is the third word.
CREATE TYPE radius_words AS (flags int, words text[]);
-- An address or a block that the account holds, and what its pool gives.
CREATE TYPE radius_unit AS (address inet, use text);

-- Addresses, prefixes and routed blocks. An IPv4 block is no address of the line: it
-- is routed to it, whatever its pool says.
CREATE FUNCTION radius_held_of(p_units radius_unit[]) RETURNS radius_held
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    h radius_held;
    unit radius_unit;
    bits int;
BEGIN
    h.has_link := false; h.has_delegated := false; h.has_stateful := false;
    FOREACH unit IN ARRAY p_units LOOP
        bits := masklen(unit.address);
        IF family(unit.address) = 4 AND (bits < 32 OR unit.use = 'routed') THEN
            h.routes_v4 := h.routes_v4 || text(network(unit.address));
        ELSIF family(unit.address) = 4 AND h.framed IS NULL THEN
            h.framed := host(unit.address);
            h.pairs := h.pairs || ('Framed-IP-Address', h.framed, ':=')::radius_pair;
        ELSIF family(unit.address) = 4 THEN
            CONTINUE;
        ELSIF unit.use = 'routed' THEN
            h.routes_v6 := h.routes_v6 || text(network(unit.address));
        ELSIF bits = 128 THEN
            h.has_stateful := true;
            h.pairs := h.pairs
                || ('Framed-IPv6-Address', host(unit.address), '+=')::radius_pair;
        ELSIF unit.use = 'link' THEN
            h.has_link := true;
            h.pairs := h.pairs
                || ('Framed-IPv6-Prefix', text(network(unit.address)), '+=')::radius_pair;
        ELSE
            h.has_delegated := true;
            h.pairs := h.pairs
                || ('Delegated-IPv6-Prefix', text(network(unit.address)), '+=')::radius_pair;
        END IF;
    END LOOP;
    RETURN h;
END $$;

-- The pools on the NAS that it takes the rest from: of IPv4 addresses, of IPv6
-- prefixes for the line, of delegated ones, of IPv6 addresses. '' for none. A pool
-- may name one that goes with it, and that one another.
CREATE FUNCTION radius_pools(p_pool bigint, h radius_held) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    names text[] := ARRAY['', '', '', ''];
    pool record;
    v_next bigint := p_pool;
    v_first boolean := true;
BEGIN
    WHILE v_next IS NOT NULL LOOP
        SELECT o.framed_pool, o.use, o.with_v6_id INTO pool
          FROM network_addresspool o WHERE o.id = v_next;
        IF pool.framed_pool <> '' THEN
            IF pool.use = 'address' AND v_first THEN
                IF h.framed IS NULL THEN names[1] := pool.framed_pool; END IF;
            ELSIF pool.use = 'link' AND h.has_link IS NOT TRUE THEN
                names[2] := pool.framed_pool;
            ELSIF pool.use = 'delegated' AND h.has_delegated IS NOT TRUE THEN
                names[3] := pool.framed_pool;
            ELSIF pool.use = 'address' AND h.has_stateful IS NOT TRUE THEN
                names[4] := pool.framed_pool;
            END IF;
        END IF;
        v_next := pool.with_v6_id;
        v_first := false;
    END LOOP;
    RETURN names;
END $$;

-- The speed of the moment, and all else that follows from a profile and a state.
CREATE FUNCTION radius_words_of(s radius_subject) RETURNS radius_words
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
        | CASE WHEN v_policy <> '' THEN 256 ELSE 0 END;
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
        p.priority::text, s.sessions_max::text, v_policy
    ];
    RETURN w;
END $$;

-- What a line has besides: pools of the NAS, its VLAN, the walled garden. The words are
-- those behind the twenty of radius_words_of(), with the route at hand as the last two.
CREATE FUNCTION radius_line_words(
    p_state text, n network_nas, p_pools text[], p_vlan bigint
) RETURNS radius_words LANGUAGE plpgsql STABLE AS $$
DECLARE
    w radius_words;
    v_vid int;
    v_outer int;
BEGIN
    IF p_vlan IS NOT NULL THEN
        SELECT v.vid, g.outer_vid INTO v_vid, v_outer FROM network_vlan v
          JOIN network_vlangroup g ON g.id = v.group_id WHERE v.id = p_vlan;
    END IF;
    w.flags := CASE p_state WHEN 'open' THEN 1 WHEN 'throttled' THEN 2 ELSE 4 | 262144 END
        | CASE WHEN p_pools[1] <> '' THEN 512 ELSE 0 END
        | CASE WHEN p_pools[2] <> '' THEN 1024 ELSE 0 END
        | CASE WHEN p_pools[3] <> '' THEN 2048 ELSE 0 END
        | CASE WHEN p_pools[4] <> '' THEN 4096 ELSE 0 END
        | CASE WHEN p_state = 'walled' AND n.redirect_url <> '' THEN 8192 ELSE 0 END
        | CASE WHEN v_vid IS NOT NULL THEN 16384 ELSE 0 END
        | CASE WHEN v_outer IS NOT NULL THEN 32768 ELSE 0 END;
    w.words := '{"","","","","","","","","","","","","","","","","","","",""}'::text[]
        || p_pools || ARRAY[n.walled_pool, n.redirect_url, v_vid::text, v_outer::text, '', ''];
    RETURN w;
END $$;

-- Routed blocks, one answer each, by the address that the line has (RFC 2865 5.22 and
-- RFC 3162 2.5: zero stands for whichever it gets).
CREATE FUNCTION radius_routes(n network_nas, w radius_words, h radius_held)
RETURNS radius_pair[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    pairs radius_pair[] := '{}';
    v_bit int;
    v_route text;
BEGIN
    FOR v_route, v_bit IN
        SELECT r, 65536 FROM unnest(h.routes_v4) r
        UNION ALL SELECT r, 131072 FROM unnest(h.routes_v6) r
    LOOP
        w.words[29] := v_route;
        w.words[30] := CASE v_bit WHEN 65536 THEN coalesce(h.framed, '0.0.0.0') ELSE '::' END;
        pairs := pairs || ARRAY(
            SELECT (t.attribute, format(t.template, VARIADIC w.words), t.op)::radius_pair
              FROM network_vendorrule t
             WHERE t.vendor = n.vendor AND t.in_accept AND t.needs & v_bit <> 0
               AND (t.needs & (w.flags | v_bit)) = t.needs AND t.unless & w.flags = 0
             ORDER BY t.ordinal);
    END LOOP;
    RETURN pairs;
END $$;

-- The pairs with what this very NAS is told besides: `:=` takes the place of the
-- values that are there, `+=` adds one.
CREATE FUNCTION radius_with_own(p_pairs radius_pair[], p_own radius_pair[])
RETURNS radius_pair[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY(
        SELECT pair::radius_pair FROM unnest(p_pairs) pair
         WHERE NOT EXISTS (SELECT FROM unnest(p_own) own
                            WHERE own.op = ':=' AND own.attribute = pair.attribute)
    ) || p_own
$$;

-- Rules that hold whatever the line is: all but those that need a pool, a VLAN, a route
-- or the pool of the walled garden. What they say follows from vendor, profile and state
-- alone, so that it is said beforehand (network_profilereply) and looked up.
CREATE FUNCTION radius_rendered(p_vendor text, w radius_words, p_of_line boolean)
RETURNS radius_pair[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_flags int := w.flags;
    v_words text[] := w.words;
BEGIN
    RETURN ARRAY(
        SELECT (t.attribute,
                CASE WHEN t.quoted THEN radius_pairvalue(format(t.template, VARIADIC v_words))
                ELSE format(t.template, VARIADIC v_words) END, t.op)::radius_pair
          FROM network_vendorrule t
         WHERE t.vendor = p_vendor AND t.in_accept
           AND t.needs & v_flags = t.needs AND t.unless & v_flags = 0
           AND (t.needs & 327168 <> 0) = p_of_line
         ORDER BY t.ordinal);
END $$;

CREATE TABLE network_profilereply (
    vendor varchar(32) NOT NULL REFERENCES network_vendormap (slug) ON DELETE CASCADE,
    profile_id bigint NOT NULL REFERENCES network_rateprofile ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('open', 'throttled', 'walled')),
    pairs radius_pair[] NOT NULL,
    PRIMARY KEY (profile_id, vendor, state)
);
CREATE INDEX network_profilereply_vendor ON network_profilereply (vendor);
-- Nobody writes it but the functions below.
REVOKE INSERT, UPDATE, DELETE ON network_profilereply FROM {app_role};

-- What network_profilereply has to have, for one profile or for all.
CREATE FUNCTION radius_replies(p_profile bigint)
RETURNS TABLE (vendor varchar, profile_id bigint, state text, pairs radius_pair[])
LANGUAGE sql STABLE AS $$
    SELECT m.slug, p.id, st.state, radius_rendered(m.slug, radius_words_of(
               (NULL, '', NULL, '', NULL, p.sessions_max, p.interim_s, NULL, st.effect, '',
                p)::radius_subject), false)
      FROM network_rateprofile p
     CROSS JOIN network_vendormap m
     CROSS JOIN (VALUES ('open', 'accept'), ('throttled', 'throttle'),
                        ('walled', 'walled_garden')) st (state, effect)
     WHERE p_profile IS NULL OR p.id = p_profile
$$;

-- In the transaction that changes a profile or a map: no answer is between the two.
CREATE FUNCTION network_render_replies(p_profile bigint) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO network_profilereply AS c (vendor, profile_id, state, pairs)
    SELECT r.vendor, r.profile_id, r.state, r.pairs FROM radius_replies(p_profile) r
    ON CONFLICT ON CONSTRAINT network_profilereply_pkey
    DO UPDATE SET pairs = excluded.pairs WHERE c.pairs IS DISTINCT FROM excluded.pairs
$$;
CREATE FUNCTION network_rateprofile_render() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM network_render_replies(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER network_rateprofile_render AFTER INSERT OR UPDATE ON network_rateprofile
    FOR EACH ROW EXECUTE FUNCTION network_rateprofile_render();

-- Rows that say something else than the rules do: none, ever.
CREATE FUNCTION network_stale_replies()
RETURNS TABLE (profile_id bigint, vendor varchar, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.profile_id, r.vendor, r.state FROM radius_replies(NULL) r
      LEFT JOIN network_profilereply c USING (profile_id, vendor, state)
     WHERE c.pairs IS DISTINCT FROM r.pairs
$$;

-- What the NAS is told about an account that is let in, in the order of the wire.
CREATE OR REPLACE FUNCTION radius_reply(s radius_subject, r radius_request, n network_nas)
RETURNS radius_pair[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    pairs radius_pair[];
    own radius_pair[];
    said radius_pair[];
    pools text[];
    units radius_unit[];
    h radius_held;
    w radius_words;
    v_pool bigint;
    v_framed text;
    v_with_v6 bigint;
    v_vlan bigint;
    v_limit int;
    v_idle int;
    v_has_own boolean;
    v_state text := CASE s.effect WHEN 'accept' THEN 'open' WHEN 'walled_garden' THEN 'walled'
                    ELSE 'throttled' END;
BEGIN
    -- All that the answer needs, in one look.
    SELECT a.pool_id, o.framed_pool, o.with_v6_id, a.vlan_id, p.sessions_max, p.idle_s,
           c.pairs,
           EXISTS (SELECT FROM network_nasattribute own WHERE own.nas_id = n.id),
           CASE WHEN v_state <> 'walled' THEN ARRAY(
               SELECT (u.address, pool.use)::radius_unit FROM network_addressassignment u
                 JOIN network_addresspool pool ON pool.id = u.pool_id
                WHERE u.account_id = a.id AND u.released_at IS NULL ORDER BY u.id) END
      INTO v_pool, v_framed, v_with_v6, v_vlan, v_limit, v_idle, said, v_has_own, units
      FROM network_accessaccount a
      JOIN network_rateprofile p ON p.id = a.profile_id
      LEFT JOIN network_addresspool o ON o.id = a.pool_id
      LEFT JOIN network_profilereply c
        ON c.profile_id = a.profile_id AND c.vendor = n.vendor AND c.state = v_state
     WHERE a.id = s.account_id;

    pairs := ARRAY[
        ('Class', s.account_id::text, ':=')::radius_pair,
        ('Acct-Interim-Interval', s.interim_s::text, ':=')::radius_pair];
    IF v_state = 'walled' THEN
        -- A short leash: who pays is out of the garden soon, even without a CoA.
        pairs := pairs || ('Session-Timeout', '600', ':=')::radius_pair;
    -- Exact expiry without a CoA: the NAS ends the session itself.
    ELSIF s.expires_at IS NOT NULL THEN
        pairs := pairs || ('Session-Timeout', least(2147483647,
            greatest(1, ceil(extract(epoch FROM s.expires_at - now()))))::bigint::text,
            ':=')::radius_pair;
    END IF;
    IF v_idle > 0 THEN
        pairs := pairs || ('Idle-Timeout', v_idle::text, ':=')::radius_pair;
    END IF;
    IF units <> '{}' THEN
        h := radius_held_of(units);
        pairs := pairs || h.pairs;
    END IF;

    -- An account with a limit of its own is told that one.
    IF said IS NULL OR s.sessions_max <> v_limit THEN
        said := radius_rendered(n.vendor, radius_words_of(s), false);
    END IF;
    pairs := pairs || said;
    IF v_state <> 'walled' AND (v_with_v6 IS NOT NULL OR v_framed <> '') THEN
        pools := radius_pools(v_pool, h);
    END IF;
    IF v_state = 'walled' OR pools IS NOT NULL OR v_vlan IS NOT NULL
       OR h.routes_v4 IS NOT NULL OR h.routes_v6 IS NOT NULL THEN
        w := radius_line_words(v_state, n, coalesce(pools, ARRAY['', '', '', '']), v_vlan);
        pairs := pairs || radius_rendered(n.vendor, w, true);
        IF h.routes_v4 IS NOT NULL OR h.routes_v6 IS NOT NULL THEN
            pairs := pairs || radius_routes(n, w, h);
        END IF;
    END IF;
    IF v_has_own THEN
        own := ARRAY(SELECT (a.attribute, radius_pairvalue(a.value), a.op)::radius_pair
                       FROM network_nasattribute a
                      WHERE a.nas_id = n.id AND a.moment IN ('always', v_state)
                      ORDER BY a.id);
        RETURN radius_with_own(pairs, own);
    END IF;
    RETURN pairs;
END $$;

-- The speed that a running session of the account should have now, in the words of
-- its NAS: what a CoA carries. No row: the vendor's sessions do not change while they
-- run. The application may read it; nothing else of RADIUS.
CREATE OR REPLACE FUNCTION network_edge_rate(p_account_id bigint, p_nas_id bigint)
RETURNS TABLE (attribute text, value text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    s radius_subject;
    n network_nas;
    w radius_words;
    own radius_pair[];
    v_state text;
BEGIN
    SELECT acc.id, 'id', NULL, '', acc.expires_at,
           coalesce(acc.sessions_max, profile.sessions_max), profile.interim_s, NULL,
           st.effect, st.state, profile
      INTO s
      FROM network_accessaccount acc
      JOIN network_rateprofile profile ON profile.id = acc.profile_id
     CROSS JOIN LATERAL network_access_state(acc.id, now()) st
     WHERE acc.id = p_account_id;
    SELECT * INTO n FROM network_nas nas WHERE nas.id = p_nas_id;
    w := radius_words_of(s);
    v_state := CASE s.effect WHEN 'accept' THEN 'open' WHEN 'walled_garden' THEN 'walled'
               ELSE 'throttled' END;
    own := ARRAY(SELECT (a.attribute, radius_pairvalue(a.value), a.op)::radius_pair
                   FROM network_nasattribute a
                  WHERE a.nas_id = n.id AND a.moment IN ('always', v_state)
                    AND EXISTS (SELECT FROM network_vendorrule t
                                 WHERE t.vendor = n.vendor AND t.in_coa
                                   AND t.attribute = a.attribute)
                  ORDER BY a.id);
    RETURN QUERY SELECT pair.attribute, pair.value FROM unnest(radius_with_own(ARRAY(
        SELECT (t.attribute, radius_pairvalue(format(t.template, VARIADIC w.words)),
                t.op)::radius_pair
          FROM network_vendorrule t
         WHERE t.vendor = n.vendor AND t.in_coa
           AND t.needs & w.flags = t.needs AND t.unless & w.flags = 0
         ORDER BY t.ordinal), own)) pair;
END $$;

DROP FUNCTION radius_rate(text, network_rateprofile, boolean);
DROP FUNCTION radius_addresses(bigint, text);

-- What a map is, in one number: rows and files are compared by it.
CREATE FUNCTION network_vendor_digest(p_slug text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(m.label || E'\n' || coalesce(string_agg(
               concat_ws(E'\t', t.ordinal, t.attribute, t.op, t.template, t.quoted::int,
                         t.needs, t.unless, t.in_accept::int, t.in_coa::int),
               E'\n' ORDER BY t.ordinal), ''), 'UTF8')), 'hex')
      FROM network_vendormap m
      LEFT JOIN network_vendorrule t ON t.vendor = m.slug
     WHERE m.slug = p_slug GROUP BY m.label
$$;

-- Makes the rules those of the documents, and returns whose map is another one now.
-- What is the same is not touched; a map without a document goes, unless a NAS is of
-- that vendor: then the foreign key refuses.
CREATE FUNCTION network_load_vendor_maps(p_maps jsonb) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_map jsonb;
    v_slug text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('network_load_vendor_maps'));
    FOR v_map IN SELECT m FROM jsonb_array_elements(p_maps) m ORDER BY m->>'slug' LOOP
        v_slug := v_map->>'slug';
        CONTINUE WHEN network_vendor_digest(v_slug) = v_map->>'digest';
        DELETE FROM network_vendorrule t WHERE t.vendor = v_slug;
        INSERT INTO network_vendormap (slug, label, digest)
        VALUES (v_slug, v_map->>'label', v_map->>'digest')
        ON CONFLICT (slug) DO UPDATE SET label = excluded.label, digest = excluded.digest,
                                         updated_at = statement_timestamp();
        INSERT INTO network_vendorrule (vendor, ordinal, attribute, op, template, quoted,
                                        needs, unless, in_accept, in_coa)
        SELECT v_slug, t.* FROM jsonb_to_recordset(v_map->'rules') AS t (
            ordinal int, attribute text, op text, template text, quoted boolean,
            needs int, unless int, in_accept boolean, in_coa boolean);
        RETURN NEXT v_slug;
    END LOOP;
    FOR v_slug IN
        SELECT m.slug FROM network_vendormap m
         WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(p_maps) d WHERE d->>'slug' = m.slug)
    LOOP
        DELETE FROM network_vendorrule t WHERE t.vendor = v_slug;
        DELETE FROM network_vendormap m WHERE m.slug = v_slug;
        RETURN NEXT v_slug;
    END LOOP;
    PERFORM network_render_replies(NULL);
END $$;

REVOKE ALL ON TYPE radius_held, radius_words, radius_unit FROM PUBLIC;
REVOKE ALL ON FUNCTION radius_held_of, radius_pools, radius_words_of, radius_line_words, radius_routes,
    radius_with_own, radius_rendered, radius_replies, radius_reply, network_edge_rate,
    network_render_replies, network_rateprofile_render, network_stale_replies,
    network_vendor_digest, network_load_vendor_maps FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_edge_rate, network_render_replies,
    network_stale_replies, network_vendor_digest, network_load_vendor_maps TO {app_role};
