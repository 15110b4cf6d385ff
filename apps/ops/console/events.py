"""Facts on their way: what waits, and what is parked after failing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ops import operations, selectors
from apps.ops.enums import EventState
from apps.ops.models import OutboxEvent
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
    Tab,
    TextFilter,
    TextPanel,
    register_screen,
    state_of,
)


def retry(event: OutboxEvent, data: dict[str, Any], page: Page) -> str:
    operations.retry_event(event_id=event.pk, actor=page.actor, now=page.now)
    return _("The event is on its way again.")


RETRY = Action(
    slug="retry",
    label=gettext_lazy("Retry"),
    permission="ops.retry_event",
    icon="refresh",
    shown=lambda event: event.state == EventState.PARKED,
    run=retry,
)


@register_screen
class EventList(ListScreen):
    slug = "events"
    title = gettext_lazy("Events")
    permission = "ops.view_event"
    icon = "broadcast"
    menu = "system"
    menu_order = 40
    intro = gettext_lazy(
        "Facts that the parts tell each other. A parked one blocks only its subject."
    )
    empty = gettext_lazy("No event yet.")
    columns = (
        Column(gettext_lazy("Event"), "name"),
        Column(gettext_lazy("Subject"), "subject_key", "code"),
        Column(gettext_lazy("State"), "state", "state", why=lambda event: event.error),
        Column(gettext_lazy("Attempts"), "attempts", "number", phone=False),
        Column(gettext_lazy("Happened"), "occurred_at", "datetime"),
    )
    actions = (RETRY,)
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=EventState.choices
        ),
        TextFilter(name="name", label=gettext_lazy("Event")),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.outbox_events(actor, permission)


@register_screen
class EventDetail(DetailScreen):
    slug = "events"
    title = gettext_lazy("Event")
    permission = "ops.view_event"
    tabs = (Tab(slug="data", label=gettext_lazy("Data"), build="data"),)
    actions = (RETRY,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.outbox_events(actor, permission)

    def heading(self, row: OutboxEvent) -> str:
        return row.name

    def subheading(self, row: OutboxEvent, page: Page) -> str:
        return f"{row.subject_key} #{row.number}"

    def state(self, row: OutboxEvent, page: Page) -> State:
        return state_of(row.state, why=row.error)

    def facts(self, row: OutboxEvent, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("Happened"), row.occurred_at, "datetime"),
            Fact(_("By"), row.actor_label),
            Fact(_("Attempts"), row.attempts, "number"),
            Fact(_("Acknowledged"), row.acknowledged_at, "datetime"),
            Fact(_("Request"), row.request_id, "code"),
        ]

    def data(self, row: OutboxEvent, page: Page) -> Sequence[Panel]:
        panels = [TextPanel(title=_("Data"), text=json.dumps(row.data, indent=2))]
        if row.error:
            panels.insert(0, TextPanel(title=_("Last failure"), text=row.error))
        return panels
