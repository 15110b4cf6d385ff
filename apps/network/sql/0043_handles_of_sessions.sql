-- The account of a session, where the NAS does not send back the Class of its Accept
-- (RFC 2865, 5.25): by its login, and on a NAS that lets devices and lines in (IPoE) by
-- what the look-up of a login would have found.
CREATE OR REPLACE FUNCTION radius_account_of(p radius_packet) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_account bigint;
BEGIN
    SELECT acc.id INTO v_account FROM network_accessaccount acc
     WHERE (acc.login = p.login AND acc.closed_at IS NULL) OR acc.id = p.account_id
     ORDER BY acc.closed_at IS NULL DESC, (acc.id = p.account_id) IS TRUE DESC LIMIT 1;
    IF v_account IS NULL AND EXISTS (
        SELECT FROM network_nas n WHERE n.id = p.nas_id AND n.ipoe) THEN
        SELECT acc.id INTO v_account
          FROM radius_find_handle((p.login, NULL, p.mac, p.mac, '', p.circuit, '', '', '',
                                   '')::radius_request) h
          JOIN network_accessaccount acc ON acc.login = h.login AND acc.closed_at IS NULL;
    END IF;
    RETURN v_account;
END $$;
