-- What the functions of a packet share.

-- A MAC address as aa:bb:cc:dd:ee:ff; '' when it is none. Most come with separators
-- between all octets already.
CREATE OR REPLACE FUNCTION radius_mac(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_text ~ '^[0-9A-Fa-f]{2}([-:][0-9A-Fa-f]{2}){5}$' THEN
        RETURN replace(lower(p_text), '-', ':');
    ELSIF coalesce(p_text, '') !~ '^[0-9A-Fa-f]{2}([-:.]?[0-9A-Fa-f]{2}){5}$' THEN
        RETURN '';
    END IF;
    RETURN regexp_replace(lower(regexp_replace(p_text, '[-:.]', '', 'g')),
                          '(..)(?=.)', '\1:', 'g');
END $$;

-- What is new since the row's last state, to the hour of receipt on the operator's
-- clock: the hour in which it first reached us, wherever it waited since. The row's
-- lock makes it exactly once. A NAS that counts nonsense may come to more than a
-- column holds: the hour is then full, and its packets are answered.
CREATE OR REPLACE FUNCTION radius_add_usage(
    p_account bigint, p_in bigint, p_out bigint, p_heard timestamptz)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    half bigint := 4611686018427387903;
    zone text := coalesce(nullif(current_setting('dotmac.time_zone', true), ''), 'UTC');
    v_hour timestamptz;
BEGIN
    IF p_account IS NULL OR (p_in <= 0 AND p_out <= 0) THEN
        RETURN;
    END IF;
    v_hour := date_trunc('hour', p_heard, zone);
    -- The row is there but for the first time in an hour; a plain UPDATE is the least.
    UPDATE network_usagehour u
       SET octets_in = least(u.octets_in, half) + least(p_in, half),
           octets_out = least(u.octets_out, half) + least(p_out, half)
     WHERE u.account_id = p_account AND u.hour_at = v_hour;
    IF NOT FOUND THEN
        INSERT INTO network_usagehour AS u (account_id, hour_at, octets_in, octets_out)
        VALUES (p_account, v_hour, p_in, p_out)
        ON CONFLICT (account_id, hour_at) DO UPDATE
           SET octets_in = least(u.octets_in, half) + least(excluded.octets_in, half),
               octets_out = least(u.octets_out, half) + least(excluded.octets_out, half);
    END IF;
END $$;
