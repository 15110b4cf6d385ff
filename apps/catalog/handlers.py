"""What catalog does about events."""

from __future__ import annotations

from functools import partial

from celery import current_app
from django.db import transaction

from apps.catalog.events import ProvisioningQueued
from dotmac.core.events import on


@on(ProvisioningQueued)
def carry_at_once(event: ProvisioningQueued) -> None:
    """Hand the job to a worker now; without Valkey the beat sweep finds it."""
    transaction.on_commit(
        partial(
            current_app.send_task,
            "catalog.run_provisioning",
            kwargs={"job_id": event.job_id},
        )
    )
