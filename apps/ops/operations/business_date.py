"""The civil "today" of billing, dunning and expiry by day."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from apps.ops import selectors
from apps.ops.errors import BusinessDateBackwards, BusinessDateFixed
from apps.ops.events import BusinessDateMoved
from apps.ops.models import Installation
from apps.ops.operations.outbox import emit
from dotmac.core.actors import Actor


@transaction.atomic
def set_business_date(*, day: date, actor: Actor, now: datetime) -> date:
    """Move the business date forward. Setting the same day again changes nothing.

    Refused outside demonstration installations and for earlier days. Instants,
    tokens, audit and RADIUS stay real.
    """
    if not settings.DEMO:
        raise BusinessDateFixed
    Installation.objects.get_or_create(pk=1)
    row = Installation.objects.select_for_update(no_key=True).get(pk=1)
    current = selectors.business_date(now=now)
    if day == current:
        return day
    if day < current:
        raise BusinessDateBackwards(f"It is {current} already.", field="date")

    row.business_date = day
    row.store("business_date", now=now)
    emit(
        BusinessDateMoved(occurred_at=now, business_date=day),
        actor=actor,
        changes={"business_date": [current, day]},
    )
    return day
