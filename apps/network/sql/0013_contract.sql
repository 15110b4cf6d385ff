-- What the functions behind radius_authorize() and radius_accounting() tell each
-- other. Each function has one owner who replaces it as a whole; the types and
-- signatures here are what the others may count on. docs/radius.md has the table.

-- One Access-Request: texts as radius_text() gives them, '' for what is absent.
CREATE TYPE radius_request AS (
    login text,
    nas inet,       -- where the packet came from
    mac text,       -- Calling-Station-Id as aa:bb:cc:dd:ee:ff; '' when it is none
    station text,   -- Calling-Station-Id as it came
    port text,      -- NAS-Port-Id, else NAS-Port
    circuit text,   -- Agent-Circuit-Id: ADSL Forum's (RFC 4679), else Ericsson's
    remote text,    -- Agent-Remote-Id, likewise
    called text,    -- Called-Station-Id
    kind text,      -- NAS-Port-Type, else Service-Type: the dictionary's word
    client text     -- the NAS's name in the server's list: radius_clients().shortname
);

-- Whom a request is about, as the rows of the moment say. Scalars where possible:
-- PL/pgSQL reads a field of a field by copying all of it.
CREATE TYPE radius_subject AS (
    account_id bigint,
    found_by text,          -- login
    secret bytea,           -- sealed for network_accessaccount.secret:<account_id>
    mac_lock text,
    expires_at timestamptz,
    sessions_max int,       -- 0 for any number
    interim_s int,
    framed_pool text,       -- the pool that the NAS takes an address from, or NULL
    effect text,            -- network_access_state()
    state text,
    profile network_rateprofile
);

-- One row of an answer. `op` is meant: `+=` for each of several values, `:=` for the
-- only one. rlm_sql does not compare rows with each other, so that two `:=` of one
-- attribute both travel: who overrides a value takes the other row out.
CREATE TYPE radius_pair AS (attribute text, value text, op text);

ALTER TYPE radius_packet
    ADD ATTRIBUTE heard_at timestamptz,     -- when it reached us, by our clock
    ADD ATTRIBUTE framed_ipv6 inet,
    ADD ATTRIBUTE framed_ipv6_prefix cidr,
    ADD ATTRIBUTE delegated_prefix cidr,
    ADD ATTRIBUTE circuit text,
    ADD ATTRIBUTE called text;

REVOKE ALL ON TYPE radius_request, radius_subject, radius_pair FROM PUBLIC;

-- The NAS that a packet came from; a row of NULLs when it is unknown or disabled.
-- `p_client` is the name under which the server knows it, as in radius_request.
CREATE FUNCTION radius_nas_of(p_nas inet, p_client text) RETURNS network_nas
LANGUAGE plpgsql STABLE AS $$
DECLARE
    n network_nas;
BEGIN
    SELECT * INTO n FROM network_nas nas WHERE nas.address = p_nas AND nas.enabled;
    RETURN n;
END $$;

-- The NAS at an address (all of them for NULL), its secret opened on the way. With
-- the name in a client's certificate, only the NAS whose name that is.
DROP FUNCTION radius_clients(inet);
CREATE FUNCTION radius_clients(p_address inet DEFAULT NULL, p_certificate text DEFAULT NULL)
RETURNS TABLE (id bigint, nasname text, shortname text, type text, secret text,
               server text, require_message_authenticator boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT n.id, host(n.address), 'nas-' || n.id, 'other',
           dotmac_unseal(n.secret, 'network_nas.secret:' || n.id), 'dotmac',
           n.require_message_authenticator
      FROM network_nas n
     WHERE n.enabled AND (p_address IS NULL OR n.address = p_address)
       AND (p_certificate IS NULL OR p_certificate = 'nas-' || n.id)
$$;

REVOKE ALL ON FUNCTION radius_nas_of, radius_clients FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_clients TO {radius_role};
