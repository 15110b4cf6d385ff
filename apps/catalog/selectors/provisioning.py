"""Provisioning as staff watch it, and what waits for a worker."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from apps.catalog.models import ProvisioningJob, ProvisioningStep
from apps.catalog.selectors.services import services_visible_to
from dotmac.core.actors import Actor

DUE_MAX = 200


def provisioning_jobs_visible_to(
    actor: Actor, permission: str
) -> QuerySet[ProvisioningJob]:
    """The jobs of the services that the permission reaches."""
    rows = ProvisioningJob.objects.select_related(
        "job", "service__customer", "service__plan"
    )
    scope = actor.scope(permission)
    if scope.everything:
        return rows
    if not scope:
        return rows.none()
    services = services_visible_to(actor, permission)
    return rows.filter(service_id__in=services.values("pk"))


def latest_provisioning_of(service_id: int) -> ProvisioningJob | None:
    """The newest job of the service, or None when it never had one."""
    rows = ProvisioningJob.objects.select_related("job", "service")
    return rows.filter(service_id=service_id).order_by("-pk").first()


def provisioning_job(job_id: int) -> ProvisioningJob:
    """The job of a key that some row holds."""
    return ProvisioningJob.objects.select_related("job", "service").get(pk=job_id)


def steps_of(job_id: int) -> list[ProvisioningStep]:
    """The steps of a job, in their order."""
    return list(ProvisioningStep.objects.filter(job_id=job_id).order_by("number"))


def due_provisioning_jobs(*, now: datetime, limit: int = DUE_MAX) -> list[int]:
    """Jobs that no worker carries and whose time has come, the oldest first."""
    rows = ProvisioningJob.objects.claimable(now).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True)[: min(limit, DUE_MAX)])
