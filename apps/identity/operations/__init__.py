"""What identity does, in the order of the life of things."""

from apps.identity.operations.access_rules import (
    change_rule,
    create_rule,
    delete_rule,
    set_rule_state,
)
from apps.identity.operations.api_keys import (
    NewApiKey,
    count_key_use,
    create_api_key,
    revoke_api_key,
)
from apps.identity.operations.customers import (
    change_customer,
    delete_customer,
    register_customer,
)
from apps.identity.operations.decisions import forget_decisions, record_decisions
from apps.identity.operations.documents import (
    DOCUMENT_BYTES_MAX,
    OpenedDocument,
    add_document,
    change_document,
    open_document,
    remove_document,
)
from apps.identity.operations.emails import confirm_email, request_email
from apps.identity.operations.enrolment import (
    InvitationLink,
    accept_invitation,
    confirm_totp,
    enrol_totp,
    invite_staff,
    reset_mfa,
)
from apps.identity.operations.erasure import erase_customer, erase_identity
from apps.identity.operations.exports import (
    OpenedExport,
    forget_exports,
    make_next_export,
    open_export,
    request_export,
)
from apps.identity.operations.family import set_parent
from apps.identity.operations.federated import (
    begin_federated_session,
    create_federated_member,
    create_federated_staff,
    hold_people,
)
from apps.identity.operations.fields import (
    archive_field,
    change_field,
    change_tag,
    define_field,
    make_tag,
    remove_tag,
)
from apps.identity.operations.grants import (
    grant_on_customer,
    grant_on_unit,
    revoke_on_customer,
    revoke_on_unit,
)
from apps.identity.operations.guessing import Attempt
from apps.identity.operations.joining import (
    accept_account_invitation,
    accept_portal_invitation,
)
from apps.identity.operations.lifecycle import (
    activate_customer,
    close_customer,
    qualify_customer,
    reopen_customer,
    rest_customer,
)
from apps.identity.operations.links import MadeLink
from apps.identity.operations.looks import begin_look, end_look, end_looks
from apps.identity.operations.members import (
    InvitedMember,
    change_member,
    invite_member,
    remove_member,
)
from apps.identity.operations.merging import merge_customers, undo_merge
from apps.identity.operations.moving import give_back_identity, move_identity
from apps.identity.operations.notes import edit_note, remove_note, write_note
from apps.identity.operations.own_roles import (
    change_role,
    create_role,
    delete_role,
)
from apps.identity.operations.own_security import (
    begin_totp,
    change_password,
    remove_totp,
    replace_totp,
    require_proof,
)
from apps.identity.operations.passkeys import (
    Asked,
    add_passkey,
    ask_for_new_passkey,
    ask_for_passkey,
    confirm_with_passkey,
    remove_passkey,
    rename_passkey,
    sign_in_with_passkey,
)
from apps.identity.operations.places import (
    add_contact,
    add_location,
    change_contact,
    change_location,
    check_serviceability,
    copy_location,
    remove_contact,
    remove_location,
)
from apps.identity.operations.portal_users import (
    create_portal_user,
    set_portal_password,
)
from apps.identity.operations.profiles import rename_user
from apps.identity.operations.recovery import make_recovery_codes
from apps.identity.operations.resets import (
    answer_reset_requests,
    forget_resets,
    request_reset,
    reset_password,
)
from apps.identity.operations.roles import (
    assign_role,
    sync_roles,
    unassign_role,
)
from apps.identity.operations.rule_steps import (
    approve_rule_step,
    ask_rule_step,
    decline_rule_step,
    withdraw_rule_step,
)
from apps.identity.operations.sessions import (
    Tokens,
    end_other_sessions,
    end_own_session,
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
from apps.identity.operations.step_up import step_up
from apps.identity.operations.tagging import set_tags, tag_customers
from apps.identity.operations.totp import Enrolment
from apps.identity.operations.units import change_unit, create_unit

__all__ = [
    "DOCUMENT_BYTES_MAX",
    "Asked",
    "Attempt",
    "Enrolment",
    "InvitationLink",
    "InvitedMember",
    "MadeLink",
    "NewApiKey",
    "OpenedDocument",
    "OpenedExport",
    "SignedIn",
    "Tokens",
    "accept_account_invitation",
    "accept_invitation",
    "accept_portal_invitation",
    "activate_customer",
    "add_contact",
    "add_document",
    "add_location",
    "add_passkey",
    "answer_reset_requests",
    "approve_rule_step",
    "archive_field",
    "ask_for_new_passkey",
    "ask_for_passkey",
    "ask_rule_step",
    "assign_role",
    "begin_federated_session",
    "begin_look",
    "begin_totp",
    "change_contact",
    "change_customer",
    "change_document",
    "change_field",
    "change_location",
    "change_member",
    "change_password",
    "change_role",
    "change_rule",
    "change_tag",
    "change_unit",
    "check_serviceability",
    "close_customer",
    "confirm_code",
    "confirm_email",
    "confirm_totp",
    "confirm_with_passkey",
    "copy_location",
    "count_key_use",
    "create_api_key",
    "create_federated_member",
    "create_federated_staff",
    "create_portal_user",
    "create_role",
    "create_rule",
    "create_staff",
    "create_unit",
    "deactivate_user",
    "decline_rule_step",
    "define_field",
    "delete_customer",
    "delete_role",
    "delete_rule",
    "edit_note",
    "end_look",
    "end_looks",
    "end_other_sessions",
    "end_own_session",
    "end_session",
    "enrol_totp",
    "erase_customer",
    "erase_identity",
    "forget_decisions",
    "forget_exports",
    "forget_resets",
    "forget_sessions",
    "give_back_identity",
    "grant_on_customer",
    "grant_on_unit",
    "hold_people",
    "invite_member",
    "invite_staff",
    "make_next_export",
    "make_recovery_codes",
    "make_tag",
    "merge_customers",
    "move_identity",
    "open_document",
    "open_export",
    "qualify_customer",
    "reactivate_user",
    "record_decisions",
    "refresh_tokens",
    "register_customer",
    "remove_contact",
    "remove_document",
    "remove_location",
    "remove_member",
    "remove_note",
    "remove_passkey",
    "remove_tag",
    "remove_totp",
    "rename_passkey",
    "rename_user",
    "reopen_customer",
    "replace_totp",
    "request_email",
    "request_export",
    "request_reset",
    "require_proof",
    "reset_mfa",
    "reset_password",
    "rest_customer",
    "revoke_api_key",
    "revoke_on_customer",
    "revoke_on_unit",
    "set_parent",
    "set_portal_password",
    "set_rule_state",
    "set_tags",
    "sign_in",
    "sign_in_with_passkey",
    "sign_out",
    "step_up",
    "sync_roles",
    "tag_customers",
    "touch_session",
    "unassign_role",
    "undo_merge",
    "withdraw_rule_step",
    "write_note",
]
