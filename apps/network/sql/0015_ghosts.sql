-- A lost Stop leaves a ghost: a session that is over, and that nothing says so of.
-- It must lock nobody out. docs/radius.md, "Simultaneous use".

-- Is a session that of the line which calls now? The strongest evidence that both
-- have decides: the device, the line's name at the access node, the NAS's port. An
-- address of a device that differs is another device; a number that calls (L2TP)
-- may change, and tells only by being the same.
CREATE FUNCTION radius_same_line(
    s network_sessionlive, p_station text, p_circuit text, p_nas bigint, p_port text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_station <> '' AND s.mac = p_station THEN true
        WHEN p_station LIKE '__:__:__:__:__:__' AND s.mac LIKE '__:__:__:__:__:__' THEN false
        WHEN p_circuit <> '' AND s.circuit <> '' THEN s.circuit = p_circuit
        -- Port 0 is what a NAS says that has no ports.
        WHEN s.nas_id = p_nas AND p_port NOT IN ('', '0') THEN s.nas_port = p_port
        ELSE false
    END
$$;

-- Sessions of an account that count, without those of the line that calls: these
-- are being replaced.
DROP FUNCTION radius_open_sessions(bigint, int, text);
CREATE FUNCTION radius_counted_sessions(
    p_account bigint, p_interim int, p_station text, p_circuit text, p_nas bigint, p_port text)
RETURNS SETOF network_sessionlive LANGUAGE sql STABLE AS $$
    SELECT s.* FROM network_sessionlive s
     WHERE s.account_id = p_account AND radius_is_open(s.stopped_at)
       AND s.heard_at > now() - make_interval(secs => 3 * p_interim)
       AND NOT EXISTS (SELECT FROM network_nas n
                        WHERE n.id = s.nas_id AND n.rebooted_at >= s.heard_at)
       AND NOT radius_same_line(s, p_station, p_circuit, p_nas, p_port)
$$;

-- As many sessions as allowed, and none of them this line's? A profile may say that
-- a new login replaces the oldest one: its Start ends it, once the password was right.
CREATE FUNCTION radius_over_limit(s radius_subject, r radius_request, n network_nas)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- The platform's own NAS only tries passwords: it opens no session.
    IF s.sessions_max = 0 OR n.address = '127.0.0.2' THEN
        RETURN false;
    END IF;
    RETURN (SELECT count(*) FROM radius_counted_sessions(
                s.account_id, s.interim_s, coalesce(nullif(r.mac, ''), left(r.station, 64)),
                r.circuit, n.id, r.port)) >= s.sessions_max
       AND (s.profile).on_limit <> 'replace';
END $$;

-- Why the account is refused, whatever the password; '' when it is not.
CREATE OR REPLACE FUNCTION radius_refusal(s radius_subject, r radius_request, n network_nas)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF s.effect = 'reject' THEN
        RETURN 'hold';
    ELSIF s.mac_lock <> '' AND s.mac_lock <> r.mac THEN
        RETURN 'mac';
    ELSIF radius_over_limit(s, r, n) THEN
        RETURN 'sessions';
    END IF;
    RETURN '';
END $$;

-- Ask the NASes whether the sessions that somebody was refused for still are. The
-- question is a CoA with the speed that they have anyway: whoever knows a login may
-- cause it, so that it must harm nobody. A NAS that knows no such session closes it
-- (settle_coa_request), and the next try, seconds later, gets in.
CREATE FUNCTION radius_probe_sessions(s radius_subject, r radius_request, n network_nas)
RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO network_coarequest (
        account_id, nas_id, session_id, session_key, generation, login,
        acct_session_id, framed_address, kind, reason, attributes, state,
        not_before, attempts, answer, actor_label)
    SELECT c.account_id, c.nas_id, c.id, c.session_key, c.generation, c.login,
           c.acct_session_id, c.framed_address, 'coa', 'contested', '{}', 'queued',
           now(), 0, '', 'RADIUS'
      FROM radius_counted_sessions(
               s.account_id, s.interim_s, coalesce(nullif(r.mac, ''), left(r.station, 64)),
               r.circuit, n.id, r.port) c
     WHERE c.nas_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM network_coarequest asked
                        WHERE asked.session_key = c.session_key AND asked.session_id = c.id
                          AND (asked.state IN ('queued', 'sending')
                               OR asked.created_at > now() - interval '30 seconds'))
     ORDER BY c.id LIMIT 8
    ON CONFLICT DO NOTHING
$$;

-- Everything that is needed to answer one Access-Request, in rlm_sql's rows.
--   no row           unknown user
--   Tmp-String-0     a NAS that we do not know: no answer
--   Auth-Type        Reject; Tmp-String-1 has the reason, which stays inside
--   else             Cleartext-Password for the server, the rest for the NAS
CREATE OR REPLACE FUNCTION radius_authorize(
    p_login text, p_nas inet, p_mac text DEFAULT '', p_port text DEFAULT '',
    p_circuit text DEFAULT '', p_remote text DEFAULT '', p_called text DEFAULT '',
    p_kind text DEFAULT '', p_client text DEFAULT '')
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    n network_nas;
    r radius_request;
    s radius_subject;
    pair radius_pair;
    refused text;
BEGIN
    id := 1; username := ''; op := ':=';
    n := radius_nas_of(p_nas, p_client);
    IF n.id IS NULL THEN
        attribute := 'Tmp-String-0'; value := 'ignore'; RETURN NEXT;
        RETURN;
    END IF;
    r := (p_login, p_nas, radius_mac(p_mac), coalesce(p_mac, ''), coalesce(p_port, ''),
          coalesce(p_circuit, ''), coalesce(p_remote, ''), coalesce(p_called, ''),
          coalesce(p_kind, ''), coalesce(p_client, ''))::radius_request;
    s := radius_find_account(r, n);
    IF s.account_id IS NULL THEN
        RETURN;
    END IF;
    refused := radius_refusal(s, r, n);
    IF refused <> '' THEN
        IF refused = 'sessions' THEN
            PERFORM radius_probe_sessions(s, r, n);
        END IF;
        attribute := 'Auth-Type'; value := 'Reject'; RETURN NEXT;
        attribute := 'Tmp-String-1'; value := refused; RETURN NEXT;
        RETURN;
    END IF;
    attribute := 'Cleartext-Password';
    value := radius_pairvalue(
        dotmac_unseal(s.secret, 'network_accessaccount.secret:' || s.account_id));
    RETURN NEXT;
    attribute := 'Tmp-String-1'; value := s.state; RETURN NEXT;
    FOREACH pair IN ARRAY radius_reply(s, r, n) LOOP
        attribute := pair.attribute; value := pair.value; op := pair.op;
        RETURN NEXT;
    END LOOP;
END $$;

-- A Start: of the open sessions of its line the newest stays, whichever packet came
-- last; the others are ghosts. No Disconnect: there is nothing to end. A ghost whose
-- NAS speaks of it again was none, and opens. Rows that another packet holds wait
-- for the next Start, or for silence: nobody waits for them here.
CREATE FUNCTION radius_close_ghosts(new network_sessionlive) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ghosts bigint[];
BEGIN
    ghosts := ARRAY(
        SELECT s.id FROM network_sessionlive s
         WHERE s.account_id = new.account_id AND radius_is_open(s.stopped_at)
           AND (s.id = new.id
                OR radius_same_line(s, new.mac, new.circuit, new.nas_id, new.nas_port))
         ORDER BY radius_began(s) DESC, s.id DESC OFFSET 1);
    IF cardinality(ghosts) > 0 THEN
        UPDATE network_sessionlive s
           SET stopped_at = s.seen_at, cause = 'superseded', presumed_ended = true
          FROM (SELECT g.id FROM network_sessionlive g
                 WHERE g.id = ANY (ghosts) AND radius_is_open(g.stopped_at)
                 ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) free
         WHERE s.id = free.id;
    END IF;
END $$;

REVOKE ALL ON FUNCTION radius_same_line, radius_counted_sessions, radius_over_limit,
    radius_probe_sessions, radius_close_ghosts FROM PUBLIC;
