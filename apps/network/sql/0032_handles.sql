-- IPoE: a device or a line that logs in by what it is. Only where the NAS may
-- (network_nas.ipoe), and never in place of a login: docs/radius.md, "IPoE".

-- The login of the open account that the request's device or line stands for, and by
-- what it was found. The name must be one that no subscriber chose: a MAC address
-- (a domain behind it does not count) or the line's own id. Of two MAC addresses that
-- the request gives, the one that the NAS saw decides: a name alone opens no line.
CREATE FUNCTION radius_find_handle(r radius_request, OUT found_by text, OUT login text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_named text := radius_mac(split_part(r.login, '@', 1));
BEGIN
    IF v_named = '' AND r.login NOT IN (r.circuit, r.remote) THEN
        RETURN;
    END IF;
    SELECT h.kind, acc.login INTO found_by, login
      FROM network_accesshandle h
      JOIN network_accessaccount acc ON acc.id = h.account_id
     WHERE (h.value, h.kind) IN (
               (CASE WHEN r.mac IN ('', v_named) THEN v_named ELSE '' END, 'mac'),
               (r.circuit, 'circuit_id'), (r.remote, 'remote_id'))
       AND acc.closed_at IS NULL AND acc.kind = 'radius'
     ORDER BY array_position(ARRAY['mac', 'circuit_id', 'remote_id'], h.kind::text)
     LIMIT 1;
END $$;

-- The open account that a request means; all NULL when there is none. A login goes
-- first, so that one with a password is never let in without it.
CREATE OR REPLACE FUNCTION radius_find_account(r radius_request, n network_nas)
RETURNS radius_subject LANGUAGE plpgsql STABLE AS $$
DECLARE
    s radius_subject;
    v_by text := 'login';
    v_login text := r.login;
BEGIN
    LOOP
        SELECT acc.id, v_by, acc.secret, acc.mac_lock, acc.expires_at,
               coalesce(acc.sessions_max, profile.sessions_max), profile.interim_s,
               pool.framed_pool, st.effect, st.state, profile
          INTO s
          FROM network_accessaccount acc
          JOIN network_rateprofile profile ON profile.id = acc.profile_id
          LEFT JOIN network_addresspool pool ON pool.id = acc.pool_id
         CROSS JOIN LATERAL network_access_state(acc.id, now()) st
         WHERE acc.login = v_login AND acc.closed_at IS NULL AND acc.kind = 'radius';
        EXIT WHEN s.account_id IS NOT NULL OR v_by <> 'login' OR NOT n.ipoe;
        SELECT h.found_by, h.login INTO v_by, v_login FROM radius_find_handle(r) h;
        EXIT WHEN v_by IS NULL;
    END LOOP;
    RETURN s;
END $$;

-- Everything that is needed to answer one Access-Request, in rlm_sql's rows.
--   no row           unknown user
--   Tmp-String-0     a NAS that we do not know: no answer
--   Auth-Type        Reject; Tmp-String-1 has the reason, which stays inside. Accept:
--                    a device or a line, which has no password
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
    IF s.found_by = 'login' THEN
        attribute := 'Cleartext-Password';
        value := radius_pairvalue(
            dotmac_unseal(s.secret, 'network_accessaccount.secret:' || s.account_id));
    ELSE
        attribute := 'Auth-Type'; value := 'Accept';
    END IF;
    RETURN NEXT;
    attribute := 'Tmp-String-1'; value := s.state; RETURN NEXT;
    FOREACH pair IN ARRAY radius_reply(s, r, n) LOOP
        attribute := pair.attribute; value := pair.value; op := pair.op;
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION radius_find_handle FROM PUBLIC;
