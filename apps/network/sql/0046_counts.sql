-- What is never negative, by its type. PostgreSQL reads the text of a table's CHECK anew
-- in every statement that writes to it: of an interim's instructions those of sessions
-- and usage were an eighth. A domain's condition is read once a connection. The columns
-- take the domain while it has no condition, which rewrites no row.
CREATE DOMAIN network_octets AS bigint;
CREATE DOMAIN network_count AS integer;

ALTER TABLE network_sessionlive
    DROP CONSTRAINT network_sessionlive_generation_check,
    DROP CONSTRAINT network_sessionlive_seconds_check,
    ALTER COLUMN generation TYPE network_count,
    ALTER COLUMN seconds TYPE network_count,
    ALTER COLUMN octets_in TYPE network_octets,
    ALTER COLUMN octets_out TYPE network_octets;
-- Rows move between sessions and history whole.
ALTER TABLE network_sessionhistory
    ALTER COLUMN generation TYPE network_count,
    ALTER COLUMN seconds TYPE network_count,
    ALTER COLUMN octets_in TYPE network_octets,
    ALTER COLUMN octets_out TYPE network_octets;
ALTER TABLE network_usagehour
    ALTER COLUMN octets_in TYPE network_octets,
    ALTER COLUMN octets_out TYPE network_octets;

ALTER DOMAIN network_octets
    ADD CONSTRAINT network_octets_not_negative CHECK (VALUE >= 0);
ALTER DOMAIN network_count
    ADD CONSTRAINT network_count_not_negative CHECK (VALUE >= 0);
