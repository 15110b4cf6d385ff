"""Showing a subscriber's password, which is never done unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.catalog.enums import ServiceState
from apps.catalog.errors import ServiceNotActive, UnknownService
from apps.catalog.models import Service
from apps.network import selectors as network
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.models import open_sealed
from dotmac.core.refs import SubjectRef


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the customer types into the router."""

    login: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(login={self.login!r}, password=***)"


@transaction.atomic
def reveal_credentials(*, service_id: int, actor: Actor, now: datetime) -> Credentials:
    """Login and password in clear; the audit log keeps who looked and when.

    Refused for a service that has ended: its password opens nothing any more.
    """
    service = Service.objects.filter(pk=service_id).first()
    if service is None:
        raise UnknownService
    if service.state == ServiceState.TERMINATED:
        raise ServiceNotActive(state=service.state)

    ops.record(
        action="catalog.service.credentials_revealed",
        subject=SubjectRef("catalog", "service", service.pk, service.reference),
        actor=actor,
        now=now,
        customer_id=service.customer_id,
    )
    if service.access_id is not None:
        account = network.account_view(service.access_id)
        return Credentials(account.login, network.account_secret(service.access_id))
    return Credentials(service.login or "", open_sealed(service, "password"))
