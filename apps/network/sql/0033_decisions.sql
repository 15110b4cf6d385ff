-- Decisions that can be looked up: which hold it was, whose device or line it was
-- where no login says so, and how many decisions a written one stands for.

-- A word with the oldest hold of that effect behind it: hold:non_payment.
CREATE FUNCTION radius_named(p_account bigint, p_word text, p_effect text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT p_word || coalesce((
        SELECT ':' || h.reason FROM network_accesshold h
         WHERE h.account_id = p_account AND h.lifted_at IS NULL AND h.effect = p_effect
         ORDER BY h.placed_at, h.id LIMIT 1), '')
$$;

-- Why the account is refused, whatever the password; '' when it is not.
CREATE OR REPLACE FUNCTION radius_refusal(s radius_subject, r radius_request, n network_nas)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF s.effect = 'reject' THEN
        RETURN radius_named(s.account_id, 'hold', 'reject');
    ELSIF s.mac_lock <> '' AND s.mac_lock <> r.mac THEN
        RETURN 'mac';
    ELSIF radius_over_limit(s, r, n) THEN
        RETURN 'sessions';
    END IF;
    RETURN '';
END $$;

-- As what an account is let in that is not wholly open.
CREATE FUNCTION radius_let_in_as(s radius_subject) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF s.state IN ('walled_garden', 'throttled') THEN
        RETURN radius_named(s.account_id, s.state, s.effect);
    END IF;
    RETURN s.state;
END $$;

-- One in how many decisions of this NAS is written down: 1 nearly always. The job that
-- reads them sets it. When nobody has read them for long, one in a thousand: they would
-- lie there until the disk is full.
CREATE FUNCTION radius_sample_of(n network_nas) RETURNS int
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN n.decisions_read_until < now() THEN greatest(n.decisions_sample_of, 1000)
           ELSE n.decisions_sample_of END
$$;

-- Everything that is needed to answer one Access-Request, in rlm_sql's rows.
--   no row           unknown user
--   Tmp-String-0     a NAS that we do not know: no answer
--   Auth-Type        Reject; Tmp-String-1 has the reason, which stays inside. Accept:
--                    a device or a line, which has no password
--   Tmp-Integer-0    so many decisions does this one stand for; 0: do not write it down
--   Tmp-String-4     whose it is, where the login does not say so
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
    v_sample int;
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
    IF n.decisions_sample_of > 1 OR n.decisions_read_until < now() THEN
        v_sample := radius_sample_of(n);
        attribute := 'Tmp-Integer-0';
        value := CASE WHEN random() * v_sample < 1 THEN v_sample ELSE 0 END::text;
        RETURN NEXT;
    END IF;
    s := radius_find_account(r, n);
    IF s.account_id IS NULL THEN
        IF v_sample IS NOT NULL THEN
            attribute := 'Auth-Type'; value := 'Reject'; RETURN NEXT;
            attribute := 'Tmp-String-1'; value := 'unknown'; RETURN NEXT;
        END IF;
        RETURN;
    END IF;
    IF s.found_by <> 'login' THEN
        attribute := 'Tmp-String-4'; value := s.account_id::text; RETURN NEXT;
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
    attribute := 'Tmp-String-1';
    value := CASE s.state WHEN 'open' THEN 'open' ELSE radius_let_in_as(s) END;
    RETURN NEXT;
    FOREACH pair IN ARRAY radius_reply(s, r, n) LOOP
        attribute := pair.attribute; value := pair.value; op := pair.op;
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION radius_named, radius_let_in_as, radius_sample_of FROM PUBLIC;
