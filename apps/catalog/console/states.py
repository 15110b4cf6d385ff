"""States of services and steps in words, each with its why."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.catalog.enums import StepName
from apps.catalog.models import PlanPrice, ProvisioningJob, ProvisioningStep
from apps.catalog.selectors import ServiceView
from dotmac.core.console import State, Step, state_of
from dotmac.core.money import Money

_STEP_STATES = {
    "waiting": State(_("Waiting"), "quiet", "clock"),
    "skipped": State(_("Not needed"), "quiet", "circle-minus"),
    "undone": State(_("Undone"), "quiet", "circle-off"),
}


def service_state(view: ServiceView) -> State:
    """The badge of a service, with everything that explains it."""
    return state_of(view.state, service_why(view))


def service_why(view: ServiceView) -> str:
    """Every open hold in the order in which they came, or what is being waited for."""
    if view.state == "pending":
        return _("It waits to be provisioned.")
    if view.state == "provisioning":
        return _("See its steps under Provisioning.")
    reasons = [
        _("%(reason)s: %(effect)s since %(since)s.")
        % {
            "reason": hold.note or hold.reason.replace("_", " "),
            "effect": hold.effect.replace("_", " "),
            "since": f"{hold.placed_at:%Y-%m-%d}",
        }
        for hold in view.holds
    ]
    if view.state == "walled_garden" and not reasons and view.expires_at:
        reasons.append(_("Paid until %s.") % f"{view.expires_at:%Y-%m-%d %H:%M}")
    return " ".join(reasons)


def shown_step(step: ProvisioningStep) -> Step:
    """A step with its answer, as the panel of steps shows it."""
    return Step(
        name=StepName(step.name).label,
        state=_STEP_STATES.get(step.state) or state_of(step.state),
        answer=step.answer,
        started_at=step.started_at,
        finished_at=step.finished_at,
        attempts=step.attempts,
    )


def job_state(job: ProvisioningJob) -> State:
    """The badge of a provisioning job, with what it failed on."""
    return state_of(job.state, job.job.error if job.state == "failed" else "")


def price_text(price: PlanPrice) -> str:
    """15,000.00 NGN, with all digits where a price has more than its currency."""
    rounded = Money.rounded(price.amount, price.currency)
    if rounded.amount == price.amount:
        return str(rounded)
    return f"{price.amount.normalize():f} {price.currency}"
