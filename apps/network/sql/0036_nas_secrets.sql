-- A NAS's secret is changed at a chosen minute, and proved by the NAS's own packets.

-- A packet of the NAS was verified with the secret of that version: the NAS has it.
-- Of many packets at once one does it and the others go on. Nothing to do when it was
-- done, taken back, or is not in effect (any longer).
CREATE FUNCTION network_confirm_nas_secret(p_nas_id bigint, p_version integer)
RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE network_nassecret s
       SET state = 'confirmed', confirmed_at = now(), updated_at = now()
     WHERE s.id = (
        SELECT w.id FROM network_nassecret w
         WHERE w.nas_id = p_nas_id AND w.version = p_version AND w.state = 'scheduled'
           AND w.switch_at <= now()
           AND (w.roll_back_at IS NULL OR w.roll_back_at > now())
           FOR UPDATE SKIP LOCKED)
$$;

-- The NAS that a packet came from; a row of NULLs when it is unknown or disabled.
-- `p_client` is the name under which the server knows it, radius_clients().shortname,
-- and ` unsigned` after it when nothing proved who sent the packet: so the name alone
-- says that the packet was verified with that secret. Over TLS it is `tls ` and the name
-- in the certificate, which must be this NAS's (without a version).
CREATE OR REPLACE FUNCTION radius_nas_of(p_nas inet, p_client text) RETURNS network_nas
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    n network_nas;
BEGIN
    SELECT * INTO n FROM network_nas nas WHERE nas.address = p_nas AND nas.enabled;
    IF p_client LIKE 'tls %' AND p_client <> 'tls nas-' || n.id THEN
        RETURN NULL;
    END IF;
    -- Almost always NULL: then the packet costs nothing more.
    IF n.secret_awaits IS NOT NULL
       AND p_client = 'nas-' || n.id || '-' || n.secret_awaits THEN
        PERFORM network_confirm_nas_secret(n.id, n.secret_awaits);
    END IF;
    RETURN n;
END $$;

-- The NAS at an address (all of them for NULL), the secret of the moment opened on the
-- way and its version in the name. With the name in a client's certificate (without
-- a version: that is of the secret), only the NAS whose name that is.
CREATE OR REPLACE FUNCTION radius_clients(
    p_address inet DEFAULT NULL, p_certificate text DEFAULT NULL)
RETURNS TABLE (id bigint, nasname text, shortname text, type text, secret text,
               server text, require_message_authenticator boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT n.id, host(n.address),
           'nas-' || n.id || '-' || coalesce(s.version, n.secret_version), 'other',
           CASE WHEN s.id IS NULL
                THEN dotmac_unseal(n.secret, 'network_nas.secret:' || n.id)
                ELSE dotmac_unseal(s.secret, 'network_nassecret.secret:' || s.id)
           END,
           'dotmac', n.require_message_authenticator
      FROM network_nas n
      LEFT JOIN network_nassecret s ON s.nas_id = n.id
       AND (s.state = 'confirmed'
            OR s.state = 'scheduled' AND s.switch_at <= now()
               AND (s.roll_back_at IS NULL OR s.roll_back_at > now()))
     WHERE n.enabled AND (p_address IS NULL OR n.address = p_address)
       AND (p_certificate IS NULL OR p_certificate = 'nas-' || n.id)
$$;

REVOKE ALL ON FUNCTION network_confirm_nas_secret FROM PUBLIC;
