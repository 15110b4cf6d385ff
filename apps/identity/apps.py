from django.apps import AppConfig

from dotmac.core import invariants, letters, participants, permissions
from dotmac.core.merging import Mover
from dotmac.core.personal import Keeper


class IdentityConfig(AppConfig):
    name = "apps.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.identity import operations, selectors
        from apps.identity.selectors.integrity import INVARIANTS
        from apps.identity.selectors.links import INVITATION_KIND, LINK_KIND

        participants.register_unit_lookup(selectors.unit_id_of)
        participants.register(
            "identity.customer",
            participants.Participant(
                app="identity",
                timeline=selectors.TIMELINE,
                keeper=Keeper(
                    export=selectors.held_of, erase=operations.erase_identity
                ),
                mover=Mover(
                    move=operations.move_identity,
                    give_back=operations.give_back_identity,
                ),
            ),
        )
        invariants.register(*INVARIANTS)
        declare_permissions()
        letters.register(LINK_KIND, selectors.fill_link)
        letters.register(INVITATION_KIND, selectors.fill_invitation)


def declare_permissions() -> None:
    """What may be done, by whom it may be held, and what needs a fresh factor."""
    _about_customers()
    _about_staff()
    permissions.declare_own(
        "identity",
        manage_own_access="See the own sign-ins, devices and keys, and end them.",
        change_own_factors="Change the own password and second factors.",
    )
    permissions.declare_dangerous(
        "identity",
        "manage_roles",
        "grant_access",
        "reset_mfa",
        "deactivate_user",
        "set_portal_password",
        "create_api_key",
        "change_own_factors",
        "manage_rules",
        "approve_rule",
        "impersonate_customer",
        "open_export",
        "erase_customer",
    )
    permissions.declare_whole(
        "identity", "view_rule", "manage_rules", "approve_rule", "manage_field"
    )


def _about_customers() -> None:
    permissions.declare(
        "identity",
        view_customer="See customers, their contacts and locations.",
        create_customer="Register customers.",
        change_customer="Change what is known about customers.",
        close_customer="Close customers.",
        reopen_customer="Let closed customers come back.",
        impersonate_customer="See the portal as a customer sees it; told to him.",
        tag_customer="Stick tags to customers and take them away.",
        view_field="See which fields of its own and tags the operator has.",
        manage_field="Define fields and tags of customers.",
        view_timeline="Read a customer's whole history and the notes of staff.",
        write_note="Write, edit and remove notes about customers.",
        view_document="See which documents of customers are kept.",
        open_document="Open customers' documents; each opening is recorded.",
        add_document="Add documents of customers.",
        change_document="Say what documents are and whether customers see them.",
        remove_document="Delete documents of customers.",
        export_customer="Have a copy made of all that is held about a customer.",
        open_export="Download such copies; each download is recorded.",
        merge_customer="Merge duplicates and undo it.",
        erase_customer="Erase customers for good, but for what the law keeps.",
        delete_customer="Delete customers without history.",
        create_portal_user="Give customers a sign-in for the portal.",
        set_portal_password="Set a new password for a customer.",  # noqa: S106  # nosec B106
    )


def _about_staff() -> None:
    permissions.declare(
        "identity",
        view_staff="See members of staff and their roles.",
        create_staff="Add members of staff.",
        invite_staff="Send members of staff a one-time link.",
        deactivate_user="Switch sign-ins off and on.",
        reset_mfa="Reset a colleague's authenticator.",
        manage_roles="Give and take roles.",
        grant_access="Grant single permissions on units and customers.",
        view_sign_in="See the sign-ins of colleagues and customers.",
        end_sign_in="End the sign-ins of colleagues and customers.",
        create_api_key="Make API keys that act in the own name.",
        view_api_key="See the API keys of colleagues.",
        revoke_api_key="Take back the API keys of colleagues.",
        view_unit="See the organisation's units.",
        create_unit="Add branches and resellers.",
        change_unit="Set the time zone of units.",
        view_access="See who may do what, and why.",
        view_rule="See the rules and what was decided.",
        manage_rules="Write rules, try them, and ask to switch them on or off.",
        approve_rule="Approve what a colleague asked for a rule.",
    )
