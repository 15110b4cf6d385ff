"""What identity does, in the order of the life of things."""

from apps.identity.operations.customers import (
    change_customer,
    delete_customer,
    register_customer,
)
from apps.identity.operations.enrolment import (
    Enrolment,
    InvitationLink,
    accept_invitation,
    confirm_totp,
    enrol_totp,
    invite_staff,
    reset_mfa,
)
from apps.identity.operations.family import set_parent
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
from apps.identity.operations.lifecycle import (
    activate_customer,
    close_customer,
    qualify_customer,
    reopen_customer,
    rest_customer,
)
from apps.identity.operations.looks import begin_look, end_look, end_looks
from apps.identity.operations.notes import edit_note, remove_note, write_note
from apps.identity.operations.places import (
    add_contact,
    add_location,
    change_contact,
    change_location,
    check_serviceability,
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
from apps.identity.operations.tagging import set_tags, tag_customers

__all__ = [
    "Enrolment",
    "InvitationLink",
    "SignedIn",
    "Tokens",
    "accept_invitation",
    "activate_customer",
    "add_contact",
    "add_location",
    "archive_field",
    "assign_role",
    "begin_look",
    "change_contact",
    "change_customer",
    "change_field",
    "change_location",
    "change_tag",
    "check_serviceability",
    "close_customer",
    "confirm_code",
    "confirm_totp",
    "create_portal_user",
    "create_staff",
    "create_unit",
    "deactivate_user",
    "define_field",
    "delete_customer",
    "edit_note",
    "end_look",
    "end_looks",
    "end_session",
    "enrol_totp",
    "forget_sessions",
    "grant_on_customer",
    "grant_on_unit",
    "invite_staff",
    "make_tag",
    "qualify_customer",
    "reactivate_user",
    "refresh_tokens",
    "register_customer",
    "remove_contact",
    "remove_location",
    "remove_note",
    "remove_tag",
    "reopen_customer",
    "reset_mfa",
    "rest_customer",
    "revoke_on_customer",
    "revoke_on_unit",
    "set_parent",
    "set_portal_password",
    "set_tags",
    "sign_in",
    "sign_out",
    "sync_roles",
    "tag_customers",
    "touch_session",
    "unassign_role",
    "write_note",
]
