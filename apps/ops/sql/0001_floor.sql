-- Functions that every app's guards share.
CREATE FUNCTION dotmac_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;

-- The clear text of a value sealed by dotmac.core.crypto for one place
-- ("table.column:row"). Keys come from the session (dotmac.key_<id>), never from
-- a table; without the key, or with a wrong tag, it raises and shows nothing.
CREATE FUNCTION dotmac_unseal(sealed bytea, place text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    keys bytea;
    body bytea;
BEGIN
    IF length(sealed) < 66 OR get_byte(sealed, 0) <> 1 THEN
        RAISE EXCEPTION 'not a sealed value' USING ERRCODE = 'data_exception';
    END IF;
    keys := decode(coalesce(
        current_setting('dotmac.key_' || get_byte(sealed, 1), true), ''), 'hex');
    IF length(keys) <> 64 THEN
        RAISE EXCEPTION 'key % is not in this session', get_byte(sealed, 1)
            USING ERRCODE = 'invalid_password';
    END IF;
    body := substr(sealed, 1, length(sealed) - 32);
    IF hmac(sha256(convert_to(place, 'UTF8')) || body, substr(keys, 33), 'sha256')
       <> substr(sealed, length(sealed) - 31) THEN
        RAISE EXCEPTION 'the seal does not fit %', place
            USING ERRCODE = 'data_corrupted';
    END IF;
    RETURN convert_from(decrypt_iv(substr(body, 19), substr(keys, 1, 32),
                                   substr(body, 3, 16), 'aes-cbc/pad:pkcs'), 'UTF8');
END $$;
REVOKE EXECUTE ON FUNCTION dotmac_unseal(bytea, text) FROM PUBLIC;
