"""Catalog's part in forgetting a person."""

from __future__ import annotations

from datetime import datetime

from apps.catalog.enums import ServiceState
from apps.catalog.models import ProvisioningStep, Service
from apps.catalog.selectors.personal import account_ids_of
from apps.network import operations as network
from dotmac.core.actors import Actor


def erase_services(customer_id: int, actor: Actor, now: datetime) -> None:
    """Services stay as history of what was sold; who signed in with them goes."""
    ended = Service.objects.filter(
        customer_id=customer_id, state=ServiceState.TERMINATED
    )
    ended.update(password=None)
    # They name the login: "Account c000123 is open."
    steps = ProvisioningStep.objects.filter(job__service__customer_id=customer_id)
    steps.exclude(answer="").update(answer="")
    network.forget_accounts(
        account_ids=account_ids_of(customer_id), actor=actor, now=now
    )
