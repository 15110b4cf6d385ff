from datetime import datetime

from django.apps import AppConfig

from dotmac.core import denials, invariants, participants, permissions
from dotmac.core.actors import Actor
from dotmac.core.personal import Keeper


def _forget(customer_id: int, actor: Actor, now: datetime) -> None:
    from apps.ops.operations import forget_messages

    forget_messages(customer_id=customer_id, now=now)


class OpsConfig(AppConfig):
    name = "apps.ops"
    label = "ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.ops.operations import record_noted
        from apps.ops.selectors import TIMELINE, held_of
        from apps.ops.sql.invariants import INVARIANTS

        denials.register_recorder(record_noted)
        invariants.register(*INVARIANTS)
        participants.register(
            "identity.customer",
            participants.Participant(
                app="ops",
                timeline=TIMELINE,
                keeper=Keeper(export=held_of, erase=_forget),
            ),
        )
        permissions.declare(
            "ops",
            view_job="See long-running work and its progress.",
            cancel_job="Ask long-running work to stop.",
            view_audit="Read the audit log.",
            view_message="See messages that were sent to people.",
            resend_message="Send a failed message again.",
            view_event="See events and those that are parked.",
            retry_event="Send a parked event again.",
            view_integrity="See the results of the integrity checks.",
            run_integrity="Run the integrity checks now.",
            set_business_date="Move the business date of a demonstration.",
        )
        permissions.declare_whole(
            "ops",
            "view_event",
            "retry_event",
            "view_integrity",
            "run_integrity",
            "set_business_date",
        )
