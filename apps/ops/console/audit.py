"""Who did what, with before and after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ops import selectors
from apps.ops.console.subjects import customer_url, subject_text, subject_url
from apps.ops.models import AuditEntry
from dotmac.core.actors import Actor
from dotmac.core.console import (
    ChangesPanel,
    ChoiceFilter,
    Column,
    DateFilter,
    DetailScreen,
    Fact,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    Tab,
    TextFilter,
    register_screen,
)
from dotmac.core.console.render import DASH

_PAIR = 2
_KINDS = (
    ("staff", gettext_lazy("Staff")),
    ("customer", gettext_lazy("Customer")),
    ("system", gettext_lazy("System")),
)


def changed_words(entry: AuditEntry) -> str:
    """The names of what changed, shortened."""
    names = list(entry.changes)
    more = f" +{len(names) - 3}" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


@register_screen
class AuditList(ListScreen):
    slug = "audit"
    title = gettext_lazy("Audit")
    permission = "ops.view_audit"
    icon = "history"
    menu = "system"
    menu_order = 20
    intro = gettext_lazy("Every change, who made it, and what it changed. Append-only.")
    empty = gettext_lazy("Nothing was changed yet.")
    search_hint = gettext_lazy("Action, e.g. catalog.service")
    columns = (
        Column(gettext_lazy("When"), "occurred_at", "datetime"),
        Column(gettext_lazy("Action"), "action"),
        Column(gettext_lazy("About"), subject_text, to=subject_url),
        Column(gettext_lazy("Who"), "actor_label"),
        Column(gettext_lazy("From"), "address", phone=False),
        Column(gettext_lazy("Changed"), changed_words, phone=False),
    )
    filters = (
        ChoiceFilter(name="actor_kind", label=gettext_lazy("Who"), choices=_KINDS),
        TextFilter(
            name="actor", label=gettext_lazy("Name"), field="actor_label__iexact"
        ),
        DateFilter(
            name="from", label=gettext_lazy("From"), field="occurred_at__date__gte"
        ),
        DateFilter(name="to", label=gettext_lazy("To"), field="occurred_at__date__lte"),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.audit_entries(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(action__startswith=text.lower())


@register_screen
class AuditDetail(DetailScreen):
    slug = "audit"
    title = gettext_lazy("Audit entry")
    permission = "ops.view_audit"
    tabs = (Tab(slug="changes", label=gettext_lazy("Changes"), build="changes"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.audit_entries(actor, permission)

    def heading(self, row: AuditEntry) -> str:
        return row.action

    def subheading(self, row: AuditEntry, page: Page) -> str:
        return _("by %(who)s") % {"who": row.actor_label}

    def facts(self, row: AuditEntry, page: Page) -> Sequence[Fact]:
        facts = [
            Fact(_("When"), row.occurred_at, "datetime"),
            Fact(_("About"), subject_text(row), url=subject_url(row)),
            Fact(_("From address"), row.address),
            Fact(_("Request"), row.request_id, "code"),
        ]
        if row.customer_id is not None:
            url = customer_url(row)
            facts.append(Fact(_("Customer"), _("Open"), url=url))
        return facts

    def changes(self, row: AuditEntry, page: Page) -> Sequence[Panel]:
        changes = [(name, *before_after(value)) for name, value in row.changes.items()]
        return [
            ChangesPanel(
                title=_("Before and after"),
                changes=changes,
                empty=_("This act has no fields to compare."),
            )
        ]


def before_after(value: Any) -> tuple[str, str]:
    """A pair is a change; anything else is a fact of the new state."""
    if isinstance(value, list) and len(value) == _PAIR:
        return plain(value[0]), plain(value[1])
    return "", plain(value)


def plain(value: Any) -> str:
    if value is None or value == "":
        return DASH
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
