"""What was sent to people, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ops import operations, selectors
from apps.ops.console.subjects import customer_url
from apps.ops.enums import MessageState
from apps.ops.models import Message
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    ChoiceFilter,
    Column,
    DetailScreen,
    Fact,
    HubContribution,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    TextPanel,
    list_url,
    register_hub,
    register_screen,
    state_of,
)

HUB_ROWS = 20


def resend(message: Message, data: dict[str, Any], page: Page) -> str:
    operations.resend_message(message_id=message.pk, actor=page.actor, now=page.now)
    return _("The message is queued again.")


COLUMNS = (
    Column(gettext_lazy("Subject"), "subject_line", to="messages"),
    Column(gettext_lazy("To"), "recipient"),
    Column(gettext_lazy("Purpose"), "purpose", phone=False),
    Column(gettext_lazy("State"), "state", "state", why=lambda message: message.error),
    Column(gettext_lazy("Created"), "created_at", "ago"),
    Column(gettext_lazy("Sent"), "sent_at", "ago", phone=False),
)


@register_screen
class MessageList(ListScreen):
    slug = "messages"
    title = gettext_lazy("Messages")
    permission = "ops.view_message"
    icon = "mail"
    menu = "system"
    menu_order = 30
    empty = gettext_lazy("No message was sent yet. Invoices and reminders send them.")
    search_hint = gettext_lazy("E-mail address")
    columns = COLUMNS
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=MessageState.choices
        ),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.messages(actor, permission).defer("body")

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(recipient__iexact=text)


@register_screen
class MessageDetail(DetailScreen):
    slug = "messages"
    title = gettext_lazy("Message")
    permission = "ops.view_message"
    tabs = (Tab(slug="text", label=gettext_lazy("Text"), build="text"),)
    actions = (
        Action(
            slug="resend",
            label=gettext_lazy("Send again"),
            permission="ops.resend_message",
            icon="send",
            shown=lambda message: message.state == MessageState.FAILED,
            run=resend,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.messages(actor, permission)

    def heading(self, row: Message) -> str:
        return row.subject_line

    def state(self, row: Message, page: Page) -> State:
        return state_of(row.state, why=row.error)

    def facts(self, row: Message, page: Page) -> Sequence[Fact]:
        facts = [
            Fact(_("To"), row.recipient, "code"),
            Fact(_("Purpose"), row.purpose),
            Fact(_("Created"), row.created_at, "datetime"),
            Fact(_("Sent"), row.sent_at, "datetime"),
            Fact(_("Attempts"), row.attempts, "number"),
        ]
        if row.customer_id is not None:
            facts.append(Fact(_("Customer"), _("Open"), url=customer_url(row)))
        return facts

    def text(self, row: Message, page: Page) -> Sequence[Panel]:
        return [TextPanel(title=_("Text"), text=row.body)]


def messages_of(customer: Any, page: Page) -> Sequence[Panel]:
    """The customer's messages, on the customer page."""
    rows = selectors.messages(page.actor).filter(customer_id=customer.pk)
    return [
        TablePanel(
            title=_("Messages"),
            columns=COLUMNS,
            rows=list(rows.defer("body").order_by("-pk")[:HUB_ROWS]),
            empty=_("Nothing was sent to this customer yet."),
            more_url=list_url("messages", customer=customer.pk),
        )
    ]


def audit_of(customer: Any, page: Page) -> Sequence[Panel]:
    """What was done to the customer, on the customer page."""
    rows = selectors.audit_entries(page.actor).filter(customer_id=customer.pk)
    columns = (
        Column(_("When"), "occurred_at", "datetime", to="audit"),
        Column(_("Action"), "action"),
        Column(_("Who"), "actor_label"),
        Column(_("From"), "address", phone=False),
    )
    return [
        TablePanel(
            title=_("Audit"),
            columns=columns,
            rows=list(rows.order_by("-pk")[:HUB_ROWS]),
            empty=_("Nothing was recorded about this customer yet."),
            more_url=list_url("audit", customer=customer.pk),
        )
    ]


register_hub(
    HubContribution(
        app="ops",
        order=90,
        tabs=(
            Tab(
                slug="messages",
                label=gettext_lazy("Messages"),
                build=messages_of,
                permission="ops.view_message",
                order=80,
            ),
            Tab(
                slug="audit",
                label=gettext_lazy("Audit"),
                build=audit_of,
                permission="ops.view_audit",
                order=90,
            ),
        ),
    )
)
