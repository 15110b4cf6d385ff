"""What Celery and beat ask of catalog."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.catalog import operations, selectors
from dotmac.core.actors import system_actor


@shared_task(name="catalog.run_provisioning", time_limit=120)
def run_provisioning(*, job_id: int, **_later: object) -> None:
    """Carry one job as far as it goes now. A repeat is harmless."""
    operations.carry_provisioning(
        job_id=job_id, actor=system_actor("provisioning"), clock=timezone.now
    )


@shared_task(name="catalog.resume_provisioning", time_limit=60)
def resume_provisioning(**_later: object) -> int:
    """Take up jobs whose worker died or whose wait is over; drop stale failures."""
    now = timezone.now()
    due = selectors.due_provisioning_jobs(now=now)
    for job_id in due:
        run_provisioning.delay(job_id=job_id)
    operations.cancel_stale_provisioning(actor=system_actor("provisioning"), now=now)
    return len(due)
