"""Payments under way and dunning. Beat asks; a repeat is harmless."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from apps.billing import operations
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import system_actor

log = structlog.get_logger(__name__)


@shared_task(name="billing.verify_pending_payments", acks_late=True, time_limit=600)
def verify_pending_payments(**_later: object) -> int:
    """Ask gateways about payments whose answer is due, a bounded batch."""
    return operations.verify_pending_payments(now=timezone.now())


@shared_task(name="billing.run_dunning", acks_late=True, time_limit=3600)
def run_dunning(**_later: object) -> dict[str, object]:
    """Judge everybody for the business date. Hourly, so that policies' hours count."""
    now = timezone.now()
    report = operations.run_dunning(
        day=ops_selectors.business_date(now=now), actor=system_actor("beat"), now=now
    )
    log.info(
        "dunning_ran",
        day=str(report.day),
        looked_at=report.looked_at,
        reminded=report.reminded,
        cut_off=report.cut_off,
        reconnected=report.reconnected,
        refused=report.refused,
    )
    return {"looked_at": report.looked_at, "refused": report.refused}
