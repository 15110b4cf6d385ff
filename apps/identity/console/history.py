"""The customer's history and the notes of staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ParseError

from apps.identity import operations, selectors
from apps.identity.models import Customer, CustomerNote, NoteRevision
from apps.identity.models.history import NOTE_CHARACTERS_MAX
from dotmac.core.actors import Actor
from dotmac.core.api.pagination import decode_cursor, encode_cursor
from dotmac.core.console import (
    Action,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    Page,
    Panel,
    Tab,
    TablePanel,
    TextPanel,
    TimelinePanel,
    detail_url,
    register_screen,
)
from dotmac.core.participants import timeline_sources
from dotmac.core.timeline import Place, TimelineEntry

PAGE_SIZE = 30
PLACE_WIDTH = 3
_KEY = ("at", "source", "id")
_PARTS = (
    ("", gettext_lazy("Everything")),
    ("identity", gettext_lazy("Customer and notes")),
    ("catalog", gettext_lazy("Services")),
    ("billing", gettext_lazy("Money")),
    ("ops", gettext_lazy("Messages")),
)


def history_tab(row: Customer, page: Page) -> Sequence[Panel]:
    """Pinned notes, then one page of everything."""
    told = {each.name.split(".")[0] for each in timeline_sources("identity.customer")}
    parts = [part for part in _PARTS if not part[0] or part[0] in told]
    part = page.query.get("app", "")
    part = part if part in dict(parts) else ""
    before = read_place(page.query.get("cursor", ""))
    entries, more = selectors.customer_timeline(
        row, actor=page.actor, limit=PAGE_SIZE, before=before, app=part
    )
    here = {"tab": "history", **({"app": part} if part else {})}
    panels: list[Panel] = []
    pinned = selectors.pinned_notes_of(row.pk)
    if pinned and before is None:
        notes = [selectors.note_entry(note) for note in pinned]
        panels.append(TimelinePanel(title=_("Pinned"), entries=notes))
    panels.append(
        TimelinePanel(
            title=_("History"),
            entries=entries,
            empty=_("Nothing of this kind has happened."),
            parts=parts,
            part=part,
            older_url=_older(here, entries) if more else "",
            newest_url=f"?{urlencode(here)}" if before is not None else "",
        )
    )
    return panels


def _older(here: dict[str, str], entries: Sequence[TimelineEntry]) -> str:
    cursor = encode_cursor(entries[-1], _KEY, backwards=False)
    return f"?{urlencode({**here, 'cursor': cursor})}"


def read_place(cursor: str) -> Place | None:
    """The place that a cursor names; None for the newest page or nonsense."""
    try:
        _backwards, key = decode_cursor(cursor, PLACE_WIDTH)
        if key is None:
            return None
        return datetime.fromisoformat(key[0]), str(key[1]), int(key[2])
    except (ParseError, ValueError, TypeError):
        return None


class NoteForm(ConsoleForm):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=NOTE_CHARACTERS_MAX,
        widget=forms.Textarea({"rows": 5}),
        help_text=gettext_lazy(
            "No page of the customer shows it, a copy of the data does. Write no"
            " passwords."
        ),
    )
    pinned = forms.BooleanField(label=gettext_lazy("Keep on top"), required=False)


def _write_note(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.write_note(customer_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("Note written.")


NOTE_ACTION = Action(
    slug="add-note",
    label=gettext_lazy("Add note"),
    submit=gettext_lazy("Save"),
    permission="identity.write_note",
    icon="note",
    form=NoteForm,
    run=_write_note,
    order=59,
)


def _edit(row: CustomerNote, data: dict[str, Any], page: Page) -> str:
    operations.edit_note(note_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("Saved.")


def _remove(row: CustomerNote, data: dict[str, Any], page: Page) -> Done:
    operations.remove_note(note_id=row.pk, actor=page.actor, now=page.now)
    return Done(_("The note is gone."), detail_url("customers", row.customer_id))


@register_screen
class NoteDetail(DetailScreen):
    """One note with what it said before."""

    slug = "notes"
    title = gettext_lazy("Note")
    permission = "identity.view_timeline"
    icon = "note"
    tabs = (Tab(slug="note", label=gettext_lazy("Note"), build="said"),)
    actions = (
        Action(
            slug="edit",
            label=gettext_lazy("Edit"),
            submit=gettext_lazy("Save"),
            permission="identity.write_note",
            icon="edit",
            form=NoteForm,
            initial=lambda row, _page: {"text": row.text, "pinned": row.pinned},
            run=_edit,
        ),
        Action(
            slug="remove",
            label=gettext_lazy("Remove"),
            permission="identity.write_note",
            icon="trash",
            tone="danger",
            confirm=gettext_lazy("The note goes, with what it said before."),
            run=_remove,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[CustomerNote]:
        return selectors.notes_visible_to(actor, permission)

    def heading(self, row: CustomerNote) -> str:
        return _("Note about %s") % row.customer.name

    def facts(self, row: CustomerNote, page: Page) -> Sequence[Fact]:
        return [
            Fact(
                _("Customer"),
                row.customer.reference,
                "code",
                url=detail_url("customers", row.customer_id),
            ),
            Fact(_("Written"), row.at, "datetime"),
            Fact(_("By"), row.actor_label),
            Fact(_("Edited"), row.edited_at, "datetime"),
        ]

    def said(self, row: CustomerNote, page: Page) -> Sequence[Panel]:
        earlier = NoteRevision.objects.filter(note=row).order_by("-pk")[:50]
        panels: list[Panel] = [TextPanel(title=_("What it says"), text=row.text)]
        if earlier:
            columns = (
                Column(_("Said until"), "at", "datetime"),
                Column(_("Changed by"), "actor_label"),
                Column(_("Text"), "text", "long"),
            )
            panels.append(TablePanel(title=_("Before"), columns=columns, rows=earlier))
        return panels
