"""Bill runs on the console: what would be billed, start, progress, what was left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import operations, selectors
from apps.billing.models import BillingRun
from apps.billing.tasks import work_run
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    Column,
    ConsoleForm,
    DateField,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    HomeContribution,
    HomeNeed,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    Tile,
    detail_url,
    form_url,
    list_url,
    register_home,
    register_screen,
    state_of,
)

POLL_S = 3
PARKED_MAX = 200


def _invoices(run: BillingRun) -> Any:
    return run.job.result.get("invoices")


def _total(run: BillingRun) -> str:
    return selectors.totals_text(run.job.result.get("totals_minor", {}))


@register_screen
class RunList(ListScreen):
    slug = "billing-runs"
    title = gettext_lazy("Bill runs")
    permission = "billing.view_run"
    icon = "calendar-stats"
    menu = "money"
    menu_order = 30
    poll_s = 5
    empty = gettext_lazy("No bill run yet. Preview the first one before you start it.")
    buttons = (
        Button(
            label=gettext_lazy("New bill run"),
            url="/console/billing-runs/new",
            icon="plus",
            tone="primary",
            permission="billing.run_billing",
        ),
    )
    columns = (
        Column(gettext_lazy("Up to"), "day", "date"),
        Column(gettext_lazy("State"), "job.state", "state"),
        Column(gettext_lazy("Progress"), "job.percent", "progress"),
        Column(gettext_lazy("Invoices"), _invoices, "number"),
        Column(gettext_lazy("Total"), _total),
        Column(gettext_lazy("Started by"), "job.actor_label", phone=False),
        Column(gettext_lazy("Started"), "started_at", "datetime"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[BillingRun]:
        return selectors.runs_visible_to(actor, permission)


@register_screen
class RunDetail(DetailScreen):
    slug = "billing-runs"
    title = gettext_lazy("Bill run")
    permission = "billing.view_run"
    icon = "calendar-stats"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[BillingRun]:
        return selectors.runs_visible_to(actor, permission)

    def heading(self, row: BillingRun) -> str:
        return _("Bill run up to %s") % date_format(row.day, "j M Y")

    def state(self, row: BillingRun, page: Page) -> State:
        return state_of(row.job.state, why=row.job.message)

    def polls(self, row: BillingRun) -> int:
        return 0 if row.finished_at else POLL_S

    def facts(self, row: BillingRun, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("Started by"), row.job.actor_label),
            Fact(_("Started"), row.started_at, "datetime"),
            Fact(_("Finished"), row.finished_at, "datetime"),
        ]

    def tiles(self, row: BillingRun, page: Page) -> Sequence[Tile]:
        counts = f"{row.job.done:,} / {row.job.total:,}"
        return [
            Tile(label=_("Progress"), value=row.job.percent, kind="progress"),
            Tile(label=_("Customers"), value=counts),
            Tile(label=_("Total"), value=_total(row)),
        ]

    def links(self, row: BillingRun, page: Page) -> Sequence[Button]:
        return [
            Button(
                label=_("Its invoices"),
                url=list_url("invoices", run=row.pk),
                icon="file-invoice",
            ),
            Button(
                label=_("Its job"),
                url=detail_url("jobs", row.job_id),
                icon="progress",
                permission="ops.view_job",
            ),
        ]

    def overview(self, row: BillingRun, page: Page) -> Sequence[Panel]:
        result = row.job.result
        facts = [
            Fact(_("Invoices"), result.get("invoices"), "number"),
            Fact(_("Lines"), result.get("lines"), "number"),
            Fact(_("Left aside"), result.get("parked"), "number"),
        ]
        return [FactsPanel(title=_("Result"), facts=facts), _parked_panel(row)]


def _parked_panel(row: BillingRun) -> Panel:
    rows = selectors.parked_services_of(row.pk)[:PARKED_MAX]
    return TablePanel(
        title=_("Left aside"),
        note=_("Mend the reason; the next run bills them.") if rows else "",
        columns=(
            Column(
                _("Service"),
                "service_reference",
                "code",
                to="services",
                to_id="service_id",
            ),
            Column(_("Customer"), "customer.name", to="customers", to_id="customer_id"),
            Column(_("Month"), "period_start", "date"),
            Column(_("Why"), "get_reason_display", "long"),
        ),
        rows=rows,
        empty=_("Everything could be billed."),
    )


class RunForm(ConsoleForm):
    day = DateField(
        label=gettext_lazy("Bill what began on or before"),
        help_text=gettext_lazy("Invoices carry this date."),
    )


@register_screen
class NewRun(FormScreen):
    slug = "billing-runs/new"
    title = gettext_lazy("New bill run")
    permission = "billing.run_billing"
    icon = "calendar-plus"
    form = RunForm
    previews = True
    submit_label = gettext_lazy("Start")
    intro = gettext_lazy(
        "Every month begun by that day and not billed yet. Nothing is billed twice."
    )

    def initial(self, page: Page) -> dict[str, Any]:
        return {"day": page.today}

    def run(self, data: dict[str, Any], page: Page) -> Done:
        selectors.require_everything(page.actor, self.permission)
        with transaction.atomic():
            run = operations.start_run(day=data["day"], actor=page.actor, now=page.now)
            transaction.on_commit(lambda: work_run.delay(run_id=run.pk))
        return Done(_("The bill run has started."), detail_url("billing-runs", run.pk))

    def preview(self, data: dict[str, Any], page: Page) -> Sequence[Panel]:
        selectors.require_everything(page.actor, self.permission)
        return [_preview_panel(data["day"])]


def _preview_panel(day: date) -> Panel:
    preview = selectors.preview_run(day=day)
    note = "" if preview.complete else _("Only the first customers were looked at.")
    return FactsPanel(
        title=_("What it would bill"),
        note=note,
        facts=[
            Fact(_("Invoices"), preview.invoices, "number"),
            Fact(_("Lines"), preview.lines, "number"),
            Fact(_("Total, tax included"), selectors.totals_text(preview.totals_minor)),
            Fact(_("Left aside"), preview.parked, "number"),
        ],
    )


def _needs(page: Page) -> Sequence[HomeNeed]:
    """Services that the latest run could not bill."""
    latest = selectors.runs_visible_to(page.actor).order_by("-pk").first()
    if latest is None:
        return []
    return [
        HomeNeed(
            label=_("Services that could not be billed"),
            count=latest.job.result.get("parked", 0),
            url=detail_url("billing-runs", latest.pk),
            icon="file-off",
        )
    ]


def _first_steps(page: Page) -> Sequence[tuple[Any, str, bool]]:
    return [
        (
            _("Set a tax rate"),
            form_url("tax-rates/new"),
            bool(selectors.rates_on(page.today)),
        )
    ]


register_home(
    HomeContribution(
        app="billing",
        permission="billing.view_run",
        order=40,
        needs=_needs,
        first_steps=_first_steps,
    )
)
