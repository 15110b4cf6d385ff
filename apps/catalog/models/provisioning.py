"""How a service gets on the network: a job of named steps."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from apps.catalog.enums import ProvisioningState, StepName, StepState
from dotmac.core.models import Record

UNFINISHED = (
    ProvisioningState.QUEUED,
    ProvisioningState.RUNNING,
    ProvisioningState.FAILED,
)


class ProvisioningJobQuerySet(models.QuerySet["ProvisioningJob"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def claimable(self, now: datetime) -> Self:
        """Jobs that no worker carries: not before their time, lease run out."""
        return self.filter(
            state__in=(ProvisioningState.QUEUED, ProvisioningState.RUNNING),
            due_at__lte=now,
        )


class ProvisioningJob(Record):
    """The way of one service from its order to the network.

    A worker that carries the job holds a lease: `due_at` lies in the future and
    `claim` is the number it was given. When the worker dies the lease runs out
    and another takes a higher number; a late write of the first is refused.
    """

    job = models.OneToOneField("ops.Job", models.PROTECT, related_name="+")
    service = models.ForeignKey("catalog.Service", models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=16, choices=ProvisioningState, default=ProvisioningState.QUEUED
    )
    claim = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ProvisioningJobQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="catalog_provisioningjob_one_unfinished",
                fields=("service",),
                condition=Q(state__in=UNFINISHED),
            ),
            models.CheckConstraint(
                name="catalog_provisioningjob_state_known",
                condition=Q(state__in=ProvisioningState.values),
            ),
        )
        indexes = (
            models.Index(
                name="catalog_provisioningjob_due",
                fields=("due_at",),
                condition=Q(
                    state__in=(ProvisioningState.QUEUED, ProvisioningState.RUNNING)
                ),
            ),
        )

    def __str__(self) -> str:
        return f"provisioning {self.pk} of service {self.service_id}"


class ProvisioningStep(Record):
    """One named, idempotent step of a job, and what it answered last."""

    job = models.ForeignKey(
        ProvisioningJob, models.CASCADE, related_name="+", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=32, choices=StepName)
    state = models.CharField(
        max_length=16, choices=StepState, default=StepState.WAITING
    )
    answer = models.TextField(blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("job", "number"), name="catalog_provisioningstep_number"
            ),
            models.UniqueConstraint(
                fields=("job", "name"), name="catalog_provisioningstep_name"
            ),
            models.CheckConstraint(
                name="catalog_provisioningstep_state_known",
                condition=Q(state__in=StepState.values),
            ),
        )

    def __str__(self) -> str:
        return f"{self.job_id}.{self.number} {self.name}"
