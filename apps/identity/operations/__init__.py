"""What identity does, in the order of the life of things."""

from apps.identity.operations.access_rules import (
    change_rule,
    create_rule,
    delete_rule,
    set_rule_state,
)
from apps.identity.operations.customers import (
    activate_customer,
    change_customer,
    close_customer,
    delete_customer,
    qualify_customer,
    register_customer,
)
from apps.identity.operations.decisions import forget_decisions, record_decisions
from apps.identity.operations.enrolment import (
    Enrolment,
    InvitationLink,
    accept_invitation,
    confirm_totp,
    enrol_totp,
    invite_staff,
    reset_mfa,
)
from apps.identity.operations.grants import (
    grant_on_customer,
    grant_on_unit,
    revoke_on_customer,
    revoke_on_unit,
)
from apps.identity.operations.own_roles import (
    change_role,
    create_role,
    delete_role,
)
from apps.identity.operations.places import (
    add_contact,
    add_location,
    remove_contact,
    remove_location,
)
from apps.identity.operations.portal_users import (
    create_portal_user,
    set_portal_password,
)
from apps.identity.operations.roles import (
    assign_role,
    create_unit,
    sync_roles,
    unassign_role,
)
from apps.identity.operations.rule_steps import (
    approve_rule_step,
    ask_rule_step,
    decline_rule_step,
)
from apps.identity.operations.sessions import (
    Tokens,
    end_session,
    forget_sessions,
    refresh_tokens,
    sign_out,
    touch_session,
)
from apps.identity.operations.sign_in import SignedIn, confirm_code, sign_in
from apps.identity.operations.staff import (
    create_staff,
    deactivate_user,
    reactivate_user,
)

__all__ = [
    "Enrolment",
    "InvitationLink",
    "SignedIn",
    "Tokens",
    "accept_invitation",
    "activate_customer",
    "add_contact",
    "add_location",
    "approve_rule_step",
    "ask_rule_step",
    "assign_role",
    "change_customer",
    "change_role",
    "change_rule",
    "close_customer",
    "confirm_code",
    "confirm_totp",
    "create_portal_user",
    "create_role",
    "create_rule",
    "create_staff",
    "create_unit",
    "deactivate_user",
    "decline_rule_step",
    "delete_customer",
    "delete_role",
    "delete_rule",
    "end_session",
    "enrol_totp",
    "forget_decisions",
    "forget_sessions",
    "grant_on_customer",
    "grant_on_unit",
    "invite_staff",
    "qualify_customer",
    "reactivate_user",
    "record_decisions",
    "refresh_tokens",
    "register_customer",
    "remove_contact",
    "remove_location",
    "reset_mfa",
    "revoke_on_customer",
    "revoke_on_unit",
    "set_portal_password",
    "set_rule_state",
    "sign_in",
    "sign_out",
    "sync_roles",
    "touch_session",
    "unassign_role",
]
