-- First-free allocation. Pure address arithmetic first, then the allocator.

-- The first and the last unit of a prefix that may be given out. A unit is a host, or
-- a block of p_length bits. IPv4 keeps its network and broadcast addresses, IPv6 the
-- subnet-router anycast address; point-to-point prefixes (/31, /127) and single hosts
-- keep nothing.
CREATE FUNCTION network_first_unit(p_cidr cidr, p_length integer) RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN p_length IS NOT NULL THEN set_masklen(p_cidr::inet, p_length)
        WHEN masklen(p_cidr) >= (CASE family(p_cidr) WHEN 4 THEN 31 ELSE 127 END)
            THEN set_masklen(p_cidr::inet, CASE family(p_cidr) WHEN 4 THEN 32 ELSE 128 END)
        ELSE set_masklen(p_cidr::inet, CASE family(p_cidr) WHEN 4 THEN 32 ELSE 128 END) + 1
    END
$$;
CREATE FUNCTION network_last_unit(p_cidr cidr, p_length integer) RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN p_length IS NOT NULL
            THEN network(set_masklen(broadcast(p_cidr::inet), p_length))::inet
        WHEN family(p_cidr) = 6 THEN set_masklen(broadcast(p_cidr::inet), 128)
        WHEN masklen(p_cidr) >= 31 THEN set_masklen(broadcast(p_cidr::inet), 32)
        ELSE set_masklen(broadcast(p_cidr::inet), 32) - 1
    END
$$;

-- The unit after this one; NULL behind the last, so that nothing overflows.
CREATE FUNCTION network_next_unit(p_unit inet, p_last inet) RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_unit < p_last THEN broadcast(p_unit) + 1 END
$$;

-- How many units a prefix can give out, the gateway not counted.
CREATE FUNCTION network_unit_count(p_cidr cidr, p_length integer, p_gateway inet) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN p_length IS NOT NULL THEN 2::numeric ^ (p_length - masklen(p_cidr))
        WHEN family(p_cidr) = 4 AND masklen(p_cidr) < 31 THEN 2::numeric ^ (32 - masklen(p_cidr)) - 2
        WHEN family(p_cidr) = 4 THEN 2::numeric ^ (32 - masklen(p_cidr))
        WHEN masklen(p_cidr) < 127 THEN 2::numeric ^ (128 - masklen(p_cidr)) - 1
        ELSE 2::numeric ^ (128 - masklen(p_cidr))
    END - (CASE WHEN p_gateway BETWEEN network_first_unit(p_cidr, p_length)
                                   AND network_last_unit(p_cidr, p_length) THEN 1 ELSE 0 END)
$$;

-- The free unit to give out next, without looking at the ones in use: the lowest that
-- has rested, else the one behind the highest that was ever given out. Two index
-- look-ups, whether the prefix is empty or full.
CREATE FUNCTION network_free_unit(
    p_prefix_id bigint, p_cidr cidr, p_length integer, p_gateway inet, p_now timestamptz
) RETURNS inet LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_last inet := network_last_unit(p_cidr, p_length);
    v_unit inet;
BEGIN
    SELECT s.address INTO v_unit FROM network_addressassignment s
      WHERE s.prefix_id = p_prefix_id AND s.reusable AND s.quarantined_until <= p_now
        AND s.address IS DISTINCT FROM p_gateway
      ORDER BY s.address LIMIT 1;
    IF FOUND THEN
        RETURN v_unit;
    END IF;
    SELECT s.address INTO v_unit FROM network_addressassignment s
      WHERE s.prefix_id = p_prefix_id ORDER BY s.address DESC LIMIT 1;
    IF FOUND THEN
        v_unit := network_next_unit(v_unit, v_last);
    ELSE
        v_unit := network_first_unit(p_cidr, p_length);
    END IF;
    IF v_unit = p_gateway THEN
        v_unit := network_next_unit(v_unit, v_last);
    END IF;
    RETURN v_unit;
END $$;

-- The lowest unit that was never given out, by looking at all of them: rows written
-- by hand or by an import may have left gaps. Asked only when the quick way finds nothing.
CREATE FUNCTION network_skipped_unit(
    p_prefix_id bigint, p_cidr cidr, p_length integer, p_gateway inet
) RETURNS inet LANGUAGE sql STABLE AS $$
    WITH known AS (
        SELECT s.address FROM network_addressassignment s WHERE s.prefix_id = p_prefix_id
        UNION ALL
        SELECT p_gateway WHERE p_gateway IS NOT NULL
    ), candidate AS (
        SELECT network_first_unit(p_cidr, p_length) AS unit
        UNION ALL
        SELECT network_next_unit(k.address, network_last_unit(p_cidr, p_length)) FROM known k
    )
    SELECT c.unit FROM candidate c
    WHERE c.unit IS NOT NULL AND NOT EXISTS (SELECT FROM known k WHERE k.address = c.unit)
    ORDER BY c.unit LIMIT 1
$$;

-- Gives the account an address of the pool: the one it holds already, or the first free
-- one. Returns the tenancy's id, NULL when nothing is free. Allocators of one pool wait
-- for each other at the pool's row; other pools go on. The caller holds the account's row.
CREATE FUNCTION network_allocate_address(p_pool_id bigint, p_account_id bigint, p_now timestamptz)
RETURNS TABLE (assignment_id bigint, made boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_pool record;
    v_prefix record;
BEGIN
    SELECT s.id, false INTO assignment_id, made FROM network_addressassignment s
      WHERE s.account_id = p_account_id AND s.pool_id = p_pool_id AND s.released_at IS NULL;
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT o.id, o.vrf_id, o.delegated_length INTO v_pool FROM network_addresspool o
      WHERE o.id = p_pool_id FOR NO KEY UPDATE;
    FOR v_prefix IN
        SELECT p.id, p.cidr, p.gateway, quick.pass FROM (VALUES (1), (2)) quick (pass)
        CROSS JOIN network_prefix p
        WHERE p.pool_id = p_pool_id AND p.kind = 'network'
        ORDER BY quick.pass, p.cidr
    LOOP
        INSERT INTO network_addressassignment
            (vrf_id, pool_id, prefix_id, account_id, address, assigned_at, reusable)
        SELECT v_pool.vrf_id, v_pool.id, v_prefix.id, p_account_id, found.unit, p_now, false
        FROM (SELECT CASE v_prefix.pass
                WHEN 1 THEN network_free_unit(v_prefix.id, v_prefix.cidr, v_pool.delegated_length,
                                              v_prefix.gateway, p_now)
                ELSE network_skipped_unit(v_prefix.id, v_prefix.cidr, v_pool.delegated_length,
                                          v_prefix.gateway)
              END AS unit) found
        WHERE found.unit IS NOT NULL
        RETURNING id, true INTO assignment_id, made;
        IF assignment_id IS NOT NULL THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END LOOP;
END $$;

DO $$
DECLARE v_name text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[
        'network_first_unit', 'network_last_unit', 'network_next_unit', 'network_unit_count',
        'network_free_unit', 'network_skipped_unit', 'network_allocate_address'] LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', v_name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I TO {app_role}', v_name);
    END LOOP;
END $$;
