-- The chain over the audit entries. docs/security.md describes the format.
-- The application's role writes entries, reads all three tables, and may ask for
-- chaining; what a link says is decided here.

-- When an entry was written is the database's to say.
CREATE FUNCTION ops_audit_date_entry() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.recorded_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER ops_auditentry_dated BEFORE INSERT ON ops_auditentry
    FOR EACH ROW EXECUTE FUNCTION ops_audit_date_entry();

CREATE FUNCTION ops_audit_await_chain() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO ops_auditpending (entry_id) SELECT id FROM fresh;
    RETURN NULL;
END $$;
CREATE TRIGGER ops_auditentry_awaits_chain AFTER INSERT ON ops_auditentry
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ops_audit_await_chain();
-- What was recorded before there was a chain is chained first.
INSERT INTO ops_auditpending (entry_id) SELECT id FROM ops_auditentry;

-- What a stream begins with: its name and the head of the stream before it.
CREATE FUNCTION ops_audit_genesis(p_stream text, p_head bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to('dotmac audit 1 ' || p_stream || ' ', 'UTF8') || p_head)
$$;

-- The hash of one link, version 1: SHA-256 over the hash before it and a netstring
-- ("length:bytes,") of each value in this order; NULL is ":,". Instants are whole
-- microseconds since 1970 in UTC, `changes` is PostgreSQL's text of the jsonb.
-- STABLE, as concat() is: only so is it inlined, which makes it ten times as fast.
CREATE FUNCTION ops_audit_hash(
    p_before bytea, p_stream text, p_sequence bigint, e ops_auditentry
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(p_before || convert_to(concat(
        octet_length(p_stream), ':', p_stream, ',',
        length(p_sequence::text), ':', p_sequence, ',',
        length(e.id::text), ':', e.id, ',',
        length((extract(epoch FROM e.recorded_at) * 1000000)::bigint::text), ':',
            (extract(epoch FROM e.recorded_at) * 1000000)::bigint, ',',
        length((extract(epoch FROM e.occurred_at) * 1000000)::bigint::text), ':',
            (extract(epoch FROM e.occurred_at) * 1000000)::bigint, ',',
        octet_length(e.action), ':', e.action, ',',
        octet_length(e.actor_kind), ':', e.actor_kind, ',',
        length(e.actor_id::text), ':', e.actor_id, ',',
        octet_length(e.actor_label), ':', e.actor_label, ',',
        octet_length(e.subject_app), ':', e.subject_app, ',',
        octet_length(e.subject_kind), ':', e.subject_kind, ',',
        length(e.subject_id::text), ':', e.subject_id, ',',
        octet_length(e.subject_label), ':', e.subject_label, ',',
        length(e.customer_id::text), ':', e.customer_id, ',',
        length(e.unit_id::text), ':', e.unit_id, ',',
        octet_length(e.changes::text), ':', e.changes::text, ',',
        octet_length(e.request_id), ':', e.request_id, ',',
        octet_length(e.address), ':', e.address, ','
    ), 'UTF8'))
$$;

-- Gives up to p_limit waiting entries their places; returns how many, or -1 when
-- somebody else is at it. Only what is committed is seen, in the order of ids; the
-- lock is freed after the commit is visible, so the next caller sees this head.
CREATE FUNCTION ops_chain_audit(p_limit integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_month text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM');
    v_stream text;
    v_sequence bigint;
    v_hash bytea;
    v_ids bigint[] := '{}';
    v_entry ops_auditentry;
BEGIN
    IF p_limit NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'Between 1 and 10000 entries at a time.';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('ops_audit_chain')) THEN
        RETURN -1;
    END IF;
    SELECT stream, sequence, hash INTO v_stream, v_sequence, v_hash
      FROM ops_auditlink ORDER BY stream DESC, sequence DESC LIMIT 1;
    -- A clock that was set back does not reopen a month.
    IF v_stream IS NULL OR v_stream < v_month THEN
        v_hash := ops_audit_genesis(v_month, coalesce(v_hash, ''::bytea));
        v_stream := v_month;
        v_sequence := 0;
    END IF;
    FOR v_entry IN
        SELECT a.* FROM ops_auditpending p JOIN ops_auditentry a ON a.id = p.entry_id
         ORDER BY p.entry_id LIMIT p_limit
    LOOP
        v_sequence := v_sequence + 1;
        v_hash := ops_audit_hash(v_hash, v_stream, v_sequence, v_entry);
        INSERT INTO ops_auditlink (entry_id, stream, sequence, version, hash, chained_at)
        VALUES (v_entry.id, v_stream, v_sequence, 1, v_hash, clock_timestamp());
        v_ids := v_ids || v_entry.id;
    END LOOP;
    DELETE FROM ops_auditpending WHERE entry_id = ANY (v_ids);
    RETURN cardinality(v_ids);
END $$;

REVOKE EXECUTE ON FUNCTION ops_audit_date_entry, ops_audit_await_chain,
    ops_audit_genesis, ops_audit_hash, ops_chain_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops_audit_genesis, ops_audit_hash, ops_chain_audit
    TO {app_role};
GRANT SELECT ON ops_auditpending, ops_auditlink TO {app_role};
