from django.apps import AppConfig

from dotmac.core import invariants, participants, permissions
from dotmac.core.merging import Mover
from dotmac.core.personal import Keeper


class CatalogConfig(AppConfig):
    name = "apps.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.catalog import (
            handlers,  # noqa: F401 - registers what listens
            operations,
            selectors,
        )

        permissions.declare(
            "catalog",
            view_plan="See plans and prices.",
            manage_plan="Create plans, set their prices and retire them.",
            view_order="See orders.",
            view_service="See services, their state and their sessions.",
            order_service="Order a service for a customer.",
            provision_service="Put a service on the network, retry or give up.",
            suspend_service="Suspend, wall in or slow down a service.",
            resume_service="Lift a hold of a service.",
            extend_service="Extend a prepaid service.",
            terminate_service="End a service for good.",
            reveal_credentials="See the password of a service; each look is recorded.",
        )
        permissions.declare_dangerous("catalog", "reveal_credentials")
        permissions.declare_whole("catalog", "manage_plan")
        participants.register_reach("network.account", selectors.account_ids_visible_to)
        invariants.register(*selectors.INVARIANTS)
        participants.register(
            "identity.customer",
            participants.Participant(
                app="catalog",
                can_close=selectors.objections_to_close_customer,
                can_delete=selectors.objections_to_delete_customer,
                timeline=selectors.TIMELINE,
                keeper=Keeper(
                    export=selectors.held_of,
                    objections=selectors.objections_to_close_customer,
                    erase=operations.erase_services,
                ),
                mover=Mover(
                    objections=operations.objections_to_merge,
                    move=operations.move_services,
                    give_back=operations.give_back_services,
                ),
            ),
        )
