"""What of catalog needs a person, and what a new installation does first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.catalog import selectors
from apps.catalog.enums import ProvisioningState, ServiceState
from dotmac.core.console import (
    HomeContribution,
    HomeNeed,
    Page,
    list_url,
    register_home,
)

COUNT_MAX = 100


def _count(rows: Any) -> int:
    found: int = rows[:COUNT_MAX].count()
    return found


def _needs(page: Page) -> Sequence[HomeNeed]:
    jobs = selectors.provisioning_jobs_visible_to(page.actor, "catalog.view_service")
    services = selectors.services_visible_to(page.actor, "catalog.view_service")
    return [
        HomeNeed(
            label=_("Provisioning jobs failed"),
            count=_count(jobs.filter(state=ProvisioningState.FAILED)),
            url=list_url("provisioning", state=ProvisioningState.FAILED),
            tone="bad",
            icon="plug-connected-x",
            detail=_("Nobody retried them: after a day they are undone."),
        ),
        HomeNeed(
            label=_("Services wait to be provisioned"),
            count=_count(services.filter(state=ServiceState.PENDING)),
            url=list_url("services", state=ServiceState.PENDING),
            icon="router",
        ),
    ]


def _first_steps(page: Page) -> list[tuple[Any, str, bool]]:
    if not page.may("catalog.manage_plan"):
        return []
    has_plan = selectors.plans().exists()
    return [(_("Create a plan and set its price"), list_url("plans/new"), has_plan)]


register_home(
    HomeContribution(
        app="catalog",
        permission="catalog.view_service",
        order=20,
        needs=_needs,
        first_steps=_first_steps,
    )
)
