-- What a person holds and the rules of the moment, in one call. A function, so that
-- PostgreSQL keeps the plans of its statements: planning them anew cost more than
-- running them. STABLE, so that all of them see the snapshot of the calling statement.
--
-- `held` is what the person holds as JSON:
--   roles      [slug, [unit], [permission]] of each role held
--   units      [permission, [unit]] of the grants on units
--   customers  [permission, its key] of the grants on customers, which stay in their rows
--   members    [rights, [customer]] of a portal user
--   below      [unit, [the unit and all below it]]; null below the operator: everything
-- `rules` holds [slug, effect, [permission], expression, state, why] of each rule that
-- is on or on trial, in a text of its own, since it is the same for everybody.
CREATE OR REPLACE FUNCTION identity_rights(
    p_user bigint, p_staff boolean, p_depth integer, OUT held text, OUT rules text
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_roles json;
    v_units json;
    v_customers json;
    v_members json;
    v_below json;
    v_roots bigint[];
BEGIN
    SELECT json_agg(json_build_array(slug, effect, permissions, expression, state, why))
      INTO rules
      FROM identity_accessrule WHERE state IN ('on', 'trial');
    IF NOT p_staff THEN
        SELECT json_agg(json_build_array(member.rights, member.customers)) INTO v_members
          FROM (SELECT rights, array_agg(customer_id) AS customers
                  FROM identity_membership WHERE user_id = p_user GROUP BY rights) member;
        held := json_build_object('members', v_members);
        RETURN;
    END IF;

    SELECT json_agg(json_build_array(role.slug, assigned.units, ARRAY(
               SELECT permission FROM identity_rolepermission
                WHERE role_id = role.id)))
      INTO v_roles
      FROM (SELECT role_id, array_agg(unit_id) AS units
              FROM identity_roleassignment WHERE user_id = p_user GROUP BY role_id) assigned
      JOIN identity_role role ON role.id = assigned.role_id;
    SELECT json_agg(json_build_array(permission.codename, granted.units)) INTO v_units
      FROM (SELECT permission_id, array_agg(content_object_id) AS units
              FROM identity_unitgrant WHERE user_id = p_user
             GROUP BY permission_id) granted
      JOIN auth_permission permission ON permission.id = granted.permission_id;
    -- One step in the index for each permission, however many customers it is held on.
    WITH RECURSIVE granted (permission_id) AS (
        (SELECT permission_id FROM identity_customergrant WHERE user_id = p_user
          ORDER BY permission_id LIMIT 1)
        UNION ALL
        SELECT (SELECT later.permission_id FROM identity_customergrant later
                 WHERE later.user_id = p_user
                   AND later.permission_id > granted.permission_id
                 ORDER BY later.permission_id LIMIT 1)
          FROM granted WHERE granted.permission_id IS NOT NULL)
    SELECT json_agg(json_build_array(permission.codename, permission.id))
      INTO v_customers
      FROM granted JOIN auth_permission permission ON permission.id = granted.permission_id;

    v_roots := ARRAY(
        SELECT unit_id FROM identity_roleassignment WHERE user_id = p_user
        UNION
        SELECT content_object_id FROM identity_unitgrant WHERE user_id = p_user);
    WITH RECURSIVE tree (root, id, depth) AS (
        SELECT unit.id, unit.id, 0 FROM identity_organisationunit unit
         WHERE unit.id = ANY (v_roots) AND unit.kind <> 'operator'
        UNION ALL
        SELECT tree.root, unit.id, tree.depth + 1
          FROM tree JOIN identity_organisationunit unit ON unit.parent_id = tree.id
         WHERE tree.depth < p_depth)
    SELECT json_agg(json_build_array(found.root, found.ids)) INTO v_below
      FROM (SELECT root, array_agg(id) AS ids FROM tree GROUP BY root
            UNION ALL
            SELECT id, NULL FROM identity_organisationunit
             WHERE id = ANY (v_roots) AND kind = 'operator') found;
    held := json_build_object('roles', v_roles, 'units', v_units,
                              'customers', v_customers, 'below', v_below);
END
$$;

-- Who came in, and what he holds: all that a request asks before its view. `session`
-- is the session with its user while both may still be used, as one JSON array in the
-- order that `selectors.actors` names, null otherwise; rights only of a sign-in that
-- went through to its end.
CREATE FUNCTION identity_live_session(
    p_session bigint, p_now timestamptz, p_depth integer,
    OUT session text, OUT held text, OUT rules text
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_user bigint;
    v_staff boolean;
    v_stage text;
BEGIN
    SELECT json_build_array(
               opened.id, opened.created_at, opened.updated_at, opened.user_id,
               opened.face, opened.stage, opened.address, opened.device,
               opened.started_at, opened.seen_at, opened.idle_until_at,
               opened.expires_at, opened.mfa_at, opened.ended_at,
               opened.end_reason, person.id, person.created_at, person.updated_at,
               person.username, person.email, person.name, person.kind,
               person.is_active, person.is_superuser),
           person.id, person.kind = 'staff', opened.stage
      INTO session, v_user, v_staff, v_stage
      FROM identity_session opened JOIN identity_user person ON person.id = opened.user_id
     WHERE opened.id = p_session AND opened.ended_at IS NULL AND person.is_active
       AND opened.expires_at > p_now AND opened.idle_until_at > p_now;
    IF v_stage = 'full' THEN
        SELECT found.held, found.rules INTO held, rules
          FROM identity_rights(v_user, v_staff, p_depth) found;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION identity_live_session(bigint, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_live_session(bigint, timestamptz, integer)
   TO {app_role};
