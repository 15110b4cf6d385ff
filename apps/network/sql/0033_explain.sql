-- Why somebody is let in or refused, step by step. The judges are those that
-- radius_authorize() asks, in its order: what is told here is what it would do now.
-- It writes nothing, asks no NAS, and never opens a password.
--
--   step      outcome                             detail
--   nas       known, disabled, unknown            id, name, address, ipoe
--   account   found, unknown                      account_id, login, found_by; of a
--                                                 closed account that had the login: closed
--   expiry    none, ahead, passed                 expires_at
--   hold      its effect                          reason, note, placed_at
--   device    any, same, another                  mac_lock, mac
--   sessions  any, free, over, replaces           allowed, counted, sessions
--   profile   the account's state                 name, down_kbps, up_kbps
--   verdict   accept, password, reject, silent    reason
--   reply     the attribute                       value, op
--
-- `password` is accept for who has the right one, and nothing can tell who has.
CREATE FUNCTION network_explain_access(
    p_login text, p_nas inet, p_mac text DEFAULT '', p_port text DEFAULT '',
    p_circuit text DEFAULT '', p_remote text DEFAULT '')
RETURNS TABLE (step text, outcome text, detail jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    n network_nas;
    r radius_request;
    s radius_subject;
    refused text;
    known record;
BEGIN
    n := radius_nas_of(p_nas, '');
    step := 'nas';
    SELECT nas.id, nas.name, nas.enabled, nas.ipoe INTO known
      FROM network_nas nas WHERE nas.address = p_nas;
    outcome := CASE WHEN n.id IS NOT NULL THEN 'known' WHEN known.id IS NOT NULL THEN 'disabled'
               ELSE 'unknown' END;
    detail := jsonb_build_object('id', known.id, 'name', known.name,
                                 'address', host(p_nas), 'ipoe', known.ipoe);
    RETURN NEXT;
    IF n.id IS NULL THEN
        step := 'verdict'; outcome := 'silent'; detail := '{"reason": "nas"}';
        RETURN NEXT;
        RETURN;
    END IF;
    r := (p_login, p_nas, radius_mac(p_mac), coalesce(p_mac, ''), coalesce(p_port, ''),
          coalesce(p_circuit, ''), coalesce(p_remote, ''), '', '', '')::radius_request;
    s := radius_find_account(r, n);
    step := 'account';
    IF s.account_id IS NULL THEN
        outcome := 'unknown';
        SELECT jsonb_build_object('closed', max(acc.id)) INTO detail
          FROM network_accessaccount acc
         WHERE acc.login = p_login AND acc.closed_at IS NOT NULL;
        RETURN NEXT;
        step := 'verdict'; outcome := 'reject'; detail := '{"reason": "unknown"}';
        RETURN NEXT;
        RETURN;
    END IF;
    outcome := 'found';
    SELECT jsonb_build_object('account_id', acc.id, 'login', acc.login,
                              'found_by', s.found_by) INTO detail
      FROM network_accessaccount acc WHERE acc.id = s.account_id;
    RETURN NEXT;
    RETURN QUERY SELECT * FROM radius_explain_state(s, r, n);
    refused := radius_refusal(s, r, n);
    step := 'verdict';
    outcome := CASE WHEN refused <> '' THEN 'reject' WHEN s.found_by = 'login' THEN 'password'
               ELSE 'accept' END;
    detail := jsonb_build_object('reason', CASE WHEN refused <> '' THEN refused ELSE radius_let_in_as(s) END);
    RETURN NEXT;
    IF refused = '' THEN
        RETURN QUERY
            SELECT 'reply'::text, pair.attribute, jsonb_build_object('value', pair.value, 'op', pair.op)
              FROM unnest(radius_reply(s, r, n)) pair;
    END IF;
END $$;

-- The steps between the account and the verdict.
CREATE FUNCTION radius_explain_state(s radius_subject, r radius_request, n network_nas)
RETURNS TABLE (step text, outcome text, detail jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    counted network_sessionlive[];
BEGIN
    step := 'expiry';
    outcome := CASE WHEN s.expires_at IS NULL THEN 'none' WHEN s.expires_at <= now() THEN 'passed'
               ELSE 'ahead' END;
    detail := jsonb_build_object('expires_at', s.expires_at);
    RETURN NEXT;
    RETURN QUERY
        SELECT 'hold'::text, h.effect::text, jsonb_build_object(
                   'reason', h.reason, 'note', h.note, 'placed_at', h.placed_at)
          FROM network_accesshold h
         WHERE h.account_id = s.account_id AND h.lifted_at IS NULL
         ORDER BY h.placed_at, h.id;
    step := 'device';
    outcome := CASE WHEN s.mac_lock = '' THEN 'any' WHEN s.mac_lock = r.mac THEN 'same'
               ELSE 'another' END;
    detail := jsonb_build_object('mac_lock', s.mac_lock, 'mac', r.mac);
    RETURN NEXT;
    step := 'sessions';
    counted := ARRAY(SELECT c FROM radius_counted_sessions(
        s.account_id, s.interim_s, coalesce(nullif(r.mac, ''), left(r.station, 64)),
        r.circuit, n.id, r.port) c ORDER BY c.id);
    outcome := CASE WHEN s.sessions_max = 0 THEN 'any'
                    WHEN radius_over_limit(s, r, n) THEN 'over'
                    WHEN cardinality(counted) < s.sessions_max THEN 'free'
                    ELSE 'replaces' END;
    detail := jsonb_build_object(
        'allowed', s.sessions_max, 'counted', cardinality(counted),
        'sessions', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                       'id', c.id, 'nas', nas.name, 'mac', c.mac,
                       'address', host(c.framed_address), 'started_at', c.started_at,
                       'heard_at', c.heard_at) ORDER BY c.id)
              FROM (SELECT * FROM unnest(counted) LIMIT 20) c
              LEFT JOIN network_nas nas ON nas.id = c.nas_id), '[]'));
    RETURN NEXT;
    step := 'profile';
    outcome := s.state;
    detail := jsonb_build_object(
        'name', (s.profile).name, 'state', s.state, 'effect', s.effect,
        'down_kbps', CASE WHEN s.effect = 'accept' THEN (s.profile).down_kbps
                     ELSE (s.profile).throttled_down_kbps END,
        'up_kbps', CASE WHEN s.effect = 'accept' THEN (s.profile).up_kbps
                   ELSE (s.profile).throttled_up_kbps END);
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION network_explain_access, radius_explain_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION network_explain_access TO {app_role};
