"""Provisioning jobs: what waits, what runs, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import operations, selectors
from apps.catalog.console.states import job_state, shown_step
from apps.catalog.enums import ProvisioningState
from apps.catalog.models import ProvisioningJob
from apps.catalog.models.provisioning import UNFINISHED
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    ChoiceFilter,
    Column,
    DetailScreen,
    Fact,
    ListScreen,
    Page,
    Panel,
    State,
    StepsPanel,
    Tab,
    detail_url,
    register_screen,
)

_WAITING = (ProvisioningState.QUEUED, ProvisioningState.RUNNING)


@register_screen
class ProvisioningList(ListScreen):
    slug = "provisioning"
    title = gettext_lazy("Provisioning")
    permission = "catalog.view_service"
    icon = "plug-connected"
    menu = "customers"
    menu_order = 30
    poll_s = 5
    empty = gettext_lazy("No job yet. Provisioning a service makes one.")
    columns = (
        Column(gettext_lazy("Job"), "pk", "code"),
        Column(
            gettext_lazy("Service"),
            "service.reference",
            to="services",
            to_id="service_id",
        ),
        Column(gettext_lazy("Customer"), "service.customer.name", phone=False),
        Column(gettext_lazy("Plan"), "service.plan.name", phone=False),
        Column(
            gettext_lazy("State"),
            "state",
            "state",
            why=lambda job: job_state(job).why,
        ),
        Column(gettext_lazy("Progress"), "job.percent", "progress"),
        Column(gettext_lazy("By"), "job.actor_label", phone=False),
        Column(gettext_lazy("Since"), "created_at", "datetime", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=ProvisioningState.choices
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[ProvisioningJob]:
        return selectors.provisioning_jobs_visible_to(actor, permission)


def _retry(job: ProvisioningJob, data: dict[str, Any], page: Page) -> str:
    operations.retry_provisioning(job_id=job.pk, actor=page.actor, now=page.now)
    return _("It goes on from the step that failed.")


def _give_up(job: ProvisioningJob, data: dict[str, Any], page: Page) -> str:
    operations.cancel_provisioning(job_id=job.pk, actor=page.actor, now=page.now)
    return _("What was done is undone. The service waits again.")


@register_screen
class ProvisioningDetail(DetailScreen):
    slug = "provisioning"
    title = gettext_lazy("Provisioning")
    permission = "catalog.view_service"
    icon = "plug-connected"
    tabs = (Tab(slug="steps", label=gettext_lazy("Steps"), build="steps"),)
    actions = (
        Action(
            slug="retry",
            label=gettext_lazy("Retry"),
            permission="catalog.provision_service",
            icon="refresh",
            tone="primary",
            shown=lambda job: job.state == ProvisioningState.FAILED,
            run=_retry,
            order=10,
        ),
        Action(
            slug="give-up",
            label=gettext_lazy("Give up"),
            permission="catalog.provision_service",
            icon="arrow-back-up",
            confirm=gettext_lazy(
                "The access account closes, its address is released, and the service "
                "waits again with its login and password."
            ),
            shown=lambda job: job.state in UNFINISHED,
            run=_give_up,
            order=20,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[ProvisioningJob]:
        return selectors.provisioning_jobs_visible_to(actor, permission)

    def heading(self, row: ProvisioningJob) -> str:
        return _("Provisioning of %s") % row.service.reference

    def subheading(self, row: ProvisioningJob, page: Page) -> str:
        return f"{row.service.customer.name} · {row.service.plan.name}"

    def state(self, row: ProvisioningJob, page: Page) -> State:
        return job_state(row)

    def polls(self, row: ProvisioningJob) -> int:
        return 2 if row.state in _WAITING else 0

    def facts(self, row: ProvisioningJob, page: Page) -> Sequence[Fact]:
        job_url = detail_url("jobs", row.job_id) if page.may("ops.view_job") else ""
        return [
            Fact(
                _("Service"),
                row.service.reference,
                url=detail_url("services", row.service_id),
            ),
            Fact(_("Watched as"), str(row.job), url=job_url),
            Fact(_("Asked for by"), row.job.actor_label),
            Fact(_("Since"), row.created_at, "datetime"),
            Fact(_("Ended"), row.finished_at, "datetime"),
        ]

    def steps(self, row: ProvisioningJob, page: Page) -> Sequence[Panel]:
        steps = selectors.steps_of(row.pk)
        return [
            StepsPanel(title=_("Steps"), steps=[shown_step(step) for step in steps])
        ]
