"""Long work: what runs, what failed, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ops import operations, selectors
from apps.ops.console.subjects import subject_text, subject_url
from apps.ops.enums import JobState
from apps.ops.models import Job
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    ChoiceFilter,
    Column,
    DetailScreen,
    Fact,
    FactsPanel,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TextFilter,
    TextPanel,
    Tile,
    register_screen,
    state_of,
)
from dotmac.core.console.render import duration_text

POLL_S = 3
_STEPS_MIN = 2


def cancel(job: Job, data: dict[str, Any], page: Page) -> str:
    operations.cancel_job(job_id=job.pk, actor=page.actor, now=page.now)
    return _("The job was asked to stop.")


def took(job: Job) -> float | None:
    """Seconds from start to end, None while it runs."""
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()


@register_screen
class JobList(ListScreen):
    slug = "jobs"
    title = gettext_lazy("Jobs")
    permission = "ops.view_job"
    icon = "progress"
    menu = "system"
    menu_order = 10
    poll_s = 5
    empty = gettext_lazy(
        "No job yet. Provisioning a service or a billing run starts one."
    )
    columns = (
        Column(gettext_lazy("Job"), lambda job: f"{job.kind} #{job.pk}"),
        Column(gettext_lazy("About"), subject_text, to=subject_url),
        Column(gettext_lazy("State"), "state", "state", why=lambda job: job.error),
        Column(gettext_lazy("Progress"), "percent", "progress"),
        Column(gettext_lazy("Started by"), "actor_label", phone=False),
        Column(gettext_lazy("Created"), "created_at", "datetime"),
        Column(gettext_lazy("Took"), took, "duration", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=JobState.choices
        ),
        TextFilter(name="kind", label=gettext_lazy("Kind")),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.jobs(actor, permission)


@register_screen
class JobDetail(DetailScreen):
    slug = "jobs"
    title = gettext_lazy("Job")
    permission = "ops.view_job"
    icon = "progress"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)
    actions = (
        Action(
            slug="cancel",
            label=gettext_lazy("Cancel"),
            permission="ops.cancel_job",
            icon="player-stop",
            tone="danger",
            confirm=gettext_lazy(
                "A waiting job ends at once, a running one before its next step."
            ),
            shown=lambda job: not job.is_over,
            run=cancel,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.jobs(actor, permission)

    def heading(self, row: Job) -> str:
        return f"{row.kind} #{row.pk}"

    def subheading(self, row: Job, page: Page) -> str:
        return row.message

    def state(self, row: Job, page: Page) -> State:
        return state_of(row.state, why=row.error.splitlines()[-1] if row.error else "")

    def polls(self, row: Job) -> int:
        return 0 if row.is_over else POLL_S

    def facts(self, row: Job, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("About"), subject_text(row), url=subject_url(row)),
            Fact(_("Started by"), row.actor_label),
            Fact(_("Created"), row.created_at, "datetime"),
        ]

    def tiles(self, row: Job, page: Page) -> Sequence[Tile]:
        tiles = [Tile(label=_("Progress"), value=row.percent, kind="progress")]
        if row.total:
            counts = f"{row.done:,} / {row.total:,}"
            tiles.append(Tile(label=_("Done"), value=counts, why=rate_words(row, page)))
        else:
            tiles.append(Tile(label=_("Time"), value=elapsed_words(row, page.now)))
        return tiles

    def links(self, row: Job, page: Page) -> Sequence[Button]:
        url = subject_url(row)
        return [Button(label=subject_text(row), url=url, icon="link")] if url else []

    def overview(self, row: Job, page: Page) -> Sequence[Panel]:
        panels: list[Panel] = []
        if row.error:
            panels.append(TextPanel(title=_("What went wrong"), text=row.error))
        panels.append(
            FactsPanel(
                title=_("Course"),
                facts=[
                    Fact(_("Started"), row.started_at, "datetime"),
                    Fact(_("Ended"), row.finished_at, "datetime"),
                    Fact(_("Took"), took(row), "duration"),
                    Fact(_("Asked to stop"), row.cancel_requested_at, "datetime"),
                ],
            )
        )
        if row.result:
            facts = [Fact(name, str(value)) for name, value in row.result.items()]
            panels.append(FactsPanel(title=_("Result"), facts=facts))
        return panels


def rate_words(job: Job, page: Page) -> str:
    """Rate and what is left, once both can be known."""
    if job.started_at is None or job.is_over or job.done < _STEPS_MIN:
        return ""
    seconds = max((page.now - job.started_at).total_seconds(), 1)
    rate = job.done / seconds
    left = duration_text((job.total - job.done) / rate)
    return _("%(rate).1f a second, about %(left)s left") % {"rate": rate, "left": left}


def elapsed_words(job: Job, now: datetime) -> str:
    if job.started_at is None:
        return _("Not started")
    end = job.finished_at or now
    return duration_text((end - job.started_at).total_seconds())
