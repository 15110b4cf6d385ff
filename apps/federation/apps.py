from django.apps import AppConfig

from dotmac.core import participants, permissions
from dotmac.core.personal import Keeper


class FederationConfig(AppConfig):
    name = "apps.federation"
    label = "federation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.federation import operations, selectors

        participants.register(
            "identity.customer",
            participants.Participant(
                app="federation",
                keeper=Keeper(export=selectors.held_of, erase=operations.forget_people),
            ),
        )
        permissions.declare(
            "federation",
            view_connection="See through which identity providers people come in.",
            create_connection="Add identity providers.",
            change_connection="Change identity providers.",
            check_connection="Test whether an identity provider answers.",
            switch_connection="Switch identity providers on and off.",
            map_role="Say which group of a provider gives which role.",
            unlink_person="Forget who somebody is at a provider.",
            view_application="See which tools let people in by DotMac.",
            register_application="Register tools that let people in by DotMac.",
            change_application="Change registered tools.",
            switch_application="Switch registered tools on and off.",
            renew_application_secret="Make a new secret for a registered tool.",  # noqa: S106  # nosec B106
        )
        changing = (
            "create_connection",
            "change_connection",
            "switch_connection",
            "map_role",
            "unlink_person",
            "register_application",
            "change_application",
            "switch_application",
            "renew_application_secret",
        )
        permissions.declare_dangerous("federation", *changing)
        permissions.declare_whole(
            "federation",
            "view_connection",
            "check_connection",
            "view_application",
            *changing,
        )
