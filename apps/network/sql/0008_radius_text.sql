-- Text that arrived in a packet, from its bytes in base64. Not in hex: FreeRADIUS's
-- %{hex:} reads a text that begins with 0x as hex digits first, so that the login
-- 0x616461 became the login ada, and a session id such as 0x8100 lost itself.
DROP FUNCTION radius_text(text);
CREATE FUNCTION radius_text(p_base64 text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bytes bytea := decode(p_base64, 'base64');
    plain text := encode(bytes, 'escape');
BEGIN
    -- Nothing was escaped: ASCII, as nearly always.
    IF strpos(plain, '\') = 0 THEN
        RETURN plain;
    END IF;
    -- Bytes that are no UTF-8 (or hold a zero) become their hex form, which no
    -- login can match by accident.
    BEGIN
        RETURN convert_from(bytes, 'UTF8');
    EXCEPTION WHEN data_exception THEN
        RETURN '\x' || encode(bytes, 'hex');
    END;
END $$;
REVOKE ALL ON FUNCTION radius_text(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION radius_text(text) TO {radius_role};
