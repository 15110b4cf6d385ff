from django.apps import AppConfig

from dotmac.core import invariants, participants, permissions


class IdentityConfig(AppConfig):
    name = "apps.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.identity import selectors
        from apps.identity.selectors.integrity import INVARIANTS

        participants.register_unit_lookup(selectors.unit_id_of)
        participants.register(
            "identity.customer",
            participants.Participant(app="identity", timeline=selectors.TIMELINE),
        )
        invariants.register(*INVARIANTS)
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
            delete_customer="Delete customers without history.",
            create_portal_user="Give customers a sign-in for the portal.",
            set_portal_password="Set a new password for a customer.",  # noqa: S106  # nosec B106
            view_staff="See members of staff and their roles.",
            create_staff="Add members of staff.",
            invite_staff="Send members of staff a one-time link.",
            deactivate_user="Switch sign-ins off and on.",
            reset_mfa="Reset a colleague's authenticator.",
            manage_roles="Give and take roles.",
            grant_access="Grant single permissions on units and customers.",
            view_unit="See the organisation's units.",
            create_unit="Add branches and resellers.",
        )
        permissions.declare_dangerous("identity", "impersonate_customer")
