"""What must always be true of identity's tables."""

from dotmac.core.invariants import Invariant

INVARIANTS = (
    Invariant(
        name="identity.one_operator",
        says="There is exactly one operator at the root of the units.",
        sql="""SELECT count(*) AS operators FROM identity_organisationunit
                WHERE kind = 'operator' HAVING count(*) <> 1""",
    ),
    Invariant(
        name="identity.units_reach_the_operator",
        says="Every unit hangs below the operator.",
        sql="""WITH RECURSIVE tree (id) AS (
                   SELECT id FROM identity_organisationunit WHERE parent_id IS NULL
                   UNION
                   SELECT unit.id FROM identity_organisationunit unit
                     JOIN tree ON unit.parent_id = tree.id)
               SELECT id, name FROM identity_organisationunit
                WHERE id NOT IN (SELECT id FROM tree)""",
    ),
    Invariant(
        name="identity.reference_is_of_its_row",
        says="A customer's reference is made of its own number.",
        sql="""SELECT id, reference FROM identity_customer
                WHERE reference <> 'C-' || lpad(id::text,
                      greatest(6, length(id::text)), '0')""",
    ),
    Invariant(
        name="identity.owner_remains",
        says="Where there is staff, an active owner of the operator remains.",
        sql="""SELECT count(*) AS staff FROM identity_user
                WHERE kind = 'staff' AND is_active AND NOT EXISTS (
                      SELECT 1 FROM identity_roleassignment held
                        JOIN identity_role role ON role.id = held.role_id
                        JOIN identity_organisationunit unit ON unit.id = held.unit_id
                        JOIN identity_user owner ON owner.id = held.user_id
                       WHERE role.slug = 'owner' AND unit.kind = 'operator'
                         AND owner.is_active)
               HAVING count(*) > 0""",
    ),
    Invariant(
        name="identity.roles_are_staff",
        says="Only staff hold roles and grants; only customers hold memberships.",
        sql="""SELECT person.id, person.username FROM identity_user person
                WHERE (person.kind <> 'staff' AND (
                       EXISTS (SELECT 1 FROM identity_roleassignment held
                                WHERE held.user_id = person.id)
                    OR EXISTS (SELECT 1 FROM identity_unitgrant held
                                WHERE held.user_id = person.id)
                    OR EXISTS (SELECT 1 FROM identity_customergrant held
                                WHERE held.user_id = person.id)))
                   OR (person.kind <> 'customer' AND EXISTS (
                       SELECT 1 FROM identity_membership member
                        WHERE member.user_id = person.id))""",
    ),
    Invariant(
        name="identity.portal_users_act_for_somebody",
        says="A sign-in of the portal acts for a customer, or is gone with the last.",
        sql="""SELECT person.id, person.username FROM identity_user person
                WHERE person.kind = 'customer' AND NOT EXISTS (
                      SELECT 1 FROM identity_membership member
                       WHERE member.user_id = person.id)""",
    ),
    Invariant(
        name="identity.recovery_codes_stand_beside_a_factor",
        says="Recovery codes that work belong to people with a second factor.",
        sql="""SELECT DISTINCT code.user_id FROM identity_recoverycode code
                WHERE code.used_at IS NULL
                  AND NOT EXISTS (SELECT 1 FROM identity_totpdevice device
                                   WHERE device.user_id = code.user_id
                                     AND device.confirmed)
                  AND NOT EXISTS (SELECT 1 FROM identity_passkey passkey
                                   WHERE passkey.user_id = code.user_id)""",
    ),
    Invariant(
        name="identity.api_keys_are_staff",
        says="Only members of staff have API keys that work.",
        sql="""SELECT key.id, person.username FROM identity_apikey key
                 JOIN identity_user person ON person.id = key.user_id
                WHERE key.revoked_at IS NULL AND person.kind <> 'staff'""",
    ),
    Invariant(
        name="identity.rules_on_were_approved",
        says="What switched a rule on was approved by another, or is marked alone.",
        sql="""SELECT rule.id, rule.slug FROM identity_accessrule rule
                WHERE rule.state = 'on' AND NOT EXISTS (
                      SELECT 1 FROM identity_accessrulestep step
                       WHERE step.rule_id = rule.id AND step.step = 'switch_on'
                         AND step.outcome = 'approved'
                         AND (step.alone OR step.asked_by_id IS NULL
                              OR step.asked_by_id <> step.decided_by_id))""",
    ),
    Invariant(
        name="identity.own_roles_name_permissions",
        says="A role holds permissions of the catalogue's form, never roles.",
        sql="""SELECT id, permission FROM identity_rolepermission
                WHERE permission !~ '^[a-z_]+[.][a-z_]+$'""",
    ),
    Invariant(
        name="identity.staff_sessions_have_mfa",
        says="No session of staff works without a one-time code.",
        sql="""SELECT session.id, person.username FROM identity_session session
                 JOIN identity_user person ON person.id = session.user_id
                WHERE person.kind = 'staff' AND session.stage = 'full'
                  AND session.mfa_at IS NULL""",
    ),
)
