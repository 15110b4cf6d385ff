"""What staff may do to one service: each an operation, each with its permission."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import operations, selectors
from apps.catalog.console.forms import ExtendForm, ResumeForm, SuspendForm
from apps.catalog.enums import PlanBilling, ProvisioningState, ServiceState
from apps.catalog.models import Service
from apps.network import selectors as network
from dotmac.core.console import Action, Done, Page, detail_url


def _is_active(service: Service) -> bool:
    return service.state == ServiceState.ACTIVE


def _job_state(service: Service) -> str:
    if service.state != ServiceState.PROVISIONING:
        return ""
    job = selectors.latest_provisioning_of(service.pk)
    return job.state if job else ""


def _provision(service: Service, data: dict[str, Any], page: Page) -> Done:
    operations.provision_service(service_id=service.pk, actor=page.actor, now=page.now)
    return Done(_("Provisioning has begun."), _steps_url(service))


def _retry(service: Service, data: dict[str, Any], page: Page) -> Done:
    # Asking again for a service whose job failed carries that job on.
    operations.provision_service(service_id=service.pk, actor=page.actor, now=page.now)
    return Done(_("It goes on from the step that failed."), _steps_url(service))


def _give_up(service: Service, data: dict[str, Any], page: Page) -> str:
    job = selectors.latest_provisioning_of(service.pk)
    assert job is not None, "`shown` has seen it."
    operations.cancel_provisioning(job_id=job.pk, actor=page.actor, now=page.now)
    return _("What was done is undone. The service waits again.")


def _steps_url(service: Service) -> str:
    return detail_url("services", service.pk, tab="provisioning")


def _suspend(service: Service, data: dict[str, Any], page: Page) -> str:
    operations.suspend_service(
        service_id=service.pk, **data, actor=page.actor, now=page.now
    )
    return _("The service is held. Running sessions follow in a few seconds.")


def _resume(service: Service, data: dict[str, Any], page: Page) -> str:
    operations.resume_service(
        service_id=service.pk, **data, actor=page.actor, now=page.now
    )
    return _("The hold was lifted. Holds for other reasons stay.")


def _extend(service: Service, data: dict[str, Any], page: Page) -> str:
    operations.extend_service(
        service_id=service.pk, until=data["until"], actor=page.actor, now=page.now
    )
    return _("The service runs until then.")


def _terminate(service: Service, data: dict[str, Any], page: Page) -> str:
    operations.terminate_service(service_id=service.pk, actor=page.actor, now=page.now)
    return _("The service has ended. Its address rests before somebody else gets it.")


PROVISION = Action(
    slug="provision",
    label=gettext_lazy("Provision"),
    permission="catalog.provision_service",
    icon="player-play",
    tone="primary",
    shown=lambda service: service.state == ServiceState.PENDING,
    run=_provision,
    order=10,
)
RETRY = Action(
    slug="retry",
    label=gettext_lazy("Retry"),
    permission="catalog.provision_service",
    icon="refresh",
    tone="primary",
    shown=lambda service: _job_state(service) == ProvisioningState.FAILED,
    run=_retry,
    order=10,
)
GIVE_UP = Action(
    slug="give-up",
    label=gettext_lazy("Give up"),
    permission="catalog.provision_service",
    icon="arrow-back-up",
    confirm=gettext_lazy(
        "The access account closes, its address is released, and the service waits "
        "again with its login and password."
    ),
    shown=lambda service: bool(_job_state(service)),
    run=_give_up,
    order=20,
)
SUSPEND = Action(
    slug="suspend",
    label=gettext_lazy("Suspend"),
    permission="catalog.suspend_service",
    form=SuspendForm,
    icon="player-pause",
    initial=lambda _service, _page: {"reason": "admin", "effect": "reject"},
    shown=_is_active,
    run=_suspend,
    order=30,
)
RESUME = Action(
    slug="resume",
    label=gettext_lazy("Resume"),
    permission="catalog.resume_service",
    form=ResumeForm,
    icon="player-play",
    tone="primary",
    shown=lambda service: _is_active(service)
    and bool(network.open_holds(service.access_id or 0)),
    run=_resume,
    order=20,
)
EXTEND = Action(
    slug="extend",
    label=gettext_lazy("Extend"),
    permission="catalog.extend_service",
    form=ExtendForm,
    icon="calendar-plus",
    shown=lambda service: _is_active(service)
    and service.plan.billing == PlanBilling.PREPAID,
    run=_extend,
    order=40,
)
TERMINATE = Action(
    slug="terminate",
    label=gettext_lazy("Terminate"),
    permission="catalog.terminate_service",
    icon="circle-off",
    tone="danger",
    confirm=gettext_lazy(
        "The service ends for good: its account closes and its address is released."
    ),
    shown=lambda service: service.state != ServiceState.TERMINATED,
    run=_terminate,
    order=90,
)
